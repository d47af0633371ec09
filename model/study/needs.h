/*
 * needs - how much a study takes, before any of it is run.
 */
#ifndef S2FLUSH_STUDY_NEEDS_H
#define S2FLUSH_STUDY_NEEDS_H

#include "study/metrics.h"
#include "study/study.h"

struct error;

struct study_needs {
    uint64_t rows; /* of its table: points times metrics */
    uint64_t bytes; /* memory, about: the program and what each thread plays */
    unsigned threads;
};

/* Looks at some of the cells, the first and the last among them, and takes the
 * largest for all. jobs 0: as many threads as there are processors. */
bool study_needs(const struct study *study, unsigned jobs, const bool wanted[METRICS],
                 struct study_needs *needs, struct error *err);

/* Whether the memory is there. False with one line that says what to change. */
bool study_fits(const struct study *study, const struct study_needs *needs, struct error *err);

#endif
