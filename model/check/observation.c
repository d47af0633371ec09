#include "check/observation.h"

#include "check/published/predict.h"
#include "core/error.h"
#include "kvm/kvm.h"
#include "machine/price.h"
#include "study/sweep.h"

#include <math.h>
#include <string.h>

/* A line of a sweep by one core or several. Cores together cannot be faster than the path that
 * they share. What one takes alone is a line's cost, also where one alone should fill the path. */
static double swept_line(const struct observation *seen, double line, double written,
                         const double value[COSTS])
{
    double path = fmax(value[COST_cmo_path_ns], written);
    double shared = seen->cores > 1 ? (double)seen->cores * path : 0;
    double lines = (double)seen->bytes / (double)seen->line_bytes;
    return fmax(line, shared) + value[COST_dsb_ns] / lines;
}

/* A phase's events, priced. */
static double priced(const struct observation *seen, const double value[COSTS])
{
    double insns[EVENT_KINDS], price[EVENT_KINDS], sum = 0;
    kvm_path_lengths(seen->machine->vhe, insns);
    price_events_ns(seen->machine, value, insns, price);
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        sum += (double)seen->events[kind] * price[kind];
    }
    return sum;
}

bool observation_predict(const struct observation *seen, const double value[COSTS], double *result,
                         struct error *err)
{
    double absent = value[COST_dc_absent_ns], clean = absent * value[COST_dc_clean_ratio];
    switch (seen->kind) {
    case PROBE_ABSENT:
        *result = swept_line(seen, absent, 0, value);
        return true;
    case PROBE_CLEAN:
        *result = swept_line(seen, clean, 0, value);
        return true;
    case PROBE_DIRTY:
        *result = swept_line(seen, clean * value[COST_dc_dirty_ratio],
                             (double)seen->line_bytes / value[COST_writeback_gbps], value);
        return true;
    case PROBE_LATENCY:
        *result = value[COST_memory_ns];
        return true;
    case PROBE_WRITE:
        *result = value[COST_zero_gbps];
        return true;
    case PROBE_WRITE_ALL:
        *result = value[COST_zero_path_gbps];
        return true;
    case PROBE_COPY:
        *result = value[COST_copy_gbps];
        return true;
    case PROBE_EXIT:
        *result = value[COST_exit_ns];
        return true;
    case OBSERVED_BENCHMARK:
        return predict_ps(seen->row, value, result, err);
    case OBSERVED_PHASE:
        *result = priced(seen, value);
        return true;
    }
    return false;
}

struct prediction_job {
    const struct observation *rows;
    const double *value;
    double *ratio;
};

static bool predict_part(void *context, size_t part, struct error *err)
{
    const struct prediction_job *job = context;
    double result = 1;
    if (!observation_predict(&job->rows[part], job->value, &result, err)) {
        return false;
    }
    job->ratio[part] = log(result / job->rows[part].measured);
    return true;
}

/* The logarithms of predicted over measured, into ratio[count]. False where a benchmark gets
 * stuck; the error is of the first that does. */
static bool ratios_of(const struct observation *rows, size_t count, const double value[COSTS],
                      double *ratio, struct error *err)
{
    struct prediction_job job = {rows, value, ratio};
    bool good = true;
    if (count > 0 && rows[0].kind == OBSERVED_BENCHMARK) {
        return sweep_parts(&(struct sweep){0}, count, predict_part, &job, err);
    }
    /* Only what is played is worth a thread. */
    for (size_t i = 0; good && i < count; i++) {
        good = predict_part(&job, i, err);
    }
    return good;
}

/* How far a cost is from its prior, in the prior's standard deviations. */
static double off_prior(const struct cost *cost, double logarithm)
{
    double low = log(cost->prior_low), high = log(cost->prior_high);
    return (logarithm - (low + high) / 2) / ((high - low) / 4);
}

bool observation_residuals(void *context, const double *x, double *residual, struct error *err)
{
    const struct observation_fit *fit = context;
    double value[COSTS];
    size_t at = fit->count;
    memcpy(value, fit->value, sizeof value);
    for (size_t i = 0; i < fit->costs; i++) {
        enum cost_id id = fit->id[i];
        /* A step of the search may overshoot to where simulated time has no numbers. */
        value[id] = fmin(fmax(exp(x[i]), cost_entry[id].min), cost_entry[id].max);
        if (fit->priors && fit->priors->cost[id].prior_low > 0) {
            residual[at++] = off_prior(&fit->priors->cost[id], x[i]);
        }
    }
    if (!ratios_of(fit->rows, fit->count, value, residual, err)) {
        return false;
    }
    for (size_t i = 0; i < fit->count; i++) {
        residual[i] /= fit->rows[i].off;
    }
    return true;
}
