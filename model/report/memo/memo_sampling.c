/* How far the quantiles in a memo's tables may be off because the draws are so many and no more. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"
#include "study/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLING_PRINTED 0.005 /* what is less is 0 % */

struct quantile_error memo_band_error(const struct memo *memo, const struct memo_scenario *scenario,
                                      size_t metric, size_t strategy)
{
    size_t draws = memo->runs - 1;
    double *copy = alloc_zeroed(memo->runs, sizeof *copy, "a memo");
    memcpy(copy, scenario->value[metric] + strategy * memo->runs + 1, draws * sizeof *copy);
    struct quantile_error error = stats_quantile_error(copy, draws);
    free(copy);
    return error;
}

void memo_sampling_add(struct memo_sampling *sampling, struct band band,
                       struct quantile_error error)
{
    double p50 = error.p50 / fabs(band.mid), ends = error.ends / fabs(band.mid);
    if (!isfinite(band.p10) || !(fabs(band.mid) > 0)) { /* no draws; a share of nothing */
        return;
    }
    bool first = sampling->count++ == 0;
    sampling->p50_min = first ? p50 : fmin(sampling->p50_min, p50);
    sampling->p50_max = fmax(sampling->p50_max, p50);
    sampling->ends_min = first ? ends : fmin(sampling->ends_min, ends);
    sampling->ends_max = fmax(sampling->ends_max, ends);
}

static void put_range(struct doc_node *words, const char *what, double low, double high)
{
    char text[QUANTITY_TEXT];
    doc_text(words, "%s by %s", what,
             isfinite(high) ? quantity_percents(low, high, text) : "more than so few can say");
}

void memo_put_sampling(const struct memo *memo, const struct memo_sampling *sampling,
                       struct doc_node *doc)
{
    if (fmax(sampling->p50_max, sampling->ends_max) < SAMPLING_PRINTED) {
        return;
    }
    struct doc_node *words = doc_add(doc, DOC_PARAGRAPH, NULL);
    doc_text(words, "Sampling error of %zu draws, 95 %% sure: by line a median may be off",
             memo->runs - 1);
    put_range(words, "", sampling->p50_min, sampling->p50_max);
    put_range(words, ", an end of a band", sampling->ends_min, sampling->ends_max);
    doc_text(words, "%s.", isfinite(sampling->ends_max) ? " of the median" : "");
}
