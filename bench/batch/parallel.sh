#!/bin/bash
# A study by GNU parallel: its shards, one a processor at a time, then the merge.
#
#   parallel.sh STUDY DIR SHARDS [OPTIONS OF s2flush run]
#
# PARALLEL_OPTIONS are more of parallel's own: '-j 4', or '--sshloginfile hosts --workdir .' for several
# machines that see DIR and the study under the same path. S2FLUSH names the program (s2flush,
# or build/s2flush of this tree).
# The same command again plays what is missing.
set -eu
# shellcheck source=bench/batch/recipe.sh
. "$(dirname "$0")/recipe.sh"
command -v parallel >/dev/null || amiss "no GNU parallel here"
study=$1 folder=$2 shards=$3
shift 3
# --halt: once a shard failed no other is started; those under way come to their end.
# shellcheck disable=SC2086 # PARALLEL_OPTIONS are several words
seq "$shards" | parallel --will-cite --quote --halt soon,fail=1 ${PARALLEL_OPTIONS:-} \
    "$S2FLUSH" run "$study" -o "$folder" --shard "{}/$shards" --jobs 1 "$@"
exec "$S2FLUSH" merge "$folder" -o "$folder"
