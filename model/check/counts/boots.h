/*
 * boots - a recorded boot played again, and its counts beside the recorded ones.
 *
 * The recording is played as it was recorded: on that kernel and CPU, leaf by
 * leaf, under `unmap`, or under `fwb` where the CPU has FEAT_S2FWB. Every
 * phase's counts are compared with the recording's rows of phases.csv. Fault
 * rows come in as touches; what faults, what is cleaned and what is unmapped is
 * the model's own decision.
 */
#ifndef S2FLUSH_CHECK_COUNTS_BOOTS_H
#define S2FLUSH_CHECK_COUNTS_BOOTS_H

#include <stdbool.h>
#include <stdio.h>

struct error;

/* Plays a recording and prints a table to `out`: each claimed column with its
 * value in every phase, recorded and played where the two differ, and how many
 * phases agree; then the columns that are not claimed, with the reason.
 * *agrees: no claimed value differs. False with one line in err where a file
 * can't be used or `phases` has no row of the recording. */
bool boots_check(const char *recording, const char *phases, FILE *out, bool *agrees,
                 struct error *err);

#endif
