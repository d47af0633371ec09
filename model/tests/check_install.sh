#!/bin/bash
# Installs into a folder of its own and looks at what is there: the program finds its data, each
# command has a man page without a warning, and shells complete what the tables have.
set -u
. "$(dirname "$0")/cases.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
D=$T/root

# Before `make install` makes it anew.
run manual columns
check "COLUMNS.md is what the program says (make manual)" cmp -s "$T/out" "$top/workloads/studies/COLUMNS.md"

rc=0
# With the prefix that the program was built for: another one would build it anew.
make -s -C "$top" install DESTDIR="$D" B="build/$(basename "$(dirname "$S2FLUSH")")" \
    >"$T/out" 2>"$T/err" </dev/null || rc=$?
check "install: status" test "$rc" -eq 0
P=$(find "$D" -path '*/bin/s2flush' -printf '%h\n' | sed 's|/bin$||')
export PATH=$P/bin:$PATH S2FLUSH_DATA=$P/share/s2flush
for file in bin/s2flush share/s2flush/bench/kvm/counts.csv share/s2flush/bench/batch/README.md \
    share/s2flush/workloads/studies/COLUMNS.md share/s2flush/bench/plots/figure.gp \
    share/man/man1/s2flush.1 share/bash-completion/completions/s2flush \
    share/zsh/site-functions/_s2flush share/fish/vendor_completions.d/s2flush.fish; do
    check "install: $file" test -s "$P/$file"
done
case $(uname -m) in
aarch64 | x86_64) check "install: the probe" test -x "$P/bin/s2flush-probe" ;;
esac
cd "$T" || exit 2
S2FLUSH=$P/bin/s2flush
run list machines
check "installed: machines" says out neoverse-n1
run counts "$P/share/s2flush/bench/kvm/counts.csv"
check "installed: the recorded counts" is "$rc" 0

# --- man pages ----------------------------------------------------------------------------------

commands=$(s2flush --help | sed -n '/^  s2flush/q; s/^  \([a-z]*\) .*/\1/p')
check "commands: some" test "$(wc -w <<<"$commands")" -gt 15
lint() # FILE: nothing that a reader of man pages warns of
{
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$1" | grep -v 'missing date' >"$T/lint"
    else
        man --warnings -l "$1" 2>"$T/lint" >/dev/null
    fi
    [ ! -s "$T/lint" ]
}
page() # FILE: the page as text
{
    if command -v mandoc >/dev/null; then
        mandoc -T ascii "$1" | sed 's/.\x08//g'
    else
        MANPAGER=cat man -l "$1" | sed 's/.\x08//g'
    fi
}
if command -v mandoc >/dev/null || command -v man >/dev/null; then
    for command in $commands; do
        file=$P/share/man/man1/s2flush-$command.1
        check "man: $command" lint "$file"
        page "$file" >"$T/page"
        s2flush "$command" --help | grep -oE -- '--[a-z-]+' | sort -u >"$T/options"
        while read -r option; do
            check "man: $command $option" grep -qF -- "$option" "$T/page"
        done <"$T/options"
    done
    check "man: s2flush" lint "$P/share/man/man1/s2flush.1"
    page "$P/share/man/man1/s2flush.1" >"$T/page"
    for command in $commands; do
        check "man: s2flush names $command" grep -qF -- "s2flush-$command(1)" "$T/page"
    done
else
    echo "ok man # SKIP no man and no mandoc"
fi

# --- completion ---------------------------------------------------------------------------------

# What bash would offer for a line's last word.
# shellcheck disable=SC2016 # the script is bash's own
complete_bash()
{
    bash --norc -c 'source "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _s2flush 2>/dev/null; echo "${COMPREPLY[@]}"' \
        bash "$P/share/bash-completion/completions/s2flush" "$@"
}
offers() # WORDS, then the line
{
    local words=$1
    shift
    check "bash: $*" grep -qxF -- "$words" <(complete_bash "$@")
}
offers "run" s2flush ru
offers "--output=" s2flush run --ou
offers "--jobs=" s2flush breakeven --j
offers "csv" s2flush map --format = c
offers "kernels keys" s2flush list ke
offers "q10-what-decides" s2flush report q10
offers "neoverse-n1" s2flush explain -m neoverse-n
offers "footprint=" s2flush run --set footp
offers "csv" s2flush map --format = c
offers "report" s2flush manual rep
offers "reinit-lazy-vmall-toggle0" s2flush explain --strategy reinit-lazy-vmall-toggle0
offers "any-workload" s2flush advise any-w
check "complete: what stays of the word" test "$(s2flush --complete map --format=c)" = "$(printf -- '--format=\ncsv')"
check "complete: folders" test "$(s2flush --complete run -o x)" = "$(printf '\n:folders')"
check "complete: no such command" test -z "$(s2flush --complete nothing x)"
for command in $commands; do
    check "bash: options of $command" test \
        "$(complete_bash s2flush "$command" -- | tr ' ' '\n' | grep -c .)" -eq \
        "$(s2flush "$command" --help | grep -oE '^ +(-.,)? +--[a-z-]+' | wc -l)"
done
if command -v zsh >/dev/null; then
    check "zsh: reads it" zsh -n "$P/share/zsh/site-functions/_s2flush"
else
    echo "ok zsh # SKIP no zsh"
fi
if command -v fish >/dev/null; then
    fish --no-config -c "source $P/share/fish/vendor_completions.d/s2flush.fish
        complete -C 's2flush run --ou'; complete -C 's2flush list ke'
        complete -C 's2flush explain -m neoverse-n'" >"$T/out" 2>"$T/err"
    check "fish: an option" grep -q '^--output' "$T/out"
    check "fish: a word" grep -qx 'keys' "$T/out"
    check "fish: a name" grep -q '^neoverse-n1' "$T/out"
    check "fish: quiet" silent err
else
    echo "ok fish # SKIP no fish"
fi

# --- what is made anew --------------------------------------------------------------------------

refused "manual: nothing" "expected a command" manual
refused "manual: no such page" "did you mean report?" manual reprot

rc=0
make -s -C "$top" uninstall DESTDIR="$D" >"$T/out" 2>"$T/err" </dev/null || rc=$?
check "uninstall: nothing is left" test -z "$(find "$D" -type f)"
exit "$failed"
