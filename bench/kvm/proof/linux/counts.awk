# Compares what the kernel counted in each phase with what the model charges, for the columns of
# ../../counts.csv that the model claims.
#
#   s2flush explain ... --exact --trace | awk -f counts.awk CONSOLE.log -
#
# Prints how many cells are equal, of how many; then lines, TLB invalidations, I-cache steps and
# faults from the reset on, each as counted and by the model. Cells that differ go to standard error.

BEGIN {
    split("s2_faults data_faults data_tr_w data_tr_r data_perm_w data_other cmo_calls cmo_lines " \
          "tlbi_calls icache_calls map_calls unmap_calls code_faults cmo_op_calls icache_lines " \
          "ic_ialluis tlbi_table tlbi_vmid map_4k map_2m relax_calls unmap_vm_calls flush_calls " \
          "flush_vm_calls setway_traps toggle_traps gfn_unmap set_spte s2_tables_alloc walk_map " \
          "walk_unmap walk_flush tlbi_range", columns, " ")
    split("boot1 reset1 boot2", phases, " ")
    split("line_absent line_clean line_dirty", line, " ")
    for (i in line) parts[line[i]] = "cmo_lines"
    parts["tlbi_local"] = "tlbi_calls"
    parts["data_tr_x"] = parts["data_perm_x"] = "data_other"
}

# The console: the guest's exits are no part of its story.
FNR == NR && $1 == "count" {
    counted[$2, $3] += $4
    if ($3 == "mmio_exits") counted[$2, "s2_faults"] -= $4
    next
}
FNR == NR { next }

# The trace: what the guest maintains itself is none of the kernel's.
{
    split($0, field, ",")
    event = field[5]
    if (field[4] == "guest" && event !~ /_traps$/) next
    model[field[3], event in parts ? parts[event] : event] += field[6]
    if (event ~ /^(data_(tr|perm)_[wrx]|code_faults)$/) model[field[3], "s2_faults"] += field[6]
    if (event ~ /^data_(tr|perm)_[wrx]$/) model[field[3], "data_faults"] += field[6]
}

function sum(table, names, list, n, i, all) {
    n = split(names, list, " ")
    for (i = 1; i <= n; i++) all += table["reset1", list[i]] + table["boot2", list[i]]
    return all + 0
}

function both(names) { return sum(counted, names) "," sum(model, names) }

END {
    for (p = 1; p <= 3; p++) {
        for (c = 1; c in columns; c++) {
            if (!((phases[p], columns[c]) in counted)) continue
            cells++
            is = counted[phases[p], columns[c]]
            by_model = model[phases[p], columns[c]] + 0
            # The probe has freed tables from references given up: one for each leaf and two for
            # each table, less invalidations. Where one serves for all, none is to be taken off.
            if (columns[c] == "tlbi_table" && model[phases[p], "tlbi_vmid"]) {
                by_model = model[phases[p], "unmap_leaves"] + 2 * model[phases[p], "s2_tables_free"]
            }
            if (is == by_model) equal++
            else print phases[p], columns[c] ": counted", is ", by the model", by_model >"/dev/stderr"
        }
    }
    print equal + 0 "," cells + 0 "," both("cmo_lines") "," both("tlbi_calls tlbi_vmid") "," \
        both("icache_calls ic_ialluis") "," both("s2_faults")
}
