/*
 * progress - one line on a terminal that says how far a sweep is.
 */
#ifndef S2FLUSH_CLI_PROGRESS_H
#define S2FLUSH_CLI_PROGRESS_H

#include "study/sweep.h"

/* Shows it, at most four times a second, and takes it away at the sweep's end. NULL where stderr
 * is no terminal. */
progress_fn progress_line(void);

#endif
