#include "cli/wait.h"

#include "check/published/predict.h"
#include "core/error.h"
#include "core/guard.h"
#include "study/execute.h"
#include "study/sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define FEW 4 /* samples before a study that is then played */
#define LONG_S 10 /* people look elsewhere by then */
#define SAMPLES_S 5 /* no further sample after so long */

bool wait_estimate(const struct study *study, struct store *store, unsigned jobs, size_t samples,
                   struct wait *wait, struct error *err)
{
    const double golden = 0.6180339887498949; /* its steps fall evenly, whatever their number */
    double lanes = (double)study_lanes(study), draws = (double)study->draws;
    samples = (double)samples < lanes ? samples : (size_t)lanes;
    *wait = (struct wait){.runs = lanes * (1 + draws), .threads = sweep_threads(jobs)};
    double begin_s = guard_computed_s();
    size_t taken = 0;
    while (taken < samples && (taken == 0 || guard_computed_s() - begin_s < SAMPLES_S)) {
        bool again = false;
        double start_s = guard_computed_s(), place = ((double)taken + 0.5) * golden;
        size_t lane = (double)samples < lanes ? (size_t)((place - floor(place)) * lanes) : taken;
        guard_allow(SAMPLES_S);
        bool good = study_sample(study, store, lane, &again, err);
        guard_allow(0);
        if (!good && !err->simulation) {
            return false;
        }
        wait->longer |= !good && guard_computed_s() - start_s >= SAMPLES_S;
        double played = again ? 1 : 1 + draws;
        wait->played += played;
        wait->seconds += played * (guard_computed_s() - start_s) / (double)wait->threads;
        wait->contended |= !again;
        taken++;
    }
    wait->played *= lanes / (double)taken;
    wait->seconds *= lanes / (double)taken;
    return true;
}

static int put_time(const struct wait *wait, char buf[WAIT_TEXT])
{
    bool minutes = wait->seconds > 120;
    return snprintf(buf, WAIT_TEXT, "%s about %.2g %s on %u thread%s",
                    wait->longer ? "more than" : "up to",
                    minutes ? wait->seconds / 60 : wait->seconds, minutes ? "min" : "s",
                    wait->threads, wait->threads == 1 ? "" : "s");
}

const char *wait_text(const struct wait *wait, uint64_t draws, char buf[WAIT_TEXT])
{
    buf[0] = '\0';
    if (wait->seconds <= LONG_S && !wait->longer) {
        return buf;
    }
    int used = put_time(wait, buf);
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

bool wait_say(const struct study *study, struct store *store, unsigned jobs, struct error *err)
{
    struct wait wait;
    char text[WAIT_TEXT];
    if (!wait_estimate(study, store, jobs, FEW, &wait, err)) {
        return false;
    }
    if (wait_text(&wait, study->draws, text)[0]) {
        fprintf(stderr, "%s: %s\n", study->name, text);
    }
    return true;
}

/* --- published rows --- */

const char *wait_rows_text(const struct wait *wait, size_t rows, uint64_t draws,
                           char buf[WAIT_TEXT])
{
    buf[0] = '\0';
    if (wait->seconds > LONG_S) {
        int used = put_time(wait, buf);
        snprintf(buf + used, WAIT_TEXT - (size_t)used,
                 ": each of %zu rows is played for each of %" PRIu64
                 " draws (--draws 8 plays fewer)",
                 rows, draws);
    }
    return buf;
}

#define ROWS 8 /* of a set that are played before */

bool wait_say_rows(const struct published_set *set, uint64_t draws, unsigned jobs,
                   struct error *err)
{
    struct wait wait = {.threads = sweep_threads(jobs)};
    size_t taken = 0, rows = 0, step = set->count / ROWS + 1;
    char text[WAIT_TEXT];
    double value[COSTS], ps, begin_s = guard_computed_s();
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        bool expressed = row->refusal[0] == '\0';
        if (expressed && rows % step == 0 && guard_computed_s() - begin_s < SAMPLES_S) {
            platform_modes(row->platform, value);
            if (!predict_ps(row, value, &ps, err)) {
                return false;
            }
            taken++;
        }
        rows += expressed;
    }
    if (taken > 0) {
        wait.seconds = (guard_computed_s() - begin_s) / (double)taken * (double)rows *
                       (double)draws / (double)wait.threads;
    }
    if (wait_rows_text(&wait, rows, draws, text)[0]) {
        fprintf(stderr, "validate: %s\n", text);
    }
    return true;
}
