#include "check/published/published.h"

#include "core/alloc.h"
#include "core/csv.h"
#include "core/datadir.h"
#include "core/error.h"
#include "vm/backing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_DIR "bench/published/hosts"
#define PLATFORM_DIR "model/machine/platforms"

const char *const role_name[] = {"fit", "predict", NULL};

static const char *const yes_no[] = {"no", "yes", NULL};
static const char *const split_name[] = {"lazy", "eager", NULL};

static const struct {
    const char *name;
    double ps;
} units[] = {{"s", 1e12}, {"ms", 1e9}, {"us", 1e6}, {"ns", 1e3}};

/* --- cells --- */

struct row_cells {
    const struct csv *table;
    size_t row;
};

static const char *text_of(const struct row_cells *cells, const char *column)
{
    return csv_cell(cells->table, cells->row, csv_column(cells->table, column));
}

static struct source_location place_of(const struct row_cells *cells, const char *column)
{
    return (struct source_location){cells->table->path, cells->table->lines[cells->row], column};
}

static bool copy_cell(const struct row_cells *cells, const char *column, bool needed, char *target,
                      size_t size, struct error *err)
{
    struct source_location at = place_of(cells, column);
    const char *text = text_of(cells, column);
    if (strlen(text) >= size) {
        return error_input(err, &at, "found %zu characters, expected at most %zu", strlen(text),
                           size - 1);
    }
    if (needed && text[0] == '\0') {
        return error_input(err, &at, "found '', expected a value");
    }
    snprintf(target, size, "%s", text);
    return true;
}

/* The word's index in a NULL-terminated list, or -1. */
static int index_of(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

/* One of a few words; an empty cell is `fallback`. */
static bool choice_cell(const struct row_cells *cells, const char *column, const char *const *words,
                        int fallback, int *value, struct error *err)
{
    const char *text = text_of(cells, column);
    struct source_location at = place_of(cells, column);
    *value = text[0] == '\0' ? fallback : index_of(text, words);
    if (*value < 0 && text[0] != '\0') {
        return error_input(err, &at, "found '%s', expected %s or %s", text, words[0], words[1]);
    }
    return true;
}

static bool whole_cell(const struct row_cells *cells, const char *column, enum unit unit,
                       uint64_t fallback, uint64_t *value, struct error *err)
{
    const char *text = text_of(cells, column);
    struct source_location at = place_of(cells, column);
    *value = fallback;
    if (text[0] != '\0' && !unit_parse_whole(text, unit, value)) {
        return error_input(err, &at, "found '%s', expected a whole number%s", text,
                           unit == UNIT_BYTES ? " of bytes such as 20G" : "");
    }
    return true;
}

/* Half of the last digit's worth: of 0.54 it is 0.005. An exponent moves the point
 * and leaves the digits. */
static double half_last_digit(const char *text)
{
    const char *point = strchr(text, '.'), *exponent = strpbrk(text, "eE");
    size_t end = exponent ? (size_t)(exponent - text) : strlen(text);
    double digits = point ? (double)(text + end - point - 1) : 0;
    return 0.5 * pow(10, (exponent ? strtod(exponent + 1, NULL) : 0) - digits);
}

/* Figures with a space between are repetitions: the value is their mean, which is off by its
 * standard error, and by rounding as each of them is: repetitions may all be rounded the same way.
 */
static bool read_figures(const char *text, struct published *row)
{
    char copy[80], *rest = NULL;
    double sum = 0, squares = 0, half = 0, count = 0, each;
    if (strlen(text) >= sizeof copy) {
        return false;
    }
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (!unit_parse(word, UNIT_NONE, &each) || each <= 0) {
            return false;
        }
        double before = count > 0 ? each - sum / count : 0;
        squares += before * before * count / (count + 1);
        sum += each;
        count++;
        half = half_last_digit(word);
    }
    if (count == 0) {
        return false;
    }
    row->value = sum / count;
    double spread = count > 1 ? sqrt(squares / (count - 1) / count) : 0;
    row->error = hypot(half / sqrt(3), spread) / row->value;
    return true;
}

static bool measured_cells(const struct row_cells *cells, struct published *row, struct error *err)
{
    struct source_location at = place_of(cells, "value"), unit_at = place_of(cells, "unit");
    const char *text = text_of(cells, "value");
    row->bound = text[0] == '>' ? BOUND_ABOVE : text[0] == '<' ? BOUND_BELOW : BOUND_NONE;
    text += row->bound != BOUND_NONE;
    if (!read_figures(text, row)) {
        return error_input(err, &at,
                           "found '%s', expected a time above 0, repetitions such as 0.7 0.8, or a "
                           "bound such as >0.1 or <12",
                           text);
    }
    row->error = row->bound == BOUND_NONE ? row->error : 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(row->unit, units[i].name) == 0) {
            row->unit_ps = units[i].ps;
            return true;
        }
    }
    return error_input(err, &unit_at, "found '%s', expected s, ms, us or ns", row->unit);
}

