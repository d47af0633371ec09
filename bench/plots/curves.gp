# Added boot time by footprint: one panel for each leaf size and machine, at the
# touched share nearest to a tenth.
#
#! output curves
#! axis machine 1 3
#! axis backing 0 3
#! axis touched 0 64
#! axis footprint 4 64
#! axis strategy 2 12
#! metric added_boot_ns

METRIC = "added_boot_ns"
LEAST = "adds least"
SHIPPED = "what Linux ships adds"
MEANS = "Added: first re-init call to the end, less the same without maintenance."

load "lines.gp"
