#!/usr/bin/env bash
# Writes patches in mail form, one for each row of series.csv, whose messages carry what was counted
# and found and what is predicted.
#
#   series.sh KERNELS TABLE ROWS DIRECTORY CONTROL...
#
# KERNELS is where build.sh built the policies of series.csv; TABLE is the run of ../proof/linux that
# watched them; ROWS are a study's, with the same strategies; each CONTROL is a policy that has to be
# caught. The sender is git's user; who sends the mails signs them off (git am --signoff).
#
# Status 1: a kernel of the series reads old bytes, a control reads none, a patch is empty, or the
# kernel's checkpatch.pl finds something. 2: something is missing.
set -euo pipefail

kernels=$(cd "$1" && pwd) table=$2 rows=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$4"
directory=$(cd "$4" && pwd)
tree=$directory/tree
shift 4

say() { echo "kvm-series: $*" >&2; }
command -v git >/dev/null || { say 'no git here'; exit 2; }

# How many runs of a policy read old bytes, of how many.
old_runs() {
    awk -F, -v policy="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
        $column["policy"] == policy { all++; old += $column["old_lines"] > 0 }
        END { print old + 0, all + 0 }' "$table"
}

in_tree() {
    GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' \
        GIT_CONFIG_NOSYSTEM=1 git -C "$tree" "$@"
}

name=$(git config user.name || echo s2flush)
address=$(git config user.email || echo s2flush@localhost)
for control in "$@"; do
    read -r old all <<<"$(old_runs "$control")"
    [ "$all" -gt 0 ] || { say "$table has no run of $control"; exit 2; }
    [ "$old" -gt 0 ] || { say "the control $control is not caught in any of $all runs"; exit 1; }
done

rm -rf "$tree" "$directory"/*.patch
mkdir -p "$tree/arch/arm64"
cp -R "$kernels/original/." "$tree/arch/arm64/"
in_tree init -q -b series
in_tree config user.name "$name"
in_tree config user.email "$address"
in_tree add -A
in_tree commit -q -m "linux $(cat "$kernels/release")"
while IFS=, read -r patch policy before; do
    read -r old all <<<"$(old_runs "$policy")"
    [ "$all" -gt 0 ] || { say "$table has no run of $policy"; exit 2; }
    [ "$old" -eq 0 ] || { say "$policy reads old bytes in $old of $all runs"; exit 1; }
    rm -r "$tree/arch"
    mkdir -p "$tree/arch/arm64"
    cp -R "$kernels/original/." "$tree/arch/arm64/"
    (cd "$tree/arch/arm64" && patch -s -p1 <"$kernels/changes/$policy.diff")
    {
        cat "$here/$patch.txt"
        awk -v policy="$policy" -v before="$before" -f "$here/series.awk" "$table" "$rows"
    } >"$directory/message"
    in_tree add -A
    in_tree commit -q -F "$directory/message" || { say "$patch changes nothing"; exit 1; }
done < <(tail -n +2 "$here/series.csv")

{
    cat "$here/series.txt"
    awk -v policy=all -f "$here/series.awk" "$table" "$rows"
} >"$directory/message"
in_tree config branch.series.description "$(cat "$directory/message")"
in_tree format-patch -q --cover-letter --cover-from-description=subject --no-signature \
    --subject-prefix="PATCH linux-$(cat "$kernels/release")" \
    -o "$directory" "$(in_tree rev-list --max-parents=0 HEAD)"
rm "$directory/message"
"$kernels/source/scripts/checkpatch.pl" --no-tree --no-signoff --terse --no-summary \
    "$directory"/000[1-9]*.patch >&2 || { say 'checkpatch.pl has found something'; exit 1; }

# What was written is what was built.
in_tree checkout -q "$(in_tree rev-list --max-parents=0 HEAD)"
in_tree -c advice.detachedHead=false am -q "$directory"/000[1-9]*.patch
policy=$(tail -n 1 "$here/series.csv" | cut -d, -f2)
cp -R "$kernels/original" "$directory/built"
(cd "$directory/built" && patch -s -p1 <"$kernels/changes/$policy.diff")
diff -r "$tree/arch/arm64" "$directory/built" >&2 || { say 'the mails are not what was built'; exit 1; }
rm -rf "$tree" "$directory/built"
ls "$directory"/*.patch
