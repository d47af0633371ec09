#include "counting.h"

#include "events.h"

#include <stdio.h>

static bool counting;
static struct counts before;

void counting_start(void)
{
    counting = true;
    events_open();
    events_read(&before);
}

void counting_phase_end(const char *name)
{
    struct counts now, phase;
    if (!counting) {
        return;
    }
    events_read(&now);
    events_difference(&before, &now, &phase);
    for (int i = 0; i < COUNTS; i++) {
        if (phase.at[i] >= 0 && phase.lost == 0) {
            printf("count %s %s %lld\n", name, count_names[i], (long long)phase.at[i]);
        }
    }
    events_read(&before);
}
