/* Measurements of any format, as observations. */
#include "check/calibrate/measurements.h"

#include "check/calibrate/benchtext.h"
#include "core/alloc.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table, or the output of many runs. */
#define TEXT_BYTES_MAX ((size_t)64 << 20)

/* A median over samples on one day is no better than this on another. */
#define PROBE_OFF 0.02

/* From the 10th to the 90th percentile of a normal distribution. */
#define P10_P90 2.563

struct observation *measurements_row(struct measurements *found)
{
    found->rows = alloc_checked(realloc(found->rows, (found->count + 1) * sizeof *found->rows),
                                "measurements");
    struct observation *row = &found->rows[found->count++];
    *row = (struct observation){0};
    return row;
}

/* --- benchmarks --- */

static bool read_benchmarks(const char *path, struct measurements *found, struct error *err)
{
    if (!published_read(path, &found->published, err)) {
        return false;
    }
    for (size_t i = 0; i < found->published.count; i++) {
        const struct published *row = &found->published.rows[i];
        if (row->role != ROLE_FIT || row->refusal[0] != '\0') {
            found->passed_over++;
            if (row->refusal[0] != '\0' && found->refusal[0] == '\0') {
                snprintf(found->refusal, sizeof found->refusal, "%.40s: %.199s", row->row,
                         row->refusal);
            }
            continue;
        }
        *measurements_row(found) = published_observation(row);
    }
    return true;
}

/* --- cells --- */

bool measurements_number(const struct csv *table, size_t row, const char *column, bool needed,
                         double *value, struct error *err)
{
    int index = csv_column(table, column);
    const char *text = csv_cell(table, row, index);
    struct source_location at = {table->path, table->lines[row], column};
    *value = 0;
    if (text[0] == '\0' && !needed) {
        return true;
    }
    if (unit_parse(text, UNIT_NONE, value) && *value > 0) {
        return true;
    }
    return error_input(err, &at, "found '%.80s', expected a number above 0", text);
}

bool measurements_spread(const struct csv *table, size_t row, const char *low, const char *high,
                         double *p10, double *p90, struct error *err)
{
    struct source_location at = {table->path, table->lines[row], low};
    return measurements_number(table, row, low, false, p10, err) &&
           measurements_number(table, row, high, false, p90, err) &&
           (*p10 <= *p90 ||
            error_input(err, &at, "found %g, expected at most %s, %g", *p10, high, *p90));
}

double measurements_off(double median, double p10, double p90)
{
    return fmax(PROBE_OFF, p90 > 0 ? (p90 - p10) / P10_P90 / median : 0);
}

/* Samples of a quiet machine differ by some percent. */
#define NOISY_TIMES 1.3

void measurements_note_noise(struct measurements *found, const struct observation *seen)
{
    double times = seen->p10 > 0 ? seen->p90 / seen->p10 : 1;
    found->noisy += times > NOISY_TIMES;
    if (times > found->noisiest_times) {
        found->noisiest_times = times;
        memcpy(found->noisiest, seen->name, sizeof found->noisiest);
    }
}

/* --- any format --- */

static bool read_table(const char *path, const struct platform *base, bool any_size,
                       struct measurements *found, struct error *err)
{
    struct csv table;
    struct source_location at = {.file = path};
    if (!csv_read(path, &table, err)) {
        return false;
    }
    bool good;
    if (csv_column(&table, "quantity") >= 0) {
        good =
            measurements_read_probe(&table, any_size ? UINT64_MAX : base->cache_bytes, found, err);
    } else if (csv_column(&table, "benchmark") >= 0) {
        good = read_benchmarks(path, found, err);
    } else if (csv_column(&table, "median_ns") >= 0) {
        good = measurements_read_times(path, base, found, err);
    } else {
        good = csv_lacks(&table, "benchmark", err) && csv_lacks(&table, "quantity", err) &&
               csv_lacks(&table, "median_ns", err) &&
               error_input(
                   err, &at,
                   "found none of the columns expected: benchmark (bench/published/README.md), "
                   "quantity and median_ns (bench/kvm/PROBE.md)");
    }
    if (good && found->count == 0) {
        good = error_input(err, &at, "found no row that a cost could follow from%s%s",
                           found->refusal[0] ? ": " : "", found->refusal);
    }
    csv_free(&table);
    return good;
}

static bool slurp(const char *path, char **text, bool *output, struct error *err)
{
    size_t length;
    if (!file_slurp(path, TEXT_BYTES_MAX, text, &length, err)) {
        return false;
    }
    *output = length == strlen(*text) && benchtext_is(*text);
    return true;
}

bool measurements_read(const char *path, const struct platform *base, const char *kernel,
                       bool any_size, struct measurements *found, struct error *err)
{
    char *text;
    bool output;
    *found = (struct measurements){.path = path};
    if (!slurp(path, &text, &output, err)) {
        return false;
    }
    bool good = output ? benchtext_read(path, text, base, kernel, found, err)
                       : read_table(path, base, any_size, found, err);
    free(text);
    if (good && kernel && !found->selftest) {
        struct source_location at = {.file = "--kernel"};
        good =
            error_input(err, &at,
                        "changes nothing: expected it beside the output of a selftest, which does "
                        "not say on which kernel it ran");
    }
    if (!good) {
        measurements_free(found);
    }
    return good;
}

bool measurements_is_output(const char *path, bool *output, struct error *err)
{
    char *text;
    if (!slurp(path, &text, output, err)) {
        return false;
    }
    bool good = !*output || benchtext_check(path, text, err);
    free(text);
    return good;
}

bool measurements_take_times(const char *path, const struct platform *machine, const char *kernel,
                             struct published_set *set, struct error *err)
{
    struct measurements found;
    struct source_location at = {.file = path};
    if (!measurements_read(path, machine, kernel, false, &found, err)) {
        return false;
    }
    bool good = found.selftest ||
                error_input(err, &at,
                            "found output of a benchmark that tells costs and no time that a model "
                            "predicts, expected it with `s2flush calibrate`");
    for (size_t i = 0; good && i < found.published.count; i++) {
        struct published row = found.published.rows[i];
        row.role = ROLE_PREDICT;
        good = published_take(set, &row, machine, kernel, err);
    }
    measurements_free(&found);
    return good;
}

void measurements_free(struct measurements *found)
{
    free(found->rows);
    free(found->uses);
    published_free(&found->published);
    counts_free(&found->counts);
    *found = (struct measurements){0};
}

bool measurements_check(const struct measurements *found, const struct platform *platform,
                        FILE *out, struct error *err)
{
    double value[COSTS], predicted;
    platform_modes(platform, value);
    fputs("row,measured,predicted,ratio\n", out);
    for (size_t i = 0; i < found->count; i++) {
        const struct observation *seen = &found->rows[i];
        if (!observation_predict(seen, value, &predicted, err)) {
            return false;
        }
        csv_put(out, seen->name);
        fprintf(out, ",%.6g,%.6g,%.4f\n", seen->measured, predicted, predicted / seen->measured);
    }
    return true;
}