/* --- what the model makes of a row --- */

/* The first reason counts. */
static void refuse(struct published *row, const char *format, const char *word)
{
    if (row->refusal[0] == '\0') {
        snprintf(row->refusal, sizeof row->refusal, format, word);
    }
}

static int known(struct published *row, const char *format, const char *word,
                 const char *const *words)
{
    int index = index_of(word, words);
    if (index < 0) {
        refuse(row, format, word);
    }
    return index < 0 ? 0 : index;
}

static void set_benchmark(const struct row_cells *cells, struct published *row, uint64_t stride,
                          bool eager)
{
    struct error err;
    int kind = known(row, "no benchmark '%s' in the model", row->benchmark, benchmark_name);
    bool ends = kind == BENCHMARK_TEARDOWN && row->phase[0] == '\0'; /* it has one phase */
    int phase =
        ends ? BENCHMARK_EXIT
             : known(row, "no benchmark phase '%s' in the model", row->phase, benchmark_phase_name);
    int backing =
        known(row, "no backing '%s' in the model", text_of(cells, "backing"), backing_name);
    row->benchmarked =
        (struct benchmark){.kind = (enum benchmark_kind)kind,
                           .phase = (enum benchmark_phase)phase,
                           .backing = (enum backing)backing,
                           .bytes = row->bytes,
                           .vcpus = (uint32_t)(row->vcpus < UINT32_MAX ? row->vcpus : UINT32_MAX),
                           .stride = stride,
                           .eager_split = eager};
    if (row->refusal[0] == '\0' && !benchmark_check(&row->benchmarked, &err)) {
        refuse(row, "%.190s", err.text);
    }
}

static void set_kernel(const struct row_cells *cells, struct published *row)
{
    struct error err;
    if (!kernel_resolve(text_of(cells, "kernel"), &row->kernel, &err) ||
        !kernel_override(&row->kernel, row->overrides, NULL, &err)) {
        refuse(row, "%.190s", err.text);
    }
}

static bool find_host(const char *folder, const char *name, char *path, size_t size)
{
    char relative[256];
    snprintf(relative, sizeof relative, "%s/%s.ini", folder, name);
    return !strchr(name, '/') && datadir_find(relative, path, size);
}

bool published_host_path(const char *name, char *path, size_t size)
{
    return find_host(HOST_DIR, name, path, size) || find_host(PLATFORM_DIR, name, path, size);
}

bool published_host(const char *name, struct platform *platform, struct error *err)
{
    char path[4096];
    return find_host(HOST_DIR, name, path, sizeof path) ? platform_read(path, platform, err)
                                                        : platform_load(name, platform, err);
}

/* -1: as the machine has it. */
struct features {
    int fwb, tlbirange, cmo;
};

static bool same_machine(const struct platform *a, const struct platform *b)
{
    return strcmp(a->name, b->name) == 0 && a->fwb == b->fwb && a->tlbirange == b->tlbirange;
}

/* Rows of one machine share it. */
static void use_machine(struct published_set *set, struct published *row,
                        const struct platform *host, const struct features *features)
{
    struct platform found = *host;
    struct error err;
    found.fwb = features->fwb < 0 ? found.fwb : features->fwb == 1;
    found.tlbirange = features->tlbirange < 0 ? found.tlbirange : features->tlbirange == 1;
    row->strategy = *strategy_find(found.fwb ? "fwb" : "unmap", &err);
    if (features->cmo == 0) {
        row->strategy.fault_cleans = row->strategy.notifier_unmap_cleans = false;
        row->strategy.reinit_unmap_cleans = false;
    }
    for (size_t i = 0; i < set->platform_count; i++) {
        if (same_machine(set->platforms[i], &found)) {
            row->platform = set->platforms[i];
            return;
        }
    }
    set->platforms = alloc_checked(
        realloc(set->platforms, (set->platform_count + 1) * sizeof(void *)), "the published hosts");
    row->platform = alloc_checked(malloc(sizeof found), "the published hosts");
    *row->platform = found;
    set->platforms[set->platform_count++] = row->platform;
}

static void set_machine(struct published_set *set, struct published *row,
                        const struct features *features)
{
    struct platform found;
    struct error err;
    if (!published_host(row->host, &found, &err)) {
        refuse(row, "%.190s", err.text);
        return;
    }
    use_machine(set, row, &found, features);
}

/* --- rows and files --- */

