# The table of ../README.md from linux.csv: a row for each policy and guest, with what its leaves of 2 MiB and of
# 4 KiB have in common once, and what differs side by side.

BEGIN { FS = "," }

NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }

function thousands(number) {
    while (match(number, /[0-9][0-9][0-9][0-9]($|,)/)) {
        number = substr(number, 1, RSTART) "," substr(number, RSTART + 1)
    }
    return number
}

function put(what, text) {
    if (text == "") return
    if (!((row, what) in cell)) cell[row, what] = text
    else if (what ~ /^(leaves|lines|tlbi|icache|faults)$/ || cell[row, what] != text) {
        cell[row, what] = cell[row, what] ", " text
    }
}

{
    row = $column["policy"] SUBSEP $column["guest"]
    if (!(row in known)) rows[++all] = row
    known[row] = 1
    put("leaves", $column["page"] == "thp" ? "2M" : "4K")
    put("detector", "`" $column["detector"] "`")
    put("model", "`" $column["model"] "`")
    put("old_lines", $column["old_lines"])
    for (what in column) {
        if (what ~ /^(lines|tlbi|icache|faults)$/) put(what, thousands($column[what]))
    }
    if ($column["cells"] != "") put("equal", $column["cells_equal"] " of " $column["cells"])
}

END {
    print "| policy | guest | leaves | detector | model | old lines | lines cleaned | TLBI | I-cache | faults | counts equal |"
    print "|---|---|---|---|---|---|---|---|---|---|---|"
    n = split("leaves detector model old_lines lines tlbi icache faults equal", whats, " ")
    for (r = 1; r <= all; r++) {
        split(rows[r], part, SUBSEP)
        printf "| `%s` | %s |", part[1], part[2]
        for (w = 1; w <= n; w++) printf " %s |", cell[rows[r], whats[w]]
        print ""
    }
}
