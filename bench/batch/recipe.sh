# What both recipes begin with; sourced with the arguments STUDY DIR SHARDS. Sets S2FLUSH to the program
# (that, or s2flush of the PATH, or what make built here), and ends with one line where something is amiss.
# shellcheck shell=bash
recipe=$(basename "$0") here=$(cd "$(dirname "$0")" && pwd)
amiss() { echo "$recipe: $*" >&2; exit 2; }

[ $# -ge 3 ] || amiss "expected STUDY DIR SHARDS [OPTIONS OF s2flush run]"
case $3 in
    *[!0-9]* | '' | 0*) amiss "SHARDS: found '$3', expected a number from 1" ;;
esac
if [ -z "${S2FLUSH:-}" ]; then
    S2FLUSH=$(command -v s2flush || echo "$here/../../build/s2flush")
fi
command -v "$S2FLUSH" >/dev/null || amiss "no program $S2FLUSH: make it, or let S2FLUSH name it"
"$S2FLUSH" run "$1" "${@:4}" --jobs 1 --dry-run >/dev/null || exit 2
export S2FLUSH
