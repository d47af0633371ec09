/*
 * analysis - what the commands that answer questions about a study share: how
 * they name the study, the metric and where the tables go.
 */
#ifndef S2FLUSH_CLI_ANALYSIS_H
#define S2FLUSH_CLI_ANALYSIS_H

#include "cli/cli.h"
#include "cli/run_study.h"
#include "report/analyses.h"
#include "study/metrics.h"
#include "study/study.h"
#include "study/sweep.h"

#include <stdio.h>

struct error;

enum analysis_format { ANALYSIS_TEXT, ANALYSIS_CSV, ANALYSIS_JSON, ANALYSIS_NOTHING };

struct analysis {
    const char *study, *folder; /* folder NULL: no files */
    struct cli_sets sets;
    uint64_t jobs;
    enum metric metric;
    bool has_metric; /* it was given */
    unsigned format; /* enum analysis_format: on stdout; NOTHING: files alone */
    bool what_if;
    bool all; /* every scenario of the study, not those of its [memo] alone */
    struct run_store kept; /* in the folder; without one, in memory */
};

/* What these commands have in common; their arguments begin with a struct analysis. */
extern const struct cli_option analysis_options[];
extern const struct cli_option analysis_options_json[]; /* the same with --format json */
#define ANALYSIS_COMMAND                                                                       \
    .shared = analysis_options, .words = "STUDY", .word = {CLI_FIELD(struct analysis, study)}, \
    .missing = "a study; `s2flush list studies` names them", .size = sizeof(struct arguments)

/* Of an answer: its threads, and how far it is, shown on a terminal under that name. */
struct sweep analysis_sweep(const struct analysis *given, const char *name);

/* Writes the report's tables into the folder, where one is given; all or none. */
bool analysis_files(const struct analysis *given, const struct analysis_report *report,
                    const void *results, struct error *err);

/* The same, and then on stdout what was asked for: sentences, the first table as CSV, or the second
 * one as JSON. */
bool analysis_show(const struct analysis *given, const struct analysis_report *report,
                   const void *results, struct error *err);

/* Closes the store, in a folder or not. Where a simulation failed the others are kept like those of
 * any analysis that is done. */
bool analysis_close(struct analysis *given, bool good, struct error *err);

/* What a study's [memo] asks of these commands, into given->folder and its open store. */
bool analysis_map(const struct analysis *given, const struct study *study, struct error *err);
bool analysis_breakeven(const struct analysis *given, const struct study *study, struct error *err);
bool analysis_sensitivity(const struct analysis *given, const struct study *study,
                          struct error *err);

/* Its memo; names the files on `messages` (NULL: says nothing). */
bool analysis_memo(const struct analysis *given, const struct study *study, const char *validation,
                   FILE *messages, struct error *err);

/* Takes the metric and what-if from a study's [memo] where they were not given. */
bool analysis_settle(struct analysis *given, const struct study *study, struct error *err);

typedef bool analysis_answer(const struct study *study, void *arguments, struct error *err);

/* Reads the study, takes the metric and what-if from its [memo] where they were not given, and
 * calls `answer` with it; `arguments` begin with a struct analysis. */
bool analysis_run(void *arguments, analysis_answer *answer, struct error *err);

/* The study's axes but for its strategies, or only those of numbers with two values or more: "a,
 * b". */
#define ANALYSIS_AXES_TEXT (STUDY_AXES * 66)
void analysis_axes(const struct study *study, bool numbers, char text[ANALYSIS_AXES_TEXT]);

/* For an answer that takes long: of the study, read once more, each axis that the `case` of its
 * [memo] names has that value alone, except for `by` and `open` (NULL: none), and except for all
 * with --all. What is left out is said on stderr. */
bool analysis_focus(void *arguments, const struct study *study, const char *open,
                    analysis_answer *answer, struct error *err);

#endif
