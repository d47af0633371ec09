#!/usr/bin/env bash
# Boots small Linux kernels as KVM hosts under the detector, as they are and patched, each of which
# reboots guests: small ones, and Linux; counts in a second boot what each kernel does with the small
# ones; and sets beside both what the model says.
#
#   run.sh S2FLUSH DETECTOR VMM BOOT INIT DIRECTORY
#
# Boots that are done are kept, so that an interrupted run goes on where it was.
#
#   QUICK=1         three kernels: as it is, one patched, one control
#   POLICIES='a b'  those of ../../patches/policies.csv
#   GUESTS='a b'    of relocated, aliased, several, linux
#   PAGES='a b'     of thp (leaves of 2 MiB), 4k
#   SOURCE=file     of the kernels, see ../../patches/build.sh
#   QEMU=command    another QEMU
#
# DIRECTORY/linux.csv has the table. Status 0: detector and model say the same of each kernel and
# guest, all counts are equal, and the controls are caught. 1: not so. 2: something is missing.
set -euo pipefail

s2flush=$1 detector=$2 vmm=$3 boot=$4 init=$5 directory=$6
here=$(cd "$(dirname "$0")/.." && pwd)
patches=$here/../patches
most_seconds=${TIMEOUT:-600}
. "$here/verdicts.sh"

say() { echo "kvm-proof: $*" >&2; }
broken() { say "$*"; exit 1; }

command -v cpio >/dev/null || { say 'no cpio here: make deps-kvm'; exit 2; }
mkdir -p "$directory/linux" "$directory/../kvm-patched"
directory=$(cd "$directory" && pwd)
kernels=$(cd "$directory/../kvm-patched" && pwd)
detector=$(cd "$(dirname "$detector")" && pwd)/$(basename "$detector")
qemu=$("$here/qemu.sh" "$directory/qemu")
all=$(tail -n +2 "$patches/policies.csv" | cut -d, -f1)
[ "${QUICK:-}" = 1 ] && all='unmap reinit-lazy-vmall-toggle1 none'
policies=${POLICIES:-$all}
guests=${GUESTS:-relocated aliased several linux}
pages=${PAGES:-thp 4k}

# A file system of /init and others, each as FILE=PATH, in ARCHIVE; kept where it is the same.
pack() {
    local archive=$1 root=$directory/linux/root file
    shift
    rm -rf "$root"
    mkdir -p "$root/dev" "$root/guest"
    for file in "$init=/init" "$@"; do
        install -m 755 -p "${file%%=*}" "$root${file#*=}"
    done
    find "$root" -exec touch -d @0 {} +
    (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible) |
        gzip -1n >"$archive.new"
    cmp -s "$archive.new" "$archive" || mv "$archive.new" "$archive"
}

pack "$directory/linux/vmm.initrd" "$vmm=/vmm"

# The guest is the kernel as it is, whatever its host.
pack_guest() {
    "$patches/build.sh" "$kernels" unmap
    "$kernels/objects/scripts/dtc/dtc" -q -O dtb -o "$directory/linux/dtb" "$here/linux/guest.dts"
    pack "$directory/linux/guest" "$boot=/boot"
    pack "$directory/linux/boot.initrd" "$boot=/boot" "$kernels/image/unmap=/guest/Image" \
        "$directory/linux/guest=/guest/initrd" "$directory/linux/dtb=/guest/dtb"
}
case " $guests " in *' linux '*) pack_guest ;; esac

# The detector judges the first boot too, so the model does: its window begins there.
for guest in $guests; do
    sed '/^phase = boot1/a vmm = window' "$here/$guest.ini" >"$directory/linux/$guest.ini"
done

# One boot of what COMMAND, in that file system, does; NAME.log is the console. Time goes by
# instructions and no seed is given, so that each boot is as the last one; and there is one CPU, for
# QEMU tells its plugins of one only where CPUs run by turns.
boot() {
    local kernel=$1 command=$2 words=$3 name=$4 plugin=$5 initrd=$directory/linux/$2.initrd
    [ "$name.log" -nt "$kernel" ] && [ "$name.log" -nt "$detector" ] &&
        [ "$name.log" -nt "$initrd" ] && return
    rm -f "$name.log"
    timeout "$most_seconds" "$qemu" -M virt,virtualization=on,gic-version=3,dtb-randomness=off \
        -cpu neoverse-n1 -smp 1 -m 256 -nodefaults -display none -serial stdio -no-reboot \
        -accel tcg,thread=single -icount shift=1,sleep=off -kernel "$kernel" -initrd "$initrd" \
        -append "console=ttyAMA0 panic=-1 quiet -- /$command $words" \
        ${plugin:+-plugin "$plugin"} </dev/null 2>&1 | tr -d '\r' >"$name.new"
    grep -qx '=== probe ended with 0' "$name.new" && grep -qx end "$name.new" &&
        ! grep -q WRONG "$name.new" || broken "the emulated host did not come to its end, see $name.new"
    mv "$name.new" "$name.log"
}

