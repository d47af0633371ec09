/*
 * fingerprint - one hash of all points of a study.
 *
 * Two studies with the same fingerprint play the same runs in the same cells,
 * so that finished cells of one may stand for those of the other.
 */
#ifndef S2FLUSH_STUDY_FINGERPRINT_H
#define S2FLUSH_STUDY_FINGERPRINT_H

#include "study/study.h"

struct error;

/* Resolves every cell, by `jobs` threads (0: one for each processor), and hashes
 * their setups and timelines, all strategies, and what the study adds. 32 hexadecimal digits and a
 * NUL into `text`. False with the line of the first cell that cannot be resolved. */
bool study_fingerprint(const struct study *study, unsigned jobs, char text[SETUP_HASH],
                       struct error *err);

#endif
