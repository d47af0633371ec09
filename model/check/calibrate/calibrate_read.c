/* Measurements of any format, as observations. */
#include "check/calibrate/calibrate_parts.h"
#include "check/fit.h"
#include "core/csv.h"
#include "core/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A median over samples on one day is no better than this on another. */
#define PROBE_OFF 0.02

/* From the 10th to the 90th percentile of a normal distribution. */
#define P10_P90 2.563

/* A buffer of more than that share of the caches is not wholly in them. */
#define IN_CACHE 0.5

struct observation *measurements_row(struct measurements *found)
{
    found->rows = realloc(found->rows, (found->count + 1) * sizeof *found->rows);
    if (!found->rows) {
        error_fatal("out of memory for measurements");
    }
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
        struct observation *seen = measurements_row(found);
        snprintf(seen->name, sizeof seen->name, "%s %s", row->table, row->row);
        seen->measured = row->value * row->unit_ps;
        seen->off = ROW_ERROR;
        seen->row = row;
    }
    return true;
}

/* --- a probe --- */

struct reading {
    const char *quantity, *state;
    uint64_t cores, bytes;
    double value, p10, p90;
};

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

static bool read_cells(const struct csv *table, size_t row, struct reading *reading,
                       struct error *err)
{
    double mean = 0, median = 0;
    reading->quantity = csv_cell(table, row, csv_column(table, "quantity"));
    reading->state = csv_cell(table, row, csv_column(table, "state"));
    if (!csv_whole(table, row, csv_column(table, "cores"), 1, &reading->cores, err) ||
        !csv_whole(table, row, csv_column(table, "bytes"), 0, &reading->bytes, err) ||
        !measurements_number(table, row, "value", true, &mean, err) ||
        !measurements_number(table, row, "median", false, &median, err) ||
        !measurements_spread(table, row, "p10", "p90", &reading->p10, &reading->p90, err)) {
        return false;
    }
    reading->value = median > 0 ? median : mean;
    return true;
}

static void add_reading(struct measurements *found, const struct reading *reading,
                        enum probe_kind kind)
{
    struct observation *seen = measurements_row(found);
    snprintf(seen->name, sizeof seen->name, "%.24s %.16s, %u core%s, %llu bytes", reading->quantity,
             reading->state, (unsigned)reading->cores, reading->cores == 1 ? "" : "s",
             (unsigned long long)reading->bytes);
    seen->measured = reading->value;
    seen->p10 = reading->p10;
    seen->p90 = reading->p90;
    seen->off = measurements_off(reading->value, reading->p10, reading->p90);
    seen->kind = kind;
    seen->cores = reading->cores;
    seen->bytes = reading->bytes;
}

/* Arm's instruction, or on other machines the nearest to it. */
static const char *flusher_of(const struct csv *table)
{
    static const char *const known[] = {"dc_civac", "clflushopt", "clflush"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        for (size_t row = 0; row < table->rows; row++) {
            if (strcmp(csv_cell(table, row, csv_column(table, "quantity")), known[i]) == 0) {
                return known[i];
            }
        }
    }
    return "";
}

/* Whether a row says something of a cost, and of what. */
static bool flush_kind(const struct reading *reading, uint64_t cache_bytes, enum probe_kind *kind)
{
    bool fits = (double)reading->bytes * (double)reading->cores <= IN_CACHE * (double)cache_bytes;
    static const char *const states[] = {"absent", "clean", "dirty"};
    for (int state = PROBE_ABSENT; state <= PROBE_DIRTY; state++) {
        if (strcmp(reading->state, states[state]) == 0) {
            *kind = (enum probe_kind)state;
            return reading->bytes > 0 && (state == PROBE_ABSENT || fits);
        }
    }
    return false;
}

/* The rows of bandwidth and latency that count: the largest of each. */
struct picked {
    struct reading latency, write, write_all, read;
};

static void keep_larger(struct reading *kept, const struct reading *other, bool larger)
{
    if (kept->value == 0 || larger) {
        *kept = *other;
    }
}

static bool pick(struct picked *picked, const struct reading *reading)
{
    bool writes = strcmp(reading->state, "write") == 0;
    if (strcmp(reading->quantity, "mem_latency") == 0) {
        keep_larger(&picked->latency, reading, reading->bytes > picked->latency.bytes);
        return true;
    }
    if (strcmp(reading->quantity, "mem_bandwidth") != 0) {
        return false;
    }
    if (reading->cores == 1) {
        *(writes ? &picked->write : &picked->read) = *reading;
    } else if (writes) {
        keep_larger(&picked->write_all, reading, reading->cores > picked->write_all.cores);
    }
    return true;
}

/* What a platform file takes; a line size is a power of two besides. */
static const struct machine_fact {
    const char *quantity;
    double least, most;
    bool whole, power;
} machine_facts[] = {{"clock", 1e7, 2e10, false, false},
                     {"cores", 1, 4096, true, false},
                     {"line_bytes", 16, 2048, true, true}};
#define MACHINE_FACTS (sizeof machine_facts / sizeof *machine_facts)

static bool fact_holds(const struct machine_fact *fact, double value)
{
    bool within = value >= fact->least && value <= fact->most;
    bool whole = within && (!fact->whole || !(floor(value) < value));
    return whole && (!fact->power || ((uint64_t)value & ((uint64_t)value - 1)) == 0);
}

