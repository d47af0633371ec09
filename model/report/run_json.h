/*
 * run_json - beside the rows: which program made them, where and when, and
 * every setting with its source.
 */
#ifndef S2FLUSH_REPORT_RUN_JSON_H
#define S2FLUSH_REPORT_RUN_JSON_H

#include "study/study.h"

#include <stdio.h>

struct error;

/* What a run's record says of the study, as text that needs no study any more. */
struct run_about {
    char *path; /* the study's file */
    char *settings; /* a JSON object: its options, axes and [set] */
    char *configuration; /* a JSON object */
};

void run_about(const struct study *study, struct run_about *about);
void run_about_free(struct run_about *about);

/* Whether SOURCE_DATE_EPOCH, where it is set, is a number; false with a line. */
bool run_json_possible(struct error *err);

/* `plays` and `reprices` are those of study/execute.h. The date is that of
 * SOURCE_DATE_EPOCH where it is set. False with a line where that is no number. */
bool run_json_write(FILE *out, const struct run_about *about, uint64_t plays, uint64_t reprices,
                    struct error *err);

#endif
