/*
 * Threads pinned to one core each, which do the same step at the same time.
 */
#ifndef PROBE_TEAM_H
#define PROBE_TEAM_H

#include <stddef.h>

struct team;

/* Cores that this process may use. */
size_t team_cores(void);

/* Pins the calling thread to the core of that index among those. */
void team_pin(size_t core);

/* Starts so many threads, or ends the program. */
struct team *team_start(size_t threads);

/* Every member calls step(its index, context); returns when all have. Members
 * leave the starting line together. */
void team_run(struct team *team, void (*step)(size_t member, void *context), void *context);

void team_stop(struct team *team);

#endif
