# What the check_*.sh scripts share; each sources it first. Makes the folder $T, which is removed at
# the end, and sets $rc and $failed. A script prints "ok NAME" or "not ok NAME: why" for each case.
# shellcheck shell=bash disable=SC2034 # failed and rc are for the scripts
: "${S2FLUSH:?set it to the program under test}"
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
failed=0 rc=0

# check NAME CONDITION...: the condition is a command.
check()
{
    local name=$1
    shift
    if "$@"; then
        echo "ok $name"
    else
        echo "not ok $name: $* (status $rc, stdout: $(head -c 200 "$T/out" | tr '\n' '|'), stderr: $(head -c 300 "$T/err" | tr '\n' '|'))"
        failed=1
    fi
}

# run ARGUMENTS...: leaves stdout, stderr and the status in $T/out, $T/err, $rc.
run()
{
    rc=0
    "$S2FLUSH" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
}

is() { [ "$1" = "$2" ]; }
says() { grep -qF -- "$2" "$T/$1"; }
one_line() { [ "$(wc -l <"$T/err")" -eq 1 ] && grep -q '^s2flush: ' "$T/err"; }
silent() { [ ! -s "$T/$1" ]; }

# ends NAME STATUS WORDS ARGUMENTS...: that status, and one line that says the words.
ends()
{
    local name=$1 status=$2 words=$3
    shift 3
    run "$@"
    check "$name: status" is "$rc" "$status"
    check "$name: one line" one_line
    check "$name: says" says err "$words"
}

# refused NAME WORDS ARGUMENTS...: bad input, and nothing on stdout.
refused()
{
    local name=$1 words=$2
    shift 2
    ends "$name" 2 "$words" "$@"
    check "$name: stdout" silent out
}
