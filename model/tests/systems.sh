#!/bin/bash
# The tree from nothing on other systems: a minimal Debian in a folder for each, this commit cloned into it,
# `make deps run` and `make deps check` with gcc and with clang, `make deps` by a user without root, and the
# rows of studies by both compilers, which are the same to the last byte on all systems. None of it changes
# the clone.
#
#   systems.sh FOLDER [RELEASE[/ARCHITECTURE]...]     from the root of the tree, as root
#
# Without releases: bookworm and trixie of this architecture and, where qemu-user is registered for it, of
# arm64. Under an emulator the quick tests run, since all would take hours; each line says which.
#
# Environment: MIRROR    where packages come from (where this system's apt has them from)
#              APT_CONF  a file for the systems' own apt, for a proxy or the like
#              CHECK     check or check-quick, whatever the architecture
#              STUDIES   whose rows are compared, each STUDY or STUDY=DRAWS
#              CORES     what `taskset -c` takes: the checks run on these cores alone
# A system that is there already is used as it is. The last line is "N passed, N failed".
set -u
self=model/tests/systems.sh
[ -f "$self" ] || { echo "$self: run me from the root of the tree" >&2; exit 2; }
[ $# -ge 1 ] || { echo "usage: $self FOLDER [RELEASE[/ARCHITECTURE]...]" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "$self: found no root, expected root: it makes other systems' folders" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "$self: no debootstrap here: apt-get install debootstrap" >&2; exit 2; }

folder=$1
shift
own=$(dpkg --print-architecture)
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)}
[ -n "$mirror" ] || { echo "$self: apt names no Debian mirror here: set MIRROR" >&2; exit 2; }
if [ $# -eq 0 ]; then
    set -- bookworm trixie
    [ "$own" = arm64 ] || [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || set -- "$@" bookworm/arm64 trixie/arm64
fi

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
commit=$(git rev-parse HEAD) || exit 2
studies=${STUDIES:-first-light recorded=16 reference=16 any-workload q03-vcpus=2 q04-what-fwb-saves=4 q05-worst-pause=8}
# What the first system of this commit had, kept for those of a later call.
same=$folder/rows-$commit-$(cksum <<<"$studies" | tr -d ' ').csv
bound=${CORES:+taskset -c $CORES}
jobs=$([ -n "$bound" ] && echo 1 || nproc)
passed=0 failed=0

# inside ROOT COMMAND...: with the environment of a fresh login, and /proc, which compilers look at.
inside()
{
    local root=$1
    shift
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive \
        unshare --mount --pid --fork sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"
}

# make_system ROOT RELEASE ARCHITECTURE: a minimal one with git and make.
make_system()
{
    [ ! -e "$1/made" ] || return 0
    rm -rf "$1"
    debootstrap --variant=minbase --arch="$3" --include=ca-certificates,git,make "$2" "$1" "$mirror" || return 1
    [ -z "${APT_CONF:-}" ] || cp "$APT_CONF" "$1/etc/apt/apt.conf.d/99systems" || return 1
    cp /etc/resolv.conf "$1/etc/resolv.conf" 2>/dev/null
    : >"$1/made"
}

# step NAME COMMAND...: counts it, and shows what failed and the end of its output where it fails. All of it
# stays in $log.
step()
{
    local name=$1 out=$log.step rc=0
    shift
    "$@" >"$out" 2>&1 || rc=$?
    { echo "== $name"; cat "$out"; } >>"$log"
    if [ "$rc" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok $name: $(tail -n 1 "$out")"
    else
        failed=$((failed + 1))
        echo "not ok $name"
        { grep -E '^ *not ok|[1-9][0-9]* failed' "$out"; tail -n 20 "$out"; } | sed 's/^/    /'
    fi
    rm -f "$out"
    return "$rc"
}

# rows ROOT VARIANT [MAKE ARGUMENTS...]: the studies' rows as that build has them, for all systems to be
# compared with.
rows()
{
    local root=$1 variant=$2 study draws
    shift 2
    inside "$root" make -s -j "$jobs" -C /s2flush all "$@" || return 1
    : >"$folder/$variant.csv"
    for study in $studies; do
        case $study in *=*) draws="--set draws=${study#*=} --set shifts=1" ;; *) draws= ;; esac
        inside "$root" sh -c "cd /s2flush && rm -rf /rows && build/s2flush run ${study%=*} $draws -q -o /rows" || return 1
        cat "$root/rows/rows.csv" >>"$folder/$variant.csv"
    done
    [ -e "$same" ] || cp "$folder/$variant.csv" "$same"
    cmp "$folder/$variant.csv" "$same" &&
        echo "$(wc -l <"$folder/$variant.csv") rows, the same as on all before"
}

# without_root ROOT: `make deps` and a build by an ordinary user, in a copy of the clone.
without_root()
{
    inside "$1" sh -c 'id builder >/dev/null 2>&1 || useradd -m builder
        rm -rf /home/builder/s2flush && cp -a /s2flush /home/builder/ && chown -R builder /home/builder' &&
        inside "$1" setpriv --reuid=builder --regid=builder --clear-groups env HOME=/home/builder \
            sh -c 'cd ~/s2flush && test "$(id -u)" -ne 0 && make deps && make deps all && build/s2flush --version'
}

try_system()
{
    local release=${1%%/*} arch=$own name root check
    [ "$release" = "$1" ] || arch=${1#*/}
    name=$release-$arch root=$folder/$name log=$folder/$name.log
    check=${CHECK:-$([ "$arch" = "$own" ] && echo check || echo check-quick)}
    : >"$log"
    step "$name: a minimal system" make_system "$root" "$release" "$arch" || return
    rm -rf "$root/s2flush"
    git clone -q . "$root/s2flush" && git -C "$root/s2flush" checkout -q "$commit" || return
    step "$name: make deps run" inside "$root" make -j "$jobs" -C /s2flush deps run
    step "$name: make deps $check" inside "$root" $bound make -j "$jobs" -C /s2flush deps "$check"
    step "$name: rows by gcc" rows "$root" "$name-gcc"
    step "$name: make deps without root" without_root "$root"
    step "$name: make deps-lint CC=clang $check" inside "$root" $bound make -j "$jobs" -C /s2flush deps deps-lint "$check" \
        CC=clang &&
        step "$name: rows by clang" rows "$root" "$name-clang" CC=clang
    step "$name: a clone that is as it was" inside "$root" \
        sh -c 'cd /s2flush && test -z "$(git -c safe.directory=* status --porcelain)" && echo clean'
}

for old in "$folder"/rows-*.csv; do
    [ "$old" = "$same" ] || rm -f "$old"
done
for system in "$@"; do
    try_system "$system"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
