#include "cli/wait.h"

#include "check/published/predict.h"
#include "core/error.h"
#include "core/guard.h"
#include "study/lanes.h"
#include "study/sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Before a study that is then played. With four, all of few vCPUs, q03 was taken for a short one.
 */
#define FEW 16
#define LONG_S 10 /* people look elsewhere by then */
#define SAMPLES_S 5 /* no further sample after so long */

/* What samples of a kind of lane come to. */
struct sampled {
    double taken, played, seconds;
};

/* One more, unless it takes too long. */
static bool take_sample(const struct study *study, struct store *store, size_t lane,
                        struct wait *wait, struct sampled *sampled, struct error *err)
{
    struct lane_sample sample;
    double start_s = guard_computed_s();
    guard_allow(SAMPLES_S);
    bool good = lanes_sample(study, store, lane, &sample, err);
    guard_allow(0);
    if (!good && !err->simulation) {
        return false;
    }
    double seconds = guard_computed_s() - start_s;
    wait->longer |= !good && seconds >= SAMPLES_S;
    wait->contended |= !sample.again;
    sampled->taken++;
    sampled->played += (double)sample.played;
    sampled->seconds += (double)sample.played * seconds / (double)wait->threads;
    return true;
}

/* In rounds, one of each kind: kinds that are few decide as much as others, where each of their
 * draws is played. */
static bool take_samples(const struct study *study, struct store *store, const struct lanes *lanes,
                         size_t samples, struct wait *wait, struct sampled sampled[LANE_KINDS],
                         struct error *err)
{
    const double golden = 0.6180339887498949; /* its steps fall evenly, whatever their number */
    double begin_s = guard_computed_s();
    for (size_t taken = 0, round = 0; taken < samples && round < samples; round++) {
        for (int kind = 0; kind < LANE_KINDS; kind++) {
            size_t count = lanes->kind[kind].count;
            double place = ((double)round + 0.5) * golden;
            size_t at = round;
            if (count > samples) {
                at = (size_t)((place - floor(place)) * (double)count);
            }
            bool late = taken > 0 && guard_computed_s() - begin_s >= SAMPLES_S;
            if (at >= count || late) {
                continue;
            }
            if (!take_sample(study, store, lanes->kind[kind].lane[at], wait, &sampled[kind], err)) {
                return false;
            }
            taken++;
        }
    }
    return true;
}

bool wait_estimate(const struct study *study, struct store *store, unsigned jobs, size_t samples,
                   struct wait *wait, struct error *err)
{
    struct lanes lanes;
    struct sampled sampled[LANE_KINDS] = {{0}};
    bool good = lanes_sort(study, &lanes, err);
    *wait = (struct wait){.runs = (double)lanes.all * (1 + (double)study->draws),
                          .threads = sweep_threads(jobs),
                          .draws_min = study->draws_min};
    good = good && take_samples(study, store, &lanes, samples, wait, sampled, err);
    for (int kind = 0; kind < LANE_KINDS; kind++) {
        double own = (double)lanes.all * lanes.kind[kind].share, taken = sampled[kind].taken;
        wait->played += taken > 0 ? own * (sampled[kind].played / taken) : 0;
        wait->seconds += taken > 0 ? own * (sampled[kind].seconds / taken) : 0;
    }
    lanes_free(&lanes);
    return good;
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
    if (wait->contended && wait->draws_min > 0 && wait->draws_min < draws) {
        snprintf(buf + used, WAIT_TEXT - (size_t)used,
                 ": vCPUs wait for each other, and such a run is played again for as many of the "
                 "%" PRIu64 " draws as tell the others (--set draws=0 plays none of them)",
                 draws);
    } else if (wait->contended && draws > 0) {
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
                 ": each of %zu rows is played for up to %" PRIu64 " draws (--draws 8 plays fewer)",
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

/* --- a calibration --- */

/* How often all rows are played for each cost, of those that are fitted in the end; what is left
 * out was looked at, too. */
#define PASSES 20

const char *wait_fit_text(const struct wait *wait, size_t rows, char buf[WAIT_TEXT])
{
    buf[0] = '\0';
    if (wait->seconds > LONG_S) {
        int used = put_time(wait, buf);
        snprintf(buf + used, WAIT_TEXT - (size_t)used,
                 ": %zu rows are played at each step of the search, some %d times for each cost "
                 "(--cost NAME fits that one only)",
                 rows, PASSES);
    }
    return buf;
}

bool wait_say_fit(const struct measurements *found, const struct platform *base, size_t costs,
                  struct error *err)
{
    struct wait wait = {.threads = sweep_threads(0)};
    double value[COSTS], result, begin_s = guard_computed_s();
    char text[WAIT_TEXT];
    size_t taken = 0;
    platform_modes(base, value);
    for (; taken < found->count && guard_computed_s() - begin_s < SAMPLES_S; taken++) {
        if (!observation_predict(&found->rows[taken], value, &result, err)) {
            return false;
        }
    }
    if (taken > 0) {
        wait.seconds = (guard_computed_s() - begin_s) * (double)found->count / (double)taken *
                       PASSES * (double)(costs + 1) / (double)wait.threads;
    }
    if (wait_fit_text(&wait, found->count, text)[0]) {
        fprintf(stderr, "calibrate: %s\n", text);
    }
    return true;
}
