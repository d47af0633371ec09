/* Which costs are fitted to measurements, and where the search for each begins. */
#include "check/calibrate/calibrate_parts.h"
#include "core/error.h"

#include <string.h>

static bool shared_path(const struct measurements *found, enum cost_id id, char *why, size_t size)
{
    if (!found->probe) {
        return true;
    }
    if (id == COST_cmo_path_ns && !found->cmo_path_full && found->cmo_path_most_ns > 0) {
        snprintf(why, size, "cmo_path_ns: no row waits for it, so it is at most %.3g ns",
                 found->cmo_path_most_ns);
        return false;
    }
    if (id == COST_writeback_gbps && !found->writeback_full && found->writeback_least_gbps > 0) {
        snprintf(why, size, "writeback_gbps: no row waits for it, so it is at least %.3g GB/s",
                 found->writeback_least_gbps);
        return false;
    }
    return true;
}

/* Where the search for it begins: near what the rows say at first sight. The
 * base's value may be so far off that a shared path hides all else. */
static double start_of(const struct measurements *found, const struct platform *base,
                       enum cost_id id)
{
    return found->start[id] > 0 ? found->start[id] : base->cost[id].mode;
}

void calibration_leave(struct calibration *fit, const char *why)
{
    snprintf(fit->left[fit->left_count++], sizeof fit->left[0], "%s", why);
}

static bool add_cost(const struct measurements *found, const struct platform *base, enum cost_id id,
                     bool named, struct calibration *fit, struct error *err)
{
    char why[200];
    double start = start_of(found, base, id);
    if (!shared_path(found, id, why, sizeof why)) {
        if (!named) {
            calibration_leave(fit, why);
        }
        return !named || error_input(err, NULL, "%s", why);
    }
    if (start <= 0) {
        return error_input(err, NULL, "%s is 0 in the base: expected one where it is not",
                           cost_name[id]);
    }
    fit->id[fit->costs] = id;
    fit->before[fit->costs] = base->cost[id].mode;
    fit->value[fit->costs++] = start;
    return true;
}

/* The costs that a probe's rows are made of. */
static bool of_probe(const struct measurements *found, enum cost_id id)
{
    static const enum cost_id kinds[PROBE_KINDS][5] = {
        [PROBE_ABSENT] = {COST_dc_absent_ns, COST_dsb_ns, COST_cmo_path_ns, COSTS},
        [PROBE_CLEAN] = {COST_dc_clean_ratio, COST_dsb_ns, COST_cmo_path_ns, COSTS},
        [PROBE_DIRTY] = {COST_dc_dirty_ratio, COST_dsb_ns, COST_writeback_gbps, COSTS},
        [PROBE_LATENCY] = {COST_memory_ns, COSTS},
        [PROBE_WRITE] = {COST_zero_gbps, COSTS},
        [PROBE_WRITE_ALL] = {COST_zero_path_gbps, COSTS},
        [PROBE_COPY] = {COST_copy_gbps, COSTS},
    };
    for (size_t row = 0; row < found->count; row++) {
        for (int i = 0; kinds[found->rows[row].kind][i] != COSTS; i++) {
            if (kinds[found->rows[row].kind][i] == id) {
                return true;
            }
        }
    }
    return false;
}

/* A VM's phases hold a little of nearly everything. What was measured by itself is known
 * better, and what is 0 has no logarithm. */
static bool of_times(const struct platform *base, enum cost_id id, struct calibration *fit)
{
    char why[200];
    if (strcmp(base->cost[id].evidence, "measured") == 0) {
        snprintf(why, sizeof why, "%s: measured, as the base says", cost_name[id]);
        calibration_leave(fit, why);
        return false;
    }
    return base->cost[id].mode > 0;
}

static bool is_wanted(const struct measurements *found, const struct platform *base,
                      enum cost_id id, struct calibration *fit)
{
    if (found->machine) {
        return of_times(base, id, fit);
    }
    return found->probe ? of_probe(found, id) : strcmp(base->cost[id].evidence, "fitted") == 0;
}

bool calibrate_choose(const struct measurements *found, const struct platform *base,
                      const enum cost_id *named, size_t named_count, struct calibration *fit,
                      struct error *err)
{
    for (size_t i = 0; i < named_count; i++) {
        if (!add_cost(found, base, named[i], true, fit, err)) {
            return false;
        }
    }
    for (int id = 0; named_count == 0 && id < COSTS; id++) {
        if (is_wanted(found, base, (enum cost_id)id, fit) &&
            !add_cost(found, base, (enum cost_id)id, false, fit, err)) {
            return false;
        }
    }
    if (fit->costs == 0) {
        return error_input(err, NULL, "no cost to fit: expected --cost NAME");
    }
    return true;
}
