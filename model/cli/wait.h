/*
 * wait - about how long a study takes, before it is played.
 */
#ifndef S2FLUSH_CLI_WAIT_H
#define S2FLUSH_CLI_WAIT_H

#include "check/calibrate/measurements.h"
#include "check/published/published.h"
#include "study/store.h"
#include "study/study.h"

struct wait {
    double runs, played; /* in all; played, where the others are priced again */
    double seconds; /* on so many threads that have a core each */
    unsigned threads;
    bool longer; /* a sample was not done when it had taken as long as it may: all take at least so
                    long */
    uint64_t draws_min; /* of the study */
    bool contended; /* of some scenario each draw is played: its vCPUs wait for each other */
};

/* Plays a run of up to so many strategies in scenarios, spread over the study, and takes the others
 * to be like them. jobs 0: as many threads as processors. What is played goes into the store. */
bool wait_estimate(const struct study *study, struct store *store, unsigned jobs, size_t samples,
                   struct wait *wait, struct error *err);

/* One line on it, and why, where it is long enough to be worth one; else an empty text. */
#define WAIT_TEXT 256
const char *wait_text(const struct wait *wait, uint64_t draws, char buf[WAIT_TEXT]);

/* Prints that line on stderr before a study is played. */
bool wait_say(const struct study *study, struct store *store, unsigned jobs, struct error *err);

/* The same before published rows are predicted, each of them with that many draws; a few of them
 * are played for it. */
const char *wait_rows_text(const struct wait *wait, size_t rows, uint64_t draws,
                           char buf[WAIT_TEXT]);
bool wait_say_rows(const struct published_set *set, uint64_t draws, unsigned jobs,
                   struct error *err);

/* The same before so many costs are fitted to times of benchmarks, which are played at each step of
 * the search. */
const char *wait_fit_text(const struct wait *wait, size_t rows, char buf[WAIT_TEXT]);
bool wait_say_fit(const struct measurements *found, const struct platform *base, size_t costs,
                  struct error *err);

#endif