/* *known: the row says something of the machine itself. */
static bool know_machine(const struct csv *table, size_t row, const struct reading *reading,
                         struct measurements *found, bool *known, struct error *err)
{
    struct source_location at = {table->path, table->lines[row], "value"};
    size_t i = 0;
    while (i < MACHINE_FACTS && strcmp(reading->quantity, machine_facts[i].quantity) != 0) {
        i++;
    }
    *known = i < MACHINE_FACTS;
    if (*known && !fact_holds(&machine_facts[i], reading->value)) {
        return error_input(err, &at, "found %g for %s, expected %s%g to %g", reading->value,
                           reading->quantity,
                           machine_facts[i].power   ? "a power of two from "
                           : machine_facts[i].whole ? "a whole number from "
                                                    : "",
                           machine_facts[i].least, machine_facts[i].most);
    }
    found->clock_ghz = i == 0 ? reading->value / 1e9 : found->clock_ghz;
    found->cores = i == 1 ? (uint64_t)reading->value : found->cores;
    found->line_bytes = i == 2 ? (uint64_t)reading->value : found->line_bytes;
    return true;
}

/* A copy reads a byte and writes one. */
static double copied(double read, double write)
{
    return read > 0 && write > 0 ? 1 / (1 / read + 1 / write) : 0;
}

static void add_picked(struct measurements *found, const struct picked *picked)
{
    const struct reading *read = &picked->read, *write = &picked->write;
    if (picked->latency.value > 0) {
        add_reading(found, &picked->latency, PROBE_LATENCY);
    }
    if (write->value > 0) {
        add_reading(found, write, PROBE_WRITE);
    }
    if (picked->write_all.value > 0) {
        add_reading(found, &picked->write_all, PROBE_WRITE_ALL);
    }
    if (read->value > 0 && write->value > 0) {
        struct reading copy = *write;
        copy.state = "read and write";
        copy.value = copied(read->value, write->value);
        copy.p10 = copied(read->p10, write->p10);
        copy.p90 = copied(read->p90, write->p90);
        add_reading(found, &copy, PROBE_COPY);
    }
}

static bool check_columns(const struct csv *table, struct error *err)
{
    static const char *const needed[] = {"quantity", "state", "cores", "bytes", "value"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        struct source_location at = {.file = table->path, .key = needed[i]};
        if (csv_column(table, needed[i]) < 0) {
            return error_input(err, &at, "missing: expected a column of that name");
        }
    }
    return true;
}

/* Two runs in one file would count as more evidence than they are. */
static bool check_twice(const struct csv *table, size_t row, struct error *err)
{
    static const char *const key[] = {"quantity", "state", "cores", "bytes"};
    struct source_location at = {.file = table->path, .line = table->lines[row]};
    for (size_t other = 0; other < row; other++) {
        bool same = true;
        for (size_t i = 0; same && i < sizeof key / sizeof *key; i++) {
            int column = csv_column(table, key[i]);
            same = strcmp(csv_cell(table, row, column), csv_cell(table, other, column)) == 0;
        }
        if (same) {
            return error_input(err, &at, "found the quantity of line %u again, expected one run",
                               table->lines[other]);
        }
    }
    return true;
}

static bool read_probe(const struct csv *table, uint64_t cache_bytes, struct measurements *found,
                       struct error *err)
{
    const char *flusher = flusher_of(table);
    struct picked picked = {0};
    found->probe = true;
    for (size_t row = 0; row < table->rows; row++) {
        struct reading reading;
        enum probe_kind kind;
        bool known;
        if (!read_cells(table, row, &reading, err) || !check_twice(table, row, err) ||
            !know_machine(table, row, &reading, found, &known, err)) {
            return false;
        }
        bool flush = strcmp(reading.quantity, flusher) == 0;
        if (flush && flush_kind(&reading, cache_bytes, &kind)) {
            add_reading(found, &reading, kind);
        } else if (!known && !pick(&picked, &reading)) {
            found->passed_over++;
        }
    }
    add_picked(found, &picked);
    measurements_judge(found);
    return true;
}

bool measurements_read(const char *path, const struct platform *base, bool any_size,
                       struct measurements *found, struct error *err)
{
    struct csv table;
    struct source_location at = {.file = path};
    *found = (struct measurements){.path = path};
    if (!csv_read(path, &table, err)) {
        return false;
    }
    bool good;
    if (csv_column(&table, "quantity") >= 0) {
        good = check_columns(&table, err) &&
               read_probe(&table, any_size ? UINT64_MAX : base->cache_bytes, found, err);
    } else if (csv_column(&table, "benchmark") >= 0) {
        good = read_benchmarks(path, found, err);
    } else if (csv_column(&table, "median_ns") >= 0) {
        good = calibrate_read_times(path, base, found, err);
    } else {
        good = error_input(
            err, &at,
            "found none of the columns expected: benchmark (bench/published/README.md), "
            "quantity and median_ns (bench/kvm/PROBE.md)");
    }
    if (good && found->count == 0) {
        good = error_input(err, &at, "found no row that a cost could follow from%s%s",
                           found->refusal[0] ? ": " : "", found->refusal);
    }
    csv_free(&table);
    if (!good) {
        measurements_free(found);
    }
    return good;
}

void measurements_free(struct measurements *found)
{
    free(found->rows);
    published_free(&found->published);
    counts_free(&found->counts);
    *found = (struct measurements){0};
}
