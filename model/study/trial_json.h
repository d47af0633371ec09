/*
 * trial_json - what a run did, as texts that a database keeps and people can read.
 *
 *   counts     {site: {kind: n}}, events since the first re-init
 *   before     {"kinds": [kind ...], "cleaned": {site: lines}}: kinds that happened before it and
 *              not since, and how many lines were cleaned before it; "notified": 1 where a
 *              notifier, or a slot that goes, has unmapped a leaf at any time
 *   leaves     [n ...], by level, the granule's first
 *   verdicts   {reader: [outcome, lines read, stale, conditional, conditions]}. Empty: of a draw,
 *              whose times alone are asked for
 *   tails      [[what, alike, times, {kind: n}, {kind: n}] ...]: holds, stalls and what comes first
 *              (0, 1, 2) that are made of the same events, `times` times; these stand for `alike`
 * of them, the last ones are in one only. Empty: not known sections   [[[[step, times] ...] ...],
 * [[asks, saw, {kind: n}, {kind: n}] ...]] ...]: of what several actors do at once the turns of
 * each one, and the steps: what it asks for (core/section.h) at the end; whether it looked if it is
 * alone (0: no, 1: it is, 2: it is not); events, those that it asks for last. Empty: there is none
 */
#ifndef S2FLUSH_STUDY_TRIAL_JSON_H
#define S2FLUSH_STUDY_TRIAL_JSON_H

#include "study/trial.h"

struct trial_json {
    char *counts, *before, *leaves, *verdicts, *tails, *sections; /* owned */
};

/* Whether a number of JSON, of 63 bits, holds each of its counts. */
bool trial_json_fits(const struct trial *trial);

void trial_json_of(const struct trial *trial, struct trial_json *json);
void trial_json_free(struct trial_json *json);

/* Fills what the texts tell of a trial; false where they are none of these. The caller frees the
 * trial in both cases. */
bool trial_json_read(const struct trial_json *json, struct trial *trial);

#endif
