#include "cli/wait.h"

#include "cli/cli.h"
#include "study/execute.h"
#include "study/sweep.h"

#include <inttypes.h>
#include <stdio.h>

#define LONG_S 10 /* people look elsewhere by then */

bool wait_estimate(const struct study *study, unsigned jobs, size_t samples, struct wait *wait,
                   struct error *err)
{
    size_t cells = study_cells(study);
    samples = samples < cells ? samples : cells;
    /* The yardstick is played beside each scenario's strategies. */
    double plays = (double)(study->points + cells), each = plays / (double)samples;
    *wait =
        (struct wait){.runs = plays * (1 + (double)study->draws), .threads = sweep_threads(jobs)};
    for (size_t i = 0; i < samples; i++) {
        bool again = false;
        double start_s = cli_seconds();
        size_t cell = samples == 1 ? cells / 2 : (cells - 1) * i / (samples - 1);
        if (!study_sample(study, cell, &again, err)) {
            return false;
        }
        double played = each * (again ? 1 : 1 + (double)study->draws);
        wait->played += played;
        wait->seconds += played * (cli_seconds() - start_s) / (double)wait->threads;
        wait->contended |= !again;
    }
    return true;
}

const char *wait_text(const struct wait *wait, uint64_t draws, char buf[WAIT_TEXT])
{
    buf[0] = '\0';
    if (wait->seconds <= LONG_S) {
        return buf;
    }
    bool minutes = wait->seconds > 120;
    int used = snprintf(buf, WAIT_TEXT, "up to about %.2g %s on %u thread%s",
                        minutes ? wait->seconds / 60 : wait->seconds, minutes ? "min" : "s",
                        wait->threads, wait->threads == 1 ? "" : "s");
    if (wait->contended && draws > 0) {
        snprintf(buf + used, WAIT_TEXT - (size_t)used,
                 ": vCPUs wait for each other, and such a run is played again for each of the "
                 "%" PRIu64 " draws (--set draws=0 plays none of them)",
                 draws);
    } else {
        snprintf(buf + used, WAIT_TEXT - (size_t)used, ": %.0f runs are to be played",
                 wait->played);
    }
    return buf;
}

bool wait_say(const struct study *study, unsigned jobs, struct error *err)
{
    struct wait wait;
    char text[WAIT_TEXT];
    if (!wait_estimate(study, jobs, 1, &wait, err)) {
        return false;
    }
    if (wait_text(&wait, study->draws, text)[0]) {
        fprintf(stderr, "%s: %s\n", study->name, text);
    }
    return true;
}
