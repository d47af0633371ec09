#!/bin/bash
# Runs the recipe for GNU parallel on this machine: kills it once on the way, runs it again, and
# compares the merged results with those of one run.
#
#   S2FLUSH=PROGRAM try_parallel.sh FOLDER
set -eu
command -v parallel >/dev/null ||
    { echo 'make batch-parallel: no GNU parallel here: make deps-batch' >&2; exit 2; }
here=$(dirname "$0")
# shellcheck source=bench/batch/try.sh
. "$here/try.sh"
folder=$1
start "$folder"

recipe=("$here/parallel.sh" "$study" "$folder/sharded" "$shards" "${options[@]}")
setsid "${recipe[@]}" >"$folder/first.txt" 2>&1 &
group=$!
trap 'kill -- "-$group" 2>/dev/null || true' EXIT
within 120 has_both || { tail -n 5 "$folder/first.txt" >&2; exit 1; }
kill -- "-$group"
wait "$group" || true
echo "stopped, with $(cd "$folder/sharded" && ls | tr '\n' ' ')"
# Those that were under way end by themselves, and then their logs are gone.
none_under_way() { ! ls "$folder"/sharded/*-wal >/dev/null 2>&1; }
within 60 none_under_way
"${recipe[@]}" >"$folder/second.txt" 2>&1 || { rc=$?; cat "$folder/second.txt" >&2; exit "$rc"; }
grep -E 'resuming|merge|shards' "$folder/second.txt"
compare "$folder/whole" "$folder/sharded"
