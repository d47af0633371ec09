/*
 * study - a study file: many points as the product of axes.
 *
 *   [study]          name, title, question, fidelity, seed, draws, shifts ...
 *   [axes]           one axis a line: `key = list or range` (study/values.h)
 *   [set]            key = value, the same for all points
 *   [strategy NAME]  a strategy of the study's own, from a base on (kvm/strategy.h)
 *   [memo]           what its memo answers (study/study_memo.h)
 *
 * An axis is one of workload, machine, kernel, strategy, or any key of a
 * workload, or the name of a machine's cost. Where an axis of the first four is
 * missing it has one value (strategy: all built-in rows and the file's own) and
 * stands before the others, so that every table has those columns. The points
 * come in the order of the axes, the last one fastest.
 */
#ifndef S2FLUSH_STUDY_STUDY_H
#define S2FLUSH_STUDY_STUDY_H

#include "study/draws.h"
#include "study/setup.h"
#include "study/study_memo.h"
#include "study/values.h"

struct error;

#define STUDY_AXES 16
#define STUDY_SETTINGS 64
#define STUDY_STRATEGIES 32
#define STUDY_POINTS 200000

/* As a strategy: every row, built-in or the study's own, that exists and is coherent without a
 * condition somewhere in the study, and what Linux does. */
#define STUDY_RULE "coherent"
#define STUDY_RULED 96 /* strategies where it is used, before it is applied */

#define FIDELITY_CHOICES(X)                   \
    X(FIDELITY_FAST, "fast", "whole extents") \
    X(FIDELITY_EXACT, "exact", "leaf by leaf and line by line")
CHOICE_ENUM(fidelity, FIDELITY_CHOICES);

enum axis_role { AXIS_WORKLOAD, AXIS_MACHINE, AXIS_KERNEL, AXIS_STRATEGY, AXIS_KEY };
#define AXIS_ROLES AXIS_KEY /* those that every study has */

struct axis {
    char name[64];
    enum axis_role role;
    struct value_kind kind;
    struct values values;
    unsigned line; /* 0: a default, or from the command line */
    bool in_file; /* the study's file has all of its values: paths begin at the file's folder */
    size_t stride; /* in points */
};

struct setting {
    char key[64], text[256];
    unsigned line;
};

/* What the command line changes in a study: "key=value", as often as wanted.
 * A key of [study] is set; an axis gets the value, or list, in place of its
 * own; every other key is as in [set]. */
struct study_changes {
    const char *const *set;
    size_t count;
};

struct study {
    char path[512];
    char name[64], title[160], question[256], metrics[512];
    enum fidelity fidelity;
    enum draw_sequence sequence;
    uint64_t seed, draws, shifts;
    uint64_t draws_min; /* that are played; 0: all */
    bool preemptible;

    struct axis axes[STUDY_AXES];
    size_t axis_count;
    const struct axis *role[AXIS_ROLES]; /* where the four are */
    bool ruled, by_rule[STUDY_RULED]; /* strategies that the rule put there */
    struct setting settings[STUDY_SETTINGS];
    size_t setting_count;
    struct strategy own[STUDY_STRATEGIES];
    size_t own_count;
    unsigned own_line[STUDY_STRATEGIES][STRATEGY_KEYS]; /* of each key; 0: not given */
    struct study_memo memo;
    char **changes; /* the command line's, in its order */
    size_t change_count;

    /* By value of the four axes, with [set] applied. */
    struct workload **workloads;
    struct platform *platforms;
    struct kernel *kernels;
    const struct strategy **strategies;
    size_t points;
};

/* The keys of [study]. */
extern const struct option_row study_options[];
extern const size_t study_option_count;

/* Reads a study: a path to a file, or the name of one under the data folder's
 * workloads/studies/. Everything that the points need is loaded and checked.
 * False with one line in err. The caller frees it in both cases. */
bool study_read(struct study *study, const char *name, const struct study_changes *changes,
                struct error *err);
void study_free(struct study *study);

/* The index of a point's value on an axis. */
size_t study_digit(const struct axis *axis, size_t point);

/* The file that a workload or machine is read from, or its name. A path in a study's file begins at
 * the file's folder, as a workload's recording does; one of the command line, unless the file has
 * it as well, at the shell's. */
#define STUDY_VALUE_PATH (sizeof(((struct study *)0)->path) + 512)
const char *study_value_path(const struct study *study, const struct axis *axis, size_t i,
                             char buf[STUDY_VALUE_PATH]);

/* Points that differ in the strategy only are one cell: they share a workload
 * and the yardstick. The point of a cell and a strategy's index. */
size_t study_cells(const struct study *study);
size_t study_point(const struct study *study, size_t cell, size_t strategy);

/* Whether the name is that of a study, or of a file that has sections of one. */
bool study_is(const char *name);

/* Refuses a key (a workload's, a strategy's, a cost) that changes nothing at any point of the
 * study, with the way out. */
bool study_effect(const struct study *study, const char *key, const struct source_location *at,
                  struct error *err);

/* Resolves a point; the caller frees the setup. */
bool study_setup(const struct study *study, size_t point, struct setup *setup, struct error *err);

/* The strategy of that name, the study's own or a row of the program's; NULL with all names in
 * err. */
const struct strategy *study_strategy(const struct study *study, const char *name,
                                      struct error *err);

/* How its machines' costs are drawn. */
struct draw_plan study_draw_plan(const struct study *study);

/* One line of what the study adds to a point's hash: seed, draws, whether all are
 * played. */
void study_identity(const struct study *study, char *buf, size_t size);

#endif
