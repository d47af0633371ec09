/* Rows of `probe machine`, and what the flushes among them say before anything is fitted:
 * where the search for each cost begins, and whether cores together filled a path that
 * they share. */
#include "check/calibrate/measurements.h"

#include "core/error.h"

#include <math.h>
#include <string.h>

/* A buffer of more than that share of the caches is not wholly in them. */
#define IN_CACHE 0.5

/* Cores that take so much longer together than one alone wait for each other; and
 * a path that is so much narrower than another is the one they wait for. */
#define FULL 1.15

/* --- rows --- */

struct reading {
    const char *quantity, *state;
    uint64_t cores, bytes;
    double value, p10, p90;
};

static bool is_flush(const struct observation *seen)
{
    return seen->kind <= PROBE_DIRTY;
}

static double lines_of(const struct observation *seen)
{
    return (double)seen->bytes / (double)seen->line_bytes;
}

/* --- what the flushes say before anything is fitted --- */

/* One core's row of that kind with the largest buffer, or the smallest; or NULL. */
static const struct observation *alone(const struct measurements *found, enum observed kind,
                                       bool largest)
{
    const struct observation *best = NULL;
    for (size_t i = 0; i < found->count; i++) {
        const struct observation *seen = &found->rows[i];
        if (is_flush(seen) && seen->kind == kind && seen->cores == 1 &&
            (!best || (seen->bytes > best->bytes) == largest)) {
            best = seen;
        }
    }
    return best;
}

/* The more lines, the less of the barrier is in each. 0: no two sizes tell it. */
static double barrier(const struct measurements *found)
{
    for (enum observed kind = PROBE_ABSENT; kind <= PROBE_DIRTY; kind++) {
        const struct observation *small = alone(found, kind, false),
                                 *large = alone(found, kind, true);
        if (small && small->bytes < large->bytes && small->measured > large->measured) {
            return (small->measured - large->measured) /
                   (1 / lines_of(small) - 1 / lines_of(large));
        }
    }
    return 0;
}

/* A line without its share of the barrier. */
static double line_ns(const struct measurements *found, const struct observation *seen)
{
    double line = seen->measured - found->start[COST_dsb_ns] / lines_of(seen);
    return fmax(line, seen->measured / 100);
}

static void begin_lines(struct measurements *found)
{
    const struct observation *row[] = {alone(found, PROBE_ABSENT, true),
                                       alone(found, PROBE_CLEAN, true),
                                       alone(found, PROBE_DIRTY, true)};
    found->start[COST_dsb_ns] = barrier(found);
    if (row[PROBE_ABSENT]) {
        found->start[COST_dc_absent_ns] = line_ns(found, row[PROBE_ABSENT]);
    }
    if (row[PROBE_ABSENT] && row[PROBE_CLEAN]) {
        found->start[COST_dc_clean_ratio] =
            line_ns(found, row[PROBE_CLEAN]) / line_ns(found, row[PROBE_ABSENT]);
    }
    if (row[PROBE_CLEAN] && row[PROBE_DIRTY]) {
        found->start[COST_dc_dirty_ratio] =
            line_ns(found, row[PROBE_DIRTY]) / line_ns(found, row[PROBE_CLEAN]);
    }
}

/* How much longer than one core alone; 0 where there is no such row. */
static double slowdown(const struct measurements *found, const struct observation *seen)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct observation *one = &found->rows[i];
        if (is_flush(one) && one->cores == 1 && one->kind == seen->kind &&
            one->bytes == seen->bytes) {
            return line_ns(found, seen) / line_ns(found, one);
        }
    }
    return 0;
}

/* However many cores flush, each line takes its time of the path that they share:
 * at most a line's time over the number of cores, and that where they wait. */
static double share_of(const struct measurements *found, bool dirty, bool *full)
{
    double min = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct observation *seen = &found->rows[i];
        if (is_flush(seen) && seen->cores > 1 && (seen->kind == PROBE_DIRTY) == dirty) {
            double each = line_ns(found, seen) / (double)seen->cores;
            min = min > 0 ? fmin(min, each) : each;
            *full |= slowdown(found, seen) > FULL;
        }
    }
    return min;
}

