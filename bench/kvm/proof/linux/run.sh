#!/usr/bin/env bash
# Boots small Linux kernels as KVM hosts under the detector, as they are and patched, each of which
# reboots the guests of guests.csv; counts in a second boot what each kernel does, where the VMM is ours;
# and sets beside both what the model says.
#
#   run.sh S2FLUSH DETECTOR VMM BOOT QEMU GUEST INIT DIRECTORY
#
# Boots that are done are kept, so that an interrupted run goes on where it was.
#
#   QUICK=1         three kernels (as it is, one patched, one control), without the guests of QEMU
#   POLICIES='a b'  those of ../../patches/policies.csv
#   GUESTS='a b'    of guests.csv
#   PAGES='a b'     of thp (leaves of 2 MiB), 4k
#   RULES=1         then leaves each rule of the detector out, and says for which policies that changes what is
#                   found in the guest linux
#   KERNEL=file     the guest of QEMU, in place of Debian's
#   SOURCE=file     of the kernels, see ../../patches/build.sh
#   QEMU=command    another QEMU
#   TIMEOUT=600     seconds of processor time for a boot, and ten times as many by the clock
#
# DIRECTORY/linux.csv has the table, linux-counts.csv what was counted of the small guests. Status 0:
# detector and model say the same of each kernel and guest, all counts are equal, and the controls are
# caught. 1: not so. 2: something is missing.
set -euo pipefail

s2flush=$1 detector=$2 vmm=$3 boot=$4 vmm_qemu=$5 last=$6 init=$7 directory=$8
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
guests=${GUESTS:-$(awk -F, -v quick="${QUICK:-}" 'NR > 1 && (quick != 1 || $3 != "qemu") { print $1 }' \
    "$here/linux/guests.csv")}
pages=${PAGES:-thp 4k}

# A file system of /init and others, each as FILE=PATH, in ARCHIVE; kept where it is the same. It is not
# compressed: emulated kernels would spend more on that than on their own start.
pack() {
    local archive=$1 root=$directory/linux/root file
    shift
    rm -rf "$root"
    mkdir -p "$root/dev"
    for file in "$init=/init" "$@"; do
        install -D -m 755 "${file%%=*}" "$root${file#*=}"
    done
    find "$root" -exec touch -d @0 {} +
    (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible) >"$archive.new"
    cmp -s "$archive.new" "$archive" || mv "$archive.new" "$archive"
}

column() { sed -n "s/^$1,//p" "$here/linux/guests.csv" | cut -d, -f"$2"; }
# Not -q, which would end before the others have written, and their failure would count.
runs() { for guest in $guests; do column "$guest" 2; done | grep -x "$1" >/dev/null; }

# The guest is the kernel as it is, whatever its host.
pack_boot() {
    "$patches/build.sh" "$kernels" unmap
    "$kernels/objects/scripts/dtc/dtc" -q -O dtb -o "$directory/linux/dtb" "$here/linux/guest.dts"
    sed 's/0xc\(.[04]00000\)/0x4\1/' "$here/linux/guest.dts" |
        "$kernels/objects/scripts/dtc/dtc" -q -O dtb -o "$directory/linux/next.dtb" -
    pack "$directory/linux/reboot" "$last=/guest"
    pack "$directory/linux/boot.initrd" "$boot=/boot" "$kernels/image/unmap=/guest/Image" \
        "$directory/linux/reboot=/guest/initrd" "$directory/linux/dtb=/guest/dtb"
}

# Here it is Debian's; what it boots by kexec is the small one.
pack_qemu() {
    local debian file libraries=()
    pack_boot
    "$here/linux/qemu.sh" "$directory/arm64"
    debian=${KERNEL:-$("$here/../emulate/kernel.sh" "$directory/../kvm")}
    pack "$directory/linux/kexec" "$last=/guest" "$kernels/image/unmap=/next/Image" \
        "$directory/linux/reboot=/next/initrd" "$directory/linux/next.dtb=/next/dtb"
    for file in "$directory"/arm64/vmm/*; do
        libraries+=("$file=/vmm/${file##*/}")
    done
    pack "$directory/linux/qemu.initrd" "$vmm_qemu=/qemu" "$debian=/guest/Image" \
        "$directory/linux/reboot=/guest/reboot" "$directory/linux/kexec=/guest/kexec" \
        "$directory/arm64/efi.fd=/guest/efi.fd" \
        "${libraries[@]}"
}

pack "$directory/linux/vmm.initrd" "$vmm=/vmm"
for program in boot qemu; do
    ! runs "$program" || "pack_$program"
done

