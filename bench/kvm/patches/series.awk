# The part of a patch's message that is measured and predicted. Of two tables: what was counted and
# found (linux.csv), and the rows of a study.
#
#   awk -v policy=P -v before=Q -f series.awk linux.csv rows.csv
#
# With policy=all: how kernels and controls came off, for the cover letter.

BEGIN { FS = ","; leaves["thp"] = "2 MiB"; leaves["4k"] = "4 KiB" }

FNR == 1 { files++; delete column; for (i = 1; i <= NF; i++) column[$i] = i; next }

function at(name) { return $column[name] }

files == 1 {
    key = at("policy") SUBSEP at("guest") SUBSEP at("page")
    release = at("kernel")
    split("lines tlbi icache faults", names, " ")
    for (i in names) counted[key, names[i]] = at(names[i])
    strategy[at("policy")] = at("strategy")
    if (!(at("policy") in runs)) order[++policies] = at("policy")
    runs[at("policy")]++
    caught[at("policy")] += at("old_lines") > 0
    equal[at("policy")] += at("cells_equal")
    cells[at("policy")] += at("cells")
    if (at("policy") == policy && at("cells") && !((at("guest"), at("page")) in known)) {
        known[at("guest"), at("page")] = 1
        guest[++guests] = at("guest") SUBSEP at("page")
    }
    next
}

at("metric") == "added_boot_ns" && at("machine") == "kunpeng-920" && at("vcpus") == 8 &&
at("touched") == 0.1 {
    for (end = 1; end <= 3; end++) {
        band[at("strategy"), at("backing"), end] = at(end == 1 ? "p10" : end == 2 ? "p50" : "p90")
    }
    predicted = at("kernel")
}

# Two digits, in the unit of the middle one.
function digits(ns, size,    value) {
    value = ns / size
    return sprintf("%.*f", value < 9.95 ? 1 : 0, value < 99.5 ? value : int(value / 10 + 0.5) * 10)
}

function time(name, backing,    mid, size, unit) {
    mid = band[name, backing, 2]
    size = mid >= 1e9 ? 1e9 : 1e6
    unit = mid >= 1e9 ? "s" : "ms"
    return digits(mid, size) " " unit " (" digits(band[name, backing, 1], size) " to " \
        digits(band[name, backing, 3], size) ")"
}

function change(key, was, name) {
    return counted[was, name] == counted[key, name] ? counted[key, name] \
        : counted[was, name] " > " counted[key, name]
}

function verdicts(    i, name) {
    printf "\n%-26s %5s %18s %20s\n", "kernel " release, "runs", "with old bytes", "counts as predicted"
    for (i = 1; i <= policies; i++) {
        name = order[i]
        printf "%-26s %5d %18d %20s\n", name, runs[name], caught[name], \
            equal[name] " of " cells[name]
    }
}

function one_patch(    i, part, key, was, backings, backing) {
    printf "\nCounted from the re-init on, before > after (Linux %s at EL2 of an\n", release
    printf "emulated Neoverse N1; guests of 4 MiB, Linux of 64 MiB, that reboot):\n\n"
    printf "%-10s %-6s %17s %9s %8s %9s\n", "guest", "leaves", "lines cleaned", "TLBI", "I-cache", "faults"
    for (i = 1; i <= guests; i++) {
        split(guest[i], part, SUBSEP)
        key = policy SUBSEP part[1] SUBSEP part[2]
        was = before SUBSEP part[1] SUBSEP part[2]
        printf "%-10s %-6s %17s %9s %8s %9s\n", part[1], leaves[part[2]], change(key, was, "lines"), \
            change(key, was, "tlbi"), change(key, was, "icache"), change(key, was, "faults")
    }
    printf "\nNone of %d runs reads old bytes%s.\n", runs[policy], \
        caught[policy] ? ": WRONG, " caught[policy] " do" : ""
    printf "\nPredicted for 16 GiB in use, 8 vCPUs, 10 %% touched again, on a Kunpeng\n"
    printf "920 with Linux %s, as what is added to the reboot; medians, and bands\n", predicted
    printf "that hold 80 %% of what is not known of the machine:\n\n"
    split("4k thp", backings, " ")
    for (i = 1; i <= 2; i++) {
        backing = backings[i]
        if (!((strategy[policy], backing, 2) in band)) continue
        printf "  %s leaves: %s, before %s\n", leaves[backing], time(strategy[policy], backing), \
            time(strategy[before], backing)
    }
}

END { if (policy == "all") verdicts(); else one_patch() }
