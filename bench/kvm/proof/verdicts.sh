# What the detector and the model say of a run, as `off on fetch host`: what guests read with their
# MMU off and on, what they fetch, what the host reads. To be sourced; needs $s2flush, $here.

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
