#!/bin/bash
# `make deps` where there is neither root nor sudo: it says what to install, and goes on where all is there.
set -u
# shellcheck source=model/tests/cases.sh
. "$(dirname "$0")/cases.sh"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "ok deps without root # SKIP no apt"
    exit 0
fi

# The programs that it needs and no others; who runs it is no root.
mkdir "$T/bin"
for tool in sh make git uname dpkg-query apt-get grep cat; do
    ln -s "$(command -v "$tool")" "$T/bin/"
done
printf '#!/bin/sh\necho 1000\n' >"$T/bin/id"
chmod +x "$T/bin/id"

# deps PACKAGES: leaves stdout, stderr and the status in $T/out, $T/err, $rc.
deps()
{
    rc=0
    env -u MAKEFLAGS -u MAKELEVEL PATH="$T/bin" make deps DEPS="$1" SANITIZE= VALGRIND= >"$T/out" 2>"$T/err" </dev/null || rc=$?
}

deps "libc6 no-such-package"
check "deps without root: status" is "$rc" 2
check "deps without root: what to install" says err "As root: apt-get install no-such-package"
check "deps without root: nothing is tried" silent out
deps "libc6"
check "deps without root: goes on where all is there" is "$rc" 0
exit "$failed"
