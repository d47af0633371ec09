#!/bin/bash
# Kills studies at random moments, goes on with them until they are done, and compares the bytes
# with those of a run that nobody disturbed.
#
#   kill_resume.sh [KILLS [SEED]]      (8 and 1)
#
# Studies are played in one go and in three shards that are merged. Most are killed (SIGKILL), one
# in five gets Ctrl-C (SIGINT), which must say how to go on. Prints "ok" or "not ok" lines like the
# other checks, then `kills: N` and `resumed to the same bytes: yes`.
set -u
: "${S2FLUSH:?set it to the program under test}"
kills=${1:-8} RANDOM=${2:-1}
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
export SOURCE_DATE_EPOCH=0
attempts=0 killed=0 interrupted=0 studies=0 resumed=0

fail()
{
    echo "not ok kill and resume: $* ($(tail -n 3 "$T/err" | tr '\n' '|'))"
    echo "kills: $killed"
    echo "resumed to the same bytes: no"
    exit 1
}

cat >"$T/boot.ini" <<'END'
[workload]
title = to be killed
[boot]
footprint = 64M
END
cat >"$T/study.ini" <<END
[study]
draws = 32
shifts = 2
[axes]
workload = $T/boot.ini
strategy = unmap, unmap-lazy, eager, none
machine = neoverse-n1, kunpeng-920
backing = 4k, thp
touched = 0, 10%, 50%, 100%
footprint = 64M..512M x2
END

# attempt MILLISECONDS COMMAND...: runs it for that long at most. True when it came to its end.
attempt()
{
    local seconds signal=KILL rc=0
    seconds=$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))
    shift
    attempts=$((attempts + 1))
    [ $((attempts % 5)) -ne 0 ] || signal=INT
    # In the foreground timeout waits until the program is gone, and with it its lock. The outer
    # redirection is for the shell's own words about who was killed.
    { timeout --foreground --preserve-status -s "$signal" "$seconds" "$S2FLUSH" "$@" \
        >"$T/out" 2>"$T/err" </dev/null || rc=$?; } 2>/dev/null
    ! grep -q '^resuming:' "$T/err" || resumed=$((resumed + 1))
    case $rc in
        0) return 0 ;;
        137) killed=$((killed + 1)) ;;
        130)
            killed=$((killed + 1)) interrupted=$((interrupted + 1))
            # It has nothing to say before it catches signals, little before the first cell, and nothing more
            # once it has said where the rows are.
            [ ! -s "$T/err" ] ||
                grep -qE 'the same command goes on from there$|^s2flush: interrupted$|, rows in [^ ]*$' "$T/err" ||
                fail "Ctrl-C does not say how to go on"
            ;;
        *) fail "exit status $rc from: $*" ;;
    esac
    return 1
}

# until_done COMMAND...: again and again, for a random time each.
until_done()
{
    until attempt $((1 + RANDOM % window)) "$@"; do
        [ "$killed" -lt $((kills + 10000)) ] || fail "it does not come to an end"
        # A busy machine may need longer for the first cell, or for the tables, than it is given.
        window=$((window < 30000 ? window + window / 50 + 1 : window))
    done
}

expect_same()
{
    local file
    for file in rows.csv rows.jsonl run.json; do
        cmp -s "$1/$file" "$T/whole/$file" || fail "$file differs: $(cmp "$1/$file" "$T/whole/$file" 2>&1)"
    done
    [ "$(cd "$1" && ls -A | tr '\n' ' ')" = "rows.csv rows.jsonl run.json samples.db " ] ||
        fail "something else is left: $(ls -A "$1")"
    studies=$((studies + 1))
}

play=(run "$T/study.ini" -j 2 --format both)
t0=${EPOCHREALTIME/[.,]/}
"$S2FLUSH" "${play[@]}" -o "$T/whole" 2>"$T/err" || fail "the run that nobody disturbs"
whole_ms=$(((${EPOCHREALTIME/[.,]/} - t0) / 1000))
first=$((whole_ms < 900 ? whole_ms : 900))

# Where it dies is chance: of few kills all may fall before anything is kept, so it goes on until one did not.
while [ "$killed" -lt "$kills" ] || { [ "$resumed" -eq 0 ] && [ "$studies" -lt 40 ]; }; do
    window=$first
    rm -rf "$T/run" "$T/shards" "$T/merged"
    until_done "${play[@]}" -o "$T/run"
    expect_same "$T/run"
    [ "$killed" -lt "$kills" ] || break
    for k in 1 2 3; do
        window=$((first / 2 + 1))
        until_done "${play[@]}" -o "$T/shards" --shard "$k/3"
    done
    window=60
    until_done merge "$T/shards" -o "$T/merged"
    expect_same "$T/merged"
done
[ "$resumed" -gt 0 ] || fail "no run ever went on from another"
echo "ok kill and resume"
echo "kills: $killed"
echo "of these Ctrl-C: $interrupted"
echo "runs that went on from another: $resumed"
echo "studies: $studies"
echo "resumed to the same bytes: yes"
