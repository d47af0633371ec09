#!/bin/bash
# The tree from nothing on other systems: a minimal Debian in a folder for each, this commit cloned into it,
# `make deps run` and `make deps check` with gcc and with clang, `make deps` by a user without root, and the
# rows of studies by both compilers, which are the same to the last byte on all systems. None of it changes
# the clone.
#
#   systems.sh FOLDER [RELEASE[/ARCHITECTURE]...]     from the root of the tree, as root
#
# Without releases: bookworm and trixie, of this architecture and of arm64. On another machine than arm64 the
# release's cross compilers compile for it, against the release's arm64 libraries, and qemu-user runs what they
# made: the quick tests, since all would take hours, and the same rows.
#
# Environment: MIRROR    where packages come from (where this system's apt has them from)
#              APT_CONF  a file for the systems' own apt, for a proxy or the like
#              CHECK     check or check-quick, in place of check (of check-quick under qemu-user)
#              STUDIES   whose rows are compared, each STUDY or STUDY=DRAWS
#              CORES     what `taskset -c` takes: the checks run on these cores alone
# A system that is there already is used as it is, with ccache if that was installed into it.
# The last line is "N passed, N failed".
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
    [ "$own" = arm64 ] || set -- "$@" bookworm/arm64 trixie/arm64
fi
for system in "$@"; do
    case $system in
    *"/$own" | */arm64) ;;
    */*) echo "$self: found $system, expected RELEASE/$own or RELEASE/arm64" >&2; exit 2 ;;
    esac
done

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
    env -i PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin CCACHE_DIR=/var/cache/ccache LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive \
        unshare --mount --pid --fork sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"
}

# make_system ROOT RELEASE: a minimal one with git and make.
make_system()
{
    [ ! -e "$1/made" ] || return 0
    rm -rf "$1"
    debootstrap --variant=minbase --include=ca-certificates,git,make "$2" "$1" "$mirror" || return 1
    [ -z "${APT_CONF:-}" ] || cp "$APT_CONF" "$1/etc/apt/apt.conf.d/99systems" || return 1
    cp /etc/resolv.conf "$1/etc/resolv.conf" 2>/dev/null
    : >"$1/made"
}

# cross_deps ROOT: compilers for arm64, the program's libraries as arm64 has them, and qemu-user.
cross_deps()
{
    local libraries
    libraries=$(make -s --eval='libraries: ; @printf "%s:arm64\\n" $(filter lib%,$(DEPS)) libgomp1 libomp-dev' libraries) || return 1
    # shellcheck disable=SC2086 # one word for each package
    inside "$1" dpkg --add-architecture arm64 && inside "$1" apt-get -q -q update &&
        inside "$1" apt-get -q -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
            gcc-aarch64-linux-gnu clang qemu-user $libraries >/dev/null && echo "$libraries" | xargs
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

# rows ROOT VARIANT PROGRAM [MAKE ARGUMENTS...]: the studies' rows as that build has them, for all systems to
# be compared with.
rows()
{
    local root=$1 variant=$2 program=$3 study draws
    shift 3
    inside "$root" make -s -j "$jobs" -C /s2flush "$program" "$@" || return 1
    : >"$folder/$variant.csv"
    for study in $studies; do
        case $study in *=*) draws="--set draws=${study#*=} --set shifts=1" ;; *) draws= ;; esac
        inside "$root" $bound sh -c "cd /s2flush && rm -rf /rows && $program run ${study%=*} $draws -q -o /rows" || return 1
        cat "$root/rows/rows.csv" >>"$folder/$variant.csv"
    done
    [ -e "$same" ] || cp "$folder/$variant.csv" "$same"
    cmp "$folder/$variant.csv" "$same" &&
        echo "$(wc -l <"$folder/$variant.csv") rows, the same as on all before"
}

# without_root ROOT: an ordinary user, in a copy of the clone, reads which packages are missing, and where all are
# there builds the program.
without_root()
{
    inside "$1" sh -c 'id builder >/dev/null 2>&1 || useradd -m builder
        rm -rf /home/builder/s2flush && cp -a /s2flush /home/builder/ && chown -R builder /home/builder' &&
        inside "$1" setpriv --reuid=builder --regid=builder --clear-groups env HOME=/home/builder \
            sh -c 'cd ~/s2flush && test "$(id -u)" -ne 0 && { make deps-coverage 2>&1 || :; } | grep "As root: apt-get install gcovr" &&
                make deps && make deps all && build/s2flush --version'
}

# as_it_was ROOT: what was built and tested changed nothing in the clone.
as_it_was()
{
    inside "$1" sh -c 'cd /s2flush && test -z "$(git -c safe.directory=* status --porcelain)" && echo clean'
}

# try_native NAME ROOT: all of it, with either compiler.
try_native()
{
    local name=$1 root=$2 check=${CHECK:-check}
    step "$name: make deps run" inside "$root" make -j "$jobs" -C /s2flush deps run
    step "$name: make deps $check" inside "$root" $bound make -j "$jobs" -C /s2flush deps "$check"
    step "$name: rows by gcc" rows "$root" "$name-gcc" build/s2flush
    step "$name: make deps without root" without_root "$root"
    step "$name: make deps-lint CC=clang $check" inside "$root" $bound make -j "$jobs" -C /s2flush deps deps-lint "$check" \
        CC=clang &&
        step "$name: rows by clang" rows "$root" "$name-clang" build/s2flush CC=clang
}

# try_emulated NAME ROOT: compiled for arm64 by either compiler, and run by qemu-user.
try_emulated()
{
    local name=$1 root=$2 check=${CHECK:-check-quick} compiler
    step "$name: compilers, libraries and qemu-user" cross_deps "$root" || return
    for compiler in aarch64-linux-gnu-gcc 'clang --target=aarch64-linux-gnu'; do
        set -- CC="$compiler" B="build/arm64-${compiler%% *}" EMULATOR=qemu-aarch64
        step "$name: $compiler, qemu-user, make $check" inside "$root" $bound make -j "$jobs" -C /s2flush "$check" "$@" &&
            step "$name: $compiler, qemu-user, rows" rows "$root" "$name-${compiler%% *}" \
                "build/arm64-${compiler%% *}/emulated" "$@"
    done
}

try_system()
{
    local release=${1%%/*} arch=$own name root
    [ "$release" = "$1" ] || arch=${1#*/}
    name=$release-$arch root=$folder/$name log=$folder/$name.log
    : >"$log"
    step "$name: a minimal system" make_system "$root" "$release" || return
    rm -rf "$root/s2flush"
    git clone -q . "$root/s2flush" && git -C "$root/s2flush" checkout -q "$commit" || return
    if [ "$arch" = "$own" ]; then
        try_native "$name" "$root"
    else
        try_emulated "$name" "$root"
    fi
    step "$name: a clone that is as it was" as_it_was "$root"
}

for old in "$folder"/rows-*.csv; do
    [ "$old" = "$same" ] || rm -f "$old"
done
for system in "$@"; do
    try_system "$system"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
