/*
 * What the kernel does in each phase of a VMM's story, on the console, in the columns of
 * ../../counts.csv.
 */
#ifndef S2FLUSH_PROOF_COUNTING_H
#define S2FLUSH_PROOF_COUNTING_H

/* Without it nothing is counted. */
void counting_start(void);
void counting_phase_end(const char *name);

#endif
