/*
 * study_memo - the section [memo] of a study: what its memo is to answer.
 *
 *   metric       by which strategies are compared (added_boot)
 *   breakeven    the axis along which break-even points are looked for
 *   map          the two axes of the decision map: x, y
 *   case         the one situation of the answer: axis=value axis=value ...
 *   by           an axis: an answer for each of its values
 *   compare      the two strategies that the break-even is about: A, B
 *   sensitivity  whether the memo tells which costs decide
 *   what_if      also strategies that need hardware that the machine lacks
 *
 * The same settings are the defaults of `breakeven`, `map` and `sensitivity`.
 */
#ifndef S2FLUSH_STUDY_STUDY_MEMO_H
#define S2FLUSH_STUDY_STUDY_MEMO_H

#include "core/option.h"

#define STUDY_MEMO_KEYS 8

struct study;

struct study_memo {
    bool given; /* the study has such a section */
    char metric[64], breakeven[64], map[160], situation[512], by[64], compare[160];
    bool sensitivity, what_if;
    unsigned line[STUDY_MEMO_KEYS]; /* of each key, in the table's order; 0: not given */
};

extern const struct option study_memo_options[];

void study_memo_defaults(struct study_memo *memo);

/* One line of the section. */
bool study_memo_set(struct study_memo *memo, const char *name, const char *value,
                    const struct place *at, struct error *err);

/* Whether what the section names is in the study. Axes whose values the command
 * line changed may have lost the value that `case` names. */
bool study_memo_check(const struct study *study, struct error *err);

/* The value that `case` gives to an axis, by index; SIZE_MAX: none, or one that
 * the axis has not. */
size_t study_memo_case(const struct study *study, size_t axis);

/* The two names of "A, B"; false where it is no pair of words of at most 63
 * characters. */
bool study_memo_pair(const char *text, char first[64], char second[64]);

#endif