static bool read_names(const struct row_cells *cells, struct published *row, struct error *err)
{
    return copy_cell(cells, "table", true, row->table, sizeof row->table, err) &&
           copy_cell(cells, "row", true, row->row, sizeof row->row, err) &&
           copy_cell(cells, "benchmark", true, row->benchmark, sizeof row->benchmark, err) &&
           copy_cell(cells, "phase", false, row->phase, sizeof row->phase, err) &&
           copy_cell(cells, "host", true, row->host, sizeof row->host, err) &&
           copy_cell(cells, "overrides", false, row->overrides, sizeof row->overrides, err) &&
           copy_cell(cells, "unit", true, row->unit, sizeof row->unit, err);
}

static bool read_row(const struct row_cells *cells, struct published_set *set,
                     struct published *row, struct error *err)
{
    struct features features;
    uint64_t stride;
    int role, split;
    struct source_location at = place_of(cells, "role");
    if (!read_names(cells, row, err) || !measured_cells(cells, row, err) ||
        !choice_cell(cells, "role", role_name, -1, &role, err) ||
        !choice_cell(cells, "split", split_name, 0, &split, err) ||
        !choice_cell(cells, "fwb", yes_no, -1, &features.fwb, err) ||
        !choice_cell(cells, "tlbirange", yes_no, -1, &features.tlbirange, err) ||
        !choice_cell(cells, "cmo", yes_no, -1, &features.cmo, err) ||
        !whole_cell(cells, "bytes", UNIT_BYTES, 0, &row->bytes, err) ||
        !whole_cell(cells, "vcpus", UNIT_NONE, 1, &row->vcpus, err) ||
        !whole_cell(cells, "stride", UNIT_BYTES, 4096, &stride, err)) {
        return false;
    }
    if (role < 0) {
        return error_input(err, &at, "found '', expected fit or predict");
    }
    row->role = (enum row_role)role;
    if (row->bound != BOUND_NONE && row->role == ROLE_FIT) {
        return error_input(err, &at, "found fit beside a bound, expected predict");
    }
    set_benchmark(cells, row, stride, split == 1);
    if (row->refusal[0] == '\0') {
        set_kernel(cells, row);
    }
    if (row->refusal[0] == '\0') {
        set_machine(set, row, &features);
    }
    return true;
}

static bool is_known(const struct published_set *set, const struct published *row)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rows[i].table, row->table) == 0 &&
            strcmp(set->rows[i].row, row->row) == 0) {
            return true;
        }
    }
    return false;
}

bool published_read(const char *path, struct published_set *set, struct error *err)
{
    struct csv table;
    if (!csv_read(path, &table, err)) {
        return false;
    }
    static const char *const needed[] = {"table",  "row",     "benchmark", "phase", "host",
                                         "kernel", "backing", "bytes",     "vcpus", "value",
                                         "unit",   "role",    "source",    NULL};
    struct source_location whole = {.file = path};
    bool ok = csv_needs(&table, needed, err);
    if (ok && table.rows > PUBLISHED_ROWS - set->count) {
        ok = error_input(err, &whole, "found %zu rows, expected at most %zu", table.rows,
                         PUBLISHED_ROWS - set->count);
    }
    set->rows = alloc_checked(realloc(set->rows, (set->count + table.rows + 1) * sizeof *set->rows),
                              "published rows");
    for (size_t i = 0; ok && i < table.rows; i++) {
        struct row_cells cells = {&table, i};
        struct published row = {0};
        ok = read_row(&cells, set, &row, err);
        if (ok && is_known(set, &row)) {
            struct source_location at = place_of(&cells, "row");
            ok = error_input(err, &at, "table %s has a row '%s' already", row.table, row.row);
        }
        if (ok) {
            set->rows[set->count++] = row;
        }
    }
    csv_free(&table);
    return ok;
}

bool published_take(struct published_set *set, const struct published *row,
                    const struct platform *platform, const char *kernel, struct error *err)
{
    struct published taken = *row;
    const struct features as_it_is = {-1, -1, -1};
    if (!kernel_resolve(kernel, &taken.kernel, err)) {
        return false;
    }
    snprintf(taken.host, sizeof taken.host, "%s", platform->name);
    use_machine(set, &taken, platform, &as_it_is);
    set->rows =
        alloc_checked(realloc(set->rows, (set->count + 1) * sizeof *set->rows), "published rows");
    set->rows[set->count++] = taken;
    return true;
}

struct observation published_observation(const struct published *row)
{
    struct observation seen = {.kind = OBSERVED_BENCHMARK,
                               .measured = row->value * row->unit_ps,
                               .off = ROW_ERROR,
                               .row = row};
    snprintf(seen.name, sizeof seen.name, "%s %s", row->table, row->row);
    return seen;
}

void published_free(struct published_set *set)
{
    for (size_t i = 0; i < set->platform_count; i++) {
        free(set->platforms[i]);
    }
    free(set->platforms);
    free(set->rows);
    *set = (struct published_set){0};
}
