/*
 * story_report - how readers come to get old bytes, as numbered steps for people.
 */
#ifndef S2FLUSH_REPORT_STORY_REPORT_H
#define S2FLUSH_REPORT_STORY_REPORT_H

#include "machine/story.h"
#include "run/sim.h"

#include <stdio.h>

/* `stories` searched in a run of that point. Plays it again to log them; prints nothing where
 * there is none. */
bool story_report_write(FILE *out, const struct point *point, struct stories *stories,
                        struct error *err);

#endif
