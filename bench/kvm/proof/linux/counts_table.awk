# What boots counted, as a table: a row for each phase, a column for each thing; empty where the kernel has
# no such function.
#
#   awk -f counts_table.awk POLICY-GUEST-PAGE.counts...

FNR == 1 {
    n = split(FILENAME, part, "/")
    sub(/\.counts$/, "", part[n])
    n = split(part[n], part, "-")
    boot = part[1]
    for (i = 2; i <= n; i++) boot = boot (i > n - 2 ? "," : "-") part[i]
}

{
    row = boot "," $2
    if (!(row in known)) rows[++all] = row
    known[row] = 1
    if (!($3 in names)) name[++columns] = $3
    names[$3] = 1
    counted[row, $3] += $4
}

END {
    printf "policy,guest,page,phase"
    for (c = 1; c <= columns; c++) printf ",%s", name[c]
    for (r = 1; r <= all; r++) {
        printf "\n%s", rows[r]
        for (c = 1; c <= columns; c++) {
            printf ",%s", (rows[r], name[c]) in counted ? counted[rows[r], name[c]] : ""
        }
    }
    print ""
}