# One boot of what COMMAND, in that file system, does; NAME.log is the console. Time goes by
# instructions and no seed is given, so that each boot is as the last one; and there is one CPU, for
# QEMU tells its plugins of one only where CPUs run by turns.
boot() {
    local kernel=$1 command=$2 words=$3 mib=$4 name=$5 plugin=$6 initrd=$directory/linux/$2.initrd
    [ "$name.log" -nt "$kernel" ] && [ "$name.log" -nt "$detector" ] &&
        [ "$name.log" -nt "$initrd" ] && return
    rm -f "$name.log"
    (
        ulimit -t "$most_seconds"
        exec timeout $((10 * most_seconds)) "$qemu" -M virt,virtualization=on,gic-version=3,dtb-randomness=off \
            -cpu neoverse-n1 -smp 1 -m "$mib" -nodefaults -display none -serial stdio -no-reboot \
            -accel tcg,thread=single -icount shift=1,sleep=off -kernel "$kernel" -initrd "$initrd" \
            -append "console=ttyAMA0 panic=-1 quiet -- /$command $words" \
            ${plugin:+-plugin "$plugin"} </dev/null 2>&1
    ) | tr -d '\r' >"$name.new" || true
    grep -qx '=== probe ended with 0' "$name.new" && grep -qx end "$name.new" &&
        ! grep -q WRONG "$name.new" || broken "the emulated host did not come to its end, see $name.new"
    mv "$name.new" "$name.log"
}

# Watched, and counted.
boots() {
    local kernel=$1 guest=$2 page=$3 name=$4 options=$5 program words mib
    program=$(column "$guest" 2) mib=$(column "$guest" 5)
    words="$page $(column "$guest" 3)"
    [ "$program" != vmm ] || words="$guest $page"
    boot "$kernel" "$program" "$words" "$mib" "$name" \
        "$detector,ram=40000000:$(printf %x "$((mib << 20))"),report=$name.csv$options"
    [ "$program" = qemu ] || [ -n "$options" ] ||
        boot "$kernel" "$program" "${words% } count" "$mib" "$name-counts" ''
}

# A guest's report, whole, without what kernels do to themselves, which no policy has a part in: so many lines
# of its code as guests.csv says, which it changes as it boots; and what the host fetches at all.
of_policies() {
    [ "$(sed -n '1s/,.*//p; $s/^count,UNTRANSLATED,.*/whole/p' "$1" | tr '\n' ' ')" = 'what whole ' ] ||
        broken "$1 is no report of the detector"
    awk -F, -v own="$(column "$2" 4)" \
        '$1 != "fetch" || !($2 ~ /^host/ || $2 == $9 && $5 <= own)' "$1"
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
    { of_policies "$1" "$2" | diff - "$1" || true; } |
        awk -F, '/^>/ { print "    " $2 ": lines " $5 ", at " $8 ", written at " $10 }'
}

table=$directory/linux.csv
wrong=0 boots=()
echo 'kernel,policy,patches,strategy,guest,page,detector,model,old_lines,first,cells_equal,cells,lines,model_lines,tlbi,model_tlbi,icache,model_icache,faults,model_faults' >"$table.new"
printf '%-25s %-9s %-5s %-13s %-13s %5s %8s %5s %5s %6s  %s\n' policy guest page detector model old \
    cleaned TLBI I-c. faults 'counts equal'

# What Linux touched in a boot that counted, as a workload. A policy that keeps mappings leaves no trace of what
# is touched again, but that makes no count either: all that the first boot touched is put there.
traced() {
    local name=$1 page=$2 kernel=$3 trace=$1-counts.log reset
    reset=$(sed -n 's/.* \([0-9.]*\): kvm_userspace_exit: .*SYSTEM_EVENT.*/\1/p' "$trace" | head -n 1)
    if grep -qx 'count reset1 unmap_vm_calls 0' "$trace"; then
        awk '
            /: kvm_guest_fault: / && !reset { fault[++faults] = $0 }
            { print }
            /: kvm_userspace_exit: .*SYSTEM_EVENT/ && !reset {
                match($0, / [0-9]+\.[0-9]+: kvm_/)
                reset = substr($0, RSTART, RLENGTH)
                for (i = 1; i <= faults; i++) {
                    sub(/ [0-9]+\.[0-9]+: kvm_/, reset, fault[i])
                    print fault[i]
                }
            }' "$trace" >"$name.trace"
        trace=$name.trace
    fi
    "$s2flush" import "$trace" -o "$name-touched" -k "$kernel" --memory 64M --ram-ipa 3G --backing "$page" \
        --reinit-at "$reset" >"$name.imported" 2>&1 || broken "$trace can't be imported, see $name.imported"
}

