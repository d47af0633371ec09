# What the detector and the model say of a run, as `off on fetch host`: what guests read with their
# MMU off and on, what they fetch, what the host reads; and how the model plays the guests of
# linux/guests.csv. To be sourced; needs $s2flush and $here, this folder.

# Of a report. What the host fetches is its own code, and is reported apart.
detected() {
    awk -F, '
        function worse(reader, found) {
            found = found == "old" ? "old" : "ahead"
            if (worst[reader] != "old") worst[reader] = found
        }
        $1 == "data" && $2 == "guest (MMU off)" { worse("off", $3) }
        $1 == "data" && $2 == "guest (MMU on)" { worse("on", $3) }
        $1 == "fetch" && $2 ~ /^guest/ { worse("fetch", $3) }
        $1 == "data" && $2 ~ /^host/ { worse("host", $3) }
        function word(reader) { return worst[reader] ? worst[reader] : "-" }
        END { print word("off"), word("on"), word("fetch"), word("host") }' "$1"
}

# Of a file with a workload, a machine and a strategy, and what else `explain` takes.
modelled() {
    local workload=$1 machine=$2 strategy=$3
    shift 3
    "$s2flush" explain "$workload" -m "$machine" -s "$strategy" \
        --study "$here/policies.ini" "$@" | awk '
        function word(outcome) {
            return outcome == "stale" ? "old" : outcome == "only-if" ? "ahead" : "-"
        }
        /^  guest data, MMU off  / { off = word($5) }
        /^  guest data, MMU on  / { on = word($5) }
        /^  guest fetch  / { fetch = word($3) }
        /^  host  / { host = word($2) }
        function said(text) { return text == "" ? "-" : text }
        END { print said(off), said(on), said(fetch), said(host) }'
}

# Whether both say the same of each reader. Speculative fetches reach all that is executable in the model, and in the
# detector the page that is executed: what only the model finds fetched ahead is no contradiction.
agree() {
    local off on fetch host
    read -r off on fetch host <<<"$1"
    [ "$2" = "$off $on $fetch $host" ] || [ "$fetch $2" = "- $off $on ahead $host" ]
}

# The workload of a guest of linux/guests.csv and what else `explain` takes of it on a kernel. The detector judges
# the first boot too, so the window begins there, in a copy in DIRECTORY. What QEMU boots is played as recorded.
workload_of() {
    local guest=$1 page=$2 kernel=$3 directory=$4
    case $guest-$page in
        debian-4k) recorded_in "$directory" recorded-4k 1 ;;
        debian-thp) recorded_in "$directory" recorded-2m 1 ;;
        uefi-*) recorded_in "$directory" recorded-uefi-2vcpu 2 ;;
        *)
            sed '/^phase = boot1/a vmm = window' "$here/$guest.ini" >"$directory/$guest.ini"
            echo "$directory/$guest.ini -k $kernel --set backing=${page/thp/hugetlb}"
            return
            ;;
    esac
    echo "-k $kernel"
}

# A recording's window begins with the first re-init: here one of each vCPU, before it was ever entered. Beside
# what is recorded the VMM has read the firmware into its flash chip, at 0.
recorded_in() {
    local directory=$1 name=$2 vcpus=$3 workloads=$here/../../../workloads recording
    recording=$(sed -n 's/^recording = //p' "$workloads/$name.ini")
    awk -v vcpus="$vcpus" '
        { print }
        /^time_ns,/ {
            for (i = 0; i < vcpus; i++) print "0,vmm,reinit,,0,0,"
            if (vcpus > 1) print "0,vmm,vmm_write,0x0,2097152,0,"
        }' "$workloads/$recording" >"$directory/$name.csv"
    sed "s|^recording = .*|recording = $name.csv|" "$workloads/$name.ini" >"$directory/$name.ini"
    echo -n "$directory/$name.ini "
}

# What a kernel did (a table of `count PHASE COLUMN N`) beside what the model charges.
counted() {
    local counts=$1 workload=$2 strategy=$3
    shift 3
    "$s2flush" explain "$workload" -m neoverse-n1 -s "$strategy" "$@" --study "$here/policies.ini" \
        --exact --trace | awk -f "$here/linux/counts.awk" "$counts" -
}
