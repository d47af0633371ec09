# shellcheck shell=bash disable=SC2034,SC2154 # names that those who source it use and set
# What both trials share; sourced by them. They play a study in one go and by a recipe and compare.
: "${S2FLUSH:?set it to the program}"
export S2FLUSH SOURCE_DATE_EPOCH=0 # run.json would tell when it was made
study=reference options=(--format both --set draws=32) shards=8

# start FOLDER: an empty one, and in it `whole`, the study in one go.
start()
{
    rm -rf "$1"
    mkdir -p "$1"
    "$S2FLUSH" run "$study" "${options[@]}" -o "$1/whole" --quiet
    echo "study $study in one go: $(($(wc -l <"$1/whole/rows.csv") - 1)) rows"
}

# within SECONDS COMMAND...: waits until the command says yes.
within()
{
    local left=$(($1 * 10))
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# Whether one shard is there and another one in part: while it is written a log stands beside it.
has_both()
{
    local shard whole=0 part=0
    for shard in "$folder"/sharded/*.db; do
        if [ -s "$shard-wal" ]; then part=1; elif [ -s "$shard" ]; then whole=1; fi
    done
    [ "$whole$part" = 11 ]
}

# compare A B: whether the results in both folders are the same bytes.
compare()
{
    local file
    for file in rows.csv rows.jsonl run.json; do
        cmp "$1/$file" "$2/$file" || { echo "merged is unsharded: no"; exit 1; }
        echo "$file: $(wc -c <"$2/$file") bytes, the same"
    done
    echo "merged is unsharded: yes"
}