# Watched, and counted.
boots() {
    local kernel=$1 guest=$2 page=$3 name=$4 options=$5
    local plugin="$detector,ram=40000000:10000000,report=$name.csv$options"
    if [ "$guest" = linux ]; then
        boot "$kernel" boot "$page" "$name" "$plugin"
        return
    fi
    boot "$kernel" vmm "$guest $page" "$name" "$plugin"
    [ -n "$options" ] || boot "$kernel" vmm "$guest $page count" "$name-counts" ''
}

# A report without what kernels do to themselves, which no policy has a part in: one line of their
# code, which they change as they boot, and what the host fetches at all.
of_policies() {
    awk -F, '$1 != "fetch" || !($2 ~ /^host/ || $2 == $9 && $5 == 1)' "$1"
}

# How many lines guests and the VMM may have got old, and the first of them by reader.
old_lines() {
    awk -F, '
        $1 ~ /^(data|fetch)$/ {
            lines += $5
            if (!first) first = $2 ": " $1 " at " $7 " from " $4 "; PC " $8 "; written by " $9
        }
        END { print lines + 0 "," first }' "$1"
}

# What kernels do to themselves: "guest (MMU on): 1 lines at PC, written at PC".
own_code() {
    { of_policies "$1" | diff - "$1" || true; } |
        awk -F, '/^>/ { print "    " $2 ": " $5 " line at " $8 ", written at " $10 }'
}

table=$directory/linux.csv
wrong=0
echo 'kernel,policy,patches,strategy,guest,page,detector,model,old_lines,first,cells_equal,cells,lines,model_lines,tlbi,model_tlbi,icache,model_icache,faults,model_faults' >"$table.new"
printf '%-25s %-9s %-5s %-13s %-13s %5s %8s %5s %5s %6s  %s\n' policy guest page detector model old \
    cleaned TLBI I-c. faults 'counts equal'

# A row of the table: policy, its strategy, guest, page.
row() {
    local policy=$1 strategy=$2 guest=$3 page=$4
    local name=$directory/linux/$1-$3-$4 patched release found model counts old note=
    local workload=$directory/linux/$3.ini
    local play=(-k 6.1 --set "backing=${page/thp/hugetlb}")
    boots "$kernels/image/$policy" "$guest" "$page" "$name" ''
    patched=$(sed -n "s/^$policy,[^,]*,//p" "$patches/policies.csv")
    release=$(sed -n 's/^=== kernel \([^ ]*\).*/\1/p' "$name.log")
    of_policies "$name.csv" >"$name.found"
    found=$(detected "$name.found")
    model=$(modelled "$workload" neoverse-n1 "$strategy" "${play[@]}") ||
        broken "the model does not play $guest by $strategy"
    counts=,,,,,,,,,
    [ "$guest" = linux ] ||
        counts=$("$s2flush" explain "$workload" -m neoverse-n1 -s "$strategy" "${play[@]}" \
            --study "$here/policies.ini" --exact --trace |
            awk -f "$here/linux/counts.awk" "$name-counts.log" - 2>"$name.differences")
    old=$(old_lines "$name.found")
    echo "$release,$policy,$patched,$strategy,$guest,$page,$found,$model,$old,$counts" >>"$table.new"
    IFS=, read -r equal cells lines _ tlbi _ icache _ faults _ <<<"$counts"
    [ "$found" = "$model" ] && [ "$equal" = "$cells" ] || { wrong=1; note='  DIFFERS'; }
    printf '%-25s %-9s %-5s %-13s %-13s %5s %8s %5s %5s %6s  %s of %s%s\n' "$policy" "$guest" "$page" \
        "$found" "$model" "${old%%,*}" "$lines" "$tlbi" "$icache" "$faults" "${equal:-none}" "${cells:-none}" "$note"
    [ -z "$note" ] || [ "$guest" = linux ] || sed 's/^/    /' "$name.differences"
}

for policy in $policies; do
    "$patches/build.sh" "$kernels" "$policy"
    strategy=$(sed -n "s/^$policy,\([^,]*\),.*/\1/p" "$patches/policies.csv")
    for guest in $guests; do
        for page in $pages; do
            row "$policy" "$strategy" "$guest" "$page"
        done
    done
done
mv "$table.new" "$table"

# A control that leaves the kernel as it is: its DC CIVAC count as not done.
"$patches/build.sh" "$kernels" unmap
name=$directory/linux/unmap-relocated-thp
boots "$kernels/image/unmap" relocated thp "$name" ''
boots "$kernels/image/unmap" relocated thp "$name-dc-off" ,dc=off
old=$(old_lines <(of_policies "$name-dc-off.csv"))
echo "unmap, its DC CIVAC taken as not done: ${old%%,*} lines old in relocated"
[ "${old%%,*}" -gt 0 ] || wrong=1
echo 'kernels that change their own code as they boot may fetch it old:'
for guest in $guests; do
    name=$directory/linux/unmap-$guest-${pages%% *}
    [ ! -e "$name.csv" ] || own_code "$name.csv"
done | sort -u
exit "$wrong"