# A guest's counts and the model's.
counts_of() {
    local guest=$1 page=$2 kernel=$3 strategy=$4 name=$5
    shift 5
    awk '$1 == "count"' "$name-counts.log" >"$name.counts"
    if [ "$(column "$guest" 2)" = boot ]; then
        traced "$name" "$page" "$kernel"
        set -- "$name-touched.ini" -k "$kernel"
    fi
    counted "$name.counts" "$1" "$strategy" "${@:2}" 2>"$name.differences"
}

# A row of the table: policy, its strategy, guest, page.
row() {
    local policy=$1 strategy=$2 guest=$3 page=$4
    local name=$directory/linux/$1-$3-$4 patched release found model counts old note= play
    boots "$kernels/image/$policy" "$guest" "$page" "$name" ''
    patched=$(sed -n "s/^$policy,[^,]*,//p" "$patches/policies.csv")
    release=$(sed -n 's/^=== kernel \([^ ]*\).*/\1/p' "$name.log" | head -n 1)
    read -ra play <<<"$(workload_of "$guest" "$page" "$release" "$directory/linux")"
    of_policies "$name.csv" "$guest" >"$name.found"
    found=$(detected "$name.found")
    model=$(modelled "${play[0]}" neoverse-n1 "$strategy" "${play[@]:1}") ||
        broken "the model does not play $guest by $strategy"
    counts=,,,,,,,,,
    [ "$(column "$guest" 2)" = qemu ] ||
        counts=$(counts_of "$guest" "$page" "$release" "$strategy" "$name" "${play[@]}")
    [ "$(column "$guest" 2)" != vmm ] || boots+=("$name.counts")
    old=$(old_lines "$name.found")
    echo "$release,$policy,$patched,$strategy,$guest,$page,$found,$model,$old,$counts" >>"$table.new"
    IFS=, read -r equal cells lines _ tlbi _ icache _ faults _ <<<"$counts"
    agree "$found" "$model" && [ "$equal" = "$cells" ] || { wrong=1; note='  DIFFERS'; }
    printf '%-25s %-9s %-5s %-13s %-13s %5s %8s %5s %5s %6s  %s of %s%s\n' "$policy" "$guest" "$page" \
        "$found" "$model" "${old%%,*}" "$lines" "$tlbi" "$icache" "$faults" "${equal:-none}" "${cells:-none}" "$note"
    [ -z "$note" ] || [ -z "${cells:-}" ] || sed 's/^/    /' "$name.differences"
}

for policy in $policies; do
    "$patches/build.sh" "$kernels" "$policy"
    strategy=$(sed -n "s/^$policy,\([^,]*\),.*/\1/p" "$patches/policies.csv")
    for guest in $guests; do
        for page in $(column "$guest" 1); do
            [[ " $pages " != *" $page "* ]] || row "$policy" "$strategy" "$guest" "$page"
        done
    done
done
mv "$table.new" "$table"
[ "${#boots[@]}" -eq 0 ] ||
    awk -f "$here/linux/counts_table.awk" "${boots[@]}" >"$directory/linux-counts.csv"

# A control that leaves the kernel as it is: its DC CIVAC count as not done.
"$patches/build.sh" "$kernels" unmap
name=$directory/linux/unmap-relocated-thp
boots "$kernels/image/unmap" relocated thp "$name" ''
boots "$kernels/image/unmap" relocated thp "$name-dc-off" ,dc=off
old=$(old_lines <(of_policies "$name-dc-off.csv" relocated))
echo "unmap, its DC CIVAC taken as not done: ${old%%,*} lines old in relocated"
[ "${old%%,*}" -gt 0 ] || wrong=1
echo 'kernels that change their own code as they boot may fetch it old:'
for guest in $guests; do
    name=$directory/linux/unmap-$guest-${pages%% *}
    [ ! -e "$name.csv" ] || own_code "$name.csv" "$guest"
done | sort -u

if [ "${RULES:-}" = 1 ]; then
    echo
    for rule in $(grep -oE 'X\([A-Z_]+,' "$here/shadow.h" | sed 's|^X(||; s|,||'); do
        changed=
        for policy in $policies; do
            name=$directory/linux/$policy-linux-thp
            boots "$kernels/image/$policy" linux thp "$name-without-$rule" ",without=$rule"
            found=$(detected <(of_policies "$name-without-$rule.csv" linux))
            [ "$found" = "$(detected <(of_policies "$name.csv" linux))" ] || changed+="$policy ($found) "
        done
        printf 'without %-12s %s\n' "$rule" "${changed:-nothing changes}"
    done
fi
exit "$wrong"