static void judge(struct measurements *found)
{
    bool dirty_full = false;
    uint64_t line = found->line_bytes > 0 ? found->line_bytes : 64;
    for (size_t i = 0; i < found->count; i++) {
        found->rows[i].line_bytes = line;
    }
    begin_lines(found);
    found->cmo_path_max_ns = share_of(found, false, &found->cmo_path_full);
    double dirty_ns = share_of(found, true, &dirty_full);
    found->writeback_min_gbps = dirty_ns > 0 ? (double)line / dirty_ns : 0;
    /* Else dirty lines may wait for the path that all lines take. */
    found->writeback_full = dirty_full && dirty_ns > FULL * found->cmo_path_max_ns;
    found->start[COST_cmo_path_ns] = found->cmo_path_max_ns;
    found->start[COST_writeback_gbps] = found->writeback_min_gbps;
}

/* --- reading --- */

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
                        enum observed kind)
{
    struct observation *seen = measurements_row(found);
    snprintf(seen->name, sizeof seen->name, "%.24s %.16s, %u core%s, %llu bytes", reading->quantity,
             reading->state, (unsigned)reading->cores, reading->cores == 1 ? "" : "s",
             (unsigned long long)reading->bytes);
    seen->measured = reading->value;
    seen->p10 = reading->p10;
    seen->p90 = reading->p90;
    seen->off = measurements_off(reading->value, reading->p10, reading->p90);
    measurements_note_noise(found, seen);
    seen->kind = kind;
    seen->cores = reading->cores;
    seen->bytes = reading->bytes;
}

/* Arm's instruction, or on other machines the nearest to it, which can be compared with a platform
 * but makes none. */
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
static bool flush_kind(const struct reading *reading, uint64_t cache_bytes, enum observed *kind)
{
    bool fits = (double)reading->bytes * (double)reading->cores <= IN_CACHE * (double)cache_bytes;
    static const char *const states[] = {"absent", "clean", "dirty"};
    for (int state = PROBE_ABSENT; state <= PROBE_DIRTY; state++) {
        if (strcmp(reading->state, states[state]) == 0) {
            *kind = (enum observed)state;
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
    double min, max;
    bool whole, power;
} machine_facts[] = {{"clock", 1e7, 2e10, false, false},
                     {"cores", 1, 4096, true, false},
                     {"line_bytes", 16, 2048, true, true}};
#define MACHINE_FACTS (sizeof machine_facts / sizeof *machine_facts)

static bool fact_holds(const struct machine_fact *fact, double value)
{
    bool within = value >= fact->min && value <= fact->max;
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
                           machine_facts[i].min, machine_facts[i].max);
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

bool measurements_read_probe(const struct csv *table, uint64_t cache_bytes,
                             struct measurements *found, struct error *err)
{
    static const char *const needed[] = {"quantity", "state", "cores", "bytes", "value", NULL};
    const char *flusher = flusher_of(table);
    found->foreign = flusher[0] && strcmp(flusher, "dc_civac") != 0 ? flusher : NULL;
    struct picked picked = {0};
    found->probe = true;
    if (!csv_needs(table, needed, err)) {
        return false;
    }
    for (size_t row = 0; row < table->rows; row++) {
        struct reading reading;
        enum observed kind;
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
    judge(found);
    return true;
}

bool measurements_path_limit(const struct measurements *found, enum cost_id id, char *why,
                             size_t size)
{
    if (id == COST_cmo_path_ns && found->cmo_path_max_ns > 0) {
        snprintf(why, size, "cmo_path_ns: no row waits for it, so it is at most %.3g ns",
                 found->cmo_path_max_ns);
        return true;
    }
    if (id == COST_writeback_gbps && found->writeback_min_gbps > 0) {
        snprintf(why, size, "writeback_gbps: no row waits for it, so it is at least %.3g GB/s",
                 found->writeback_min_gbps);
        return true;
    }
    return false;
}
