#!/bin/bash
# An enumeration of CHOICE_ENUM has a word for each value, or the compiler refuses it; and a switch
# that lacks one of its values is refused too.
set -u
# shellcheck source=model/tests/cases.sh
. model/tests/cases.sh

# compiles NAME yes|no LIST [CASES]: a program with that list of choices.
compiles()
{
    local name=$1 want=$2 list=$3 cases=${4:-case A: return 1; case B: return 2;} got=no
    cat >"$T/try.c" <<END
#include "core/option.h"
#define LIST(X) $list
CHOICE_ENUM(letter, LIST);
extern const struct choice *letters;
const struct choice *letters = CHOICES_OF(LIST);
int place(enum letter letter);
int place(enum letter letter)
{
    switch (letter) { $cases }
    return 0;
}
END
    "${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -Imodel -fsyntax-only "$T/try.c" >"$T/out" 2>"$T/err" && got=yes
    check "$name" is "$got" "$want"
}

compiles "a list of choices" yes 'X(A, "a", "first") X(B, "b", "second")'
compiles "a value without its word" no 'X(A, "a", "first") X(B)'
compiles "a value without its help" no 'X(A, "a", "first") X(B, "b")'
compiles "a word without its value" no 'X(A, "a", "first") X(B, "b", "second") X("c", "third")'
compiles "a switch without one of the values" no \
    'X(A, "a", "first") X(B, "b", "second") X(C, "c", "third")'
exit $failed
