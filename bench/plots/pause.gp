# The longest hold of mmu_lock by footprint: one panel for each leaf size and
# machine, at the touched share nearest to a tenth.
#
#! output pause
#! axis machine 1 3
#! axis backing 0 3
#! axis touched 0 64
#! axis footprint 4 64
#! axis strategy 2 12
#! metric pause_ns

METRIC = "pause_ns"
LEAST = "holds mmu_lock shortest"
SHIPPED = "what Linux ships holds it"
MEANS = "The longest hold of mmu_lock for write while nobody else wants its core; all faults wait that long."

load "lines.gp"
