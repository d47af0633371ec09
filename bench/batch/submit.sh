#!/bin/bash
# A study on a Slurm cluster: an array job of shards, and a job that merges them when all are done.
#
#   submit.sh STUDY DIR SHARDS [OPTIONS OF s2flush run]
#
# Prints the numbers of both jobs. DIR is seen by all nodes; rows.csv and run.json come into it, and
# what the jobs say into DIR/log. S2FLUSH names the program (s2flush, or
# build/s2flush of this tree). Partition, account, time limit
# and the like come from sbatch's own variables: SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_TIMELIMIT.
# The same command again plays what is missing.
set -eu
# shellcheck source=bench/batch/recipe.sh
. "$(dirname "$0")/recipe.sh"
command -v sbatch >/dev/null || amiss "no sbatch here"
folder=$2 shards=$3
mkdir -p "$folder/log"
array=$(sbatch --parsable --array="1-$shards" --output="$folder/log/%A_%a.txt" \
    "$here/shard.sbatch" "$@")
merge=$(sbatch --parsable --dependency="afterok:$array" --kill-on-invalid-dep=yes \
    --output="$folder/log/%j.txt" "$here/merge.sbatch" "$folder")
echo "$array $merge"
