/*
 * study_memo - the section [memo] of a study: what its memo is to answer.
 *
 *   about        what the answer says
 *   metric       by which strategies are compared (added_boot)
 *   breakeven    the axis along which break-even points are looked for
 *   map          the two axes of the decision map: x, y
 *   case         the one situation of the answer: axis=value axis=value ...
 *   by           axes: an answer for each of their values
 *   compare      the two strategies that the break-even is about: A, B
 *   sensitivity  whether the memo tells which costs decide: no, in its own case
 *                (yes) or in all scenarios of the study
 *   also         metrics that stand beside the answer: A, B, ...
 *   targets      limits of the metric: which values of the break-even axis keep them
 *   what_if      also strategies that need hardware that the machine lacks
 *
 * The same settings are the defaults of `breakeven`, `map` and `sensitivity`.
 */
#ifndef S2FLUSH_STUDY_STUDY_MEMO_H
#define S2FLUSH_STUDY_STUDY_MEMO_H

#include "core/option.h"

struct error;
struct source_location;

#define STUDY_MEMO_KEYS 11
#define STUDY_MEMO_LIST 8 /* entries of a list */

struct study;

#define MEMO_ABOUT_CHOICES(X)                                                             \
    X(MEMO_ABOUT_CHOICE, "choice", "which strategy costs least")                          \
    X(MEMO_ABOUT_LIMITS, "limits", "which values of the axis keep `targets`")             \
    X(MEMO_ABOUT_READERS, "readers", "who reads stale bytes, and then which costs least") \
    X(MEMO_ABOUT_SHARES, "shares", "what takes which share of the metric")                \
    X(MEMO_ABOUT_COSTS, "costs", "which cost decides")                                    \
    X(MEMO_ABOUT_ONE, "one", "how the first of `compare` does against all others")
CHOICE_ENUM(memo_about, MEMO_ABOUT_CHOICES);

#define MEMO_SENSITIVITY_CHOICES(X)                    \
    X(MEMO_SENSITIVITY_NO, "no", "it does not say")    \
    X(MEMO_SENSITIVITY_CASE, "yes", "in its own case") \
    X(MEMO_SENSITIVITY_ALL, "all", "in all scenarios")
CHOICE_ENUM(memo_sensitivity, MEMO_SENSITIVITY_CHOICES);

struct study_memo {
    bool given; /* the study has such a section */
    enum memo_about about;
    char metric[64], breakeven[64], map[160], situation[512], by[64], compare[160];
    char also[256], targets[160];
    enum memo_sensitivity sensitivity;
    bool what_if;
    unsigned line[STUDY_MEMO_KEYS]; /* of each key, in the table's order; 0: not given */
};

extern const struct option_row study_memo_options[];

void study_memo_defaults(struct study_memo *memo);

/* One line of the section. */
bool study_memo_set(struct study_memo *memo, const char *name, const char *value,
                    const struct source_location *at, struct error *err);

/* Whether what the section names is in the study. Axes whose values the command
 * line changed may have lost the value that `case` names. */
bool study_memo_check(const struct study *study, struct error *err);

/* The value that `case` gives to an axis, by index; SIZE_MAX: none, or one that
 * the axis has not. */
size_t study_memo_case(const struct study *study, size_t axis);

/* The two names of "A, B"; false where it is no pair of words of at most 63
 * characters. */
bool study_memo_pair(const char *text, char first[64], char second[64]);

/* The words of "A, B, C", at most STUDY_MEMO_LIST; returns how many there are, and
 * 0 where it is no such list. */
size_t study_memo_list(const char *text, char words[STUDY_MEMO_LIST][64]);

/* Whether `by` names the axis. */
bool study_memo_by(const struct study_memo *memo, const char *axis);

/* The limits that `targets` lists, in ns. */
size_t study_memo_targets(const struct study_memo *memo, double limits[STUDY_MEMO_LIST]);

#endif
