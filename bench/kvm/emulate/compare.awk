# compare.awk RECORDED NEW: cells of the new table that differ from the recorded one.
#
# Rows belong together by all columns from `kernel` to `op`. A cell that is blank in
# either table was not recorded there and is not compared.

function key(  i, text) {
    for (i = 1; i <= 10; i++) {
        text = text FS $i
    }
    return text
}

FNR == 1 {
    file++
    for (i = 1; i <= NF; i++) {
        name[file, i] = $i
    }
    next
}

file == 1 {
    recorded[key()] = $0
    next
}

{
    rows++
    if (!(key() in recorded)) {
        unknown++
        next
    }
    split(recorded[key()], old, FS)
    for (i = 11; i <= NF; i++) {
        if ($i == "" || old[i] == "") {
            continue
        }
        cells++
        if ($i != old[i]) {
            different++
            printf "%s %s %s %s: %s recorded %s, now %s\n", $1, $2, $4, $9, name[2, i], old[i], $i
        }
    }
}

END {
    printf "%d phases, %d of them with recorded counts: %d of %d cells equal\n", \
        rows, rows - unknown, cells - different, cells
    exit different > 0
}
