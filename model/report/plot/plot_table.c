#include "report/plot/plot_table.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/file.h"
#include "core/u64.h"
#include "report/words.h"
#include "study/setup.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what a figure needs --- */

struct plot_room {
    struct plot_room *next;
    max_align_t memory[];
};

void *plot_room(struct plot *plot, size_t count, size_t size)
{
    struct plot_room *one =
        alloc_zeroed(1, sizeof *one + u64_mul(count, size, "a figure"), "a figure");
    one->next = plot->first;
    plot->first = one;
    return one->memory;
}

char *plot_text(struct plot *plot, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    size_t size = (size_t)(length < 0 ? 0 : length) + 1;
    char *text = plot_room(plot, size, 1);
    va_start(list, format);
    (void)vsnprintf(text, size, format, list);
    va_end(list);
    return text;
}

void plot_free(struct plot *plot)
{
    while (plot->first) {
        struct plot_room *next = plot->first->next;
        free(plot->first);
        plot->first = next;
    }
}

/* --- values --- */

static size_t place_of(const struct plot_values *values, const char *text)
{
    for (size_t i = 0; i < values->count; i++) {
        if (strcmp(values->text[i], text) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

struct plot_values plot_values(const struct csv *table, const char *column)
{
    struct plot_values values = {.count = 0};
    int at = csv_column(table, column);
    for (size_t row = 0; at >= 0 && row < table->rows && values.count < PLOT_VALUES; row++) {
        const char *text = csv_cell(table, row, at);
        if (place_of(&values, text) == SIZE_MAX) {
            values.text[values.count++] = text;
        }
    }
    return values;
}

const char *plot_nearest(const struct plot_values *values, double wanted)
{
    const char *nearest = NULL;
    double min = INFINITY;
    for (size_t i = 0; i < values->count; i++) {
        double value = strtod(values->text[i], NULL);
        double off = value > 0 ? fabs(log(value / wanted)) : 1e9;
        if (off < min) {
            min = off;
            nearest = values->text[i];
        }
    }
    return nearest;
}

/* --- rows --- */

size_t plot_row(const struct csv *table, const struct plot_match *match, size_t count)
{
    int column[8];
    for (size_t i = 0; i < count; i++) {
        column[i] = match[i].value ? csv_column(table, match[i].column) : -1;
    }
    for (size_t row = 0; row < table->rows; row++) {
        size_t i = 0;
        while (i < count &&
               (column[i] < 0 || strcmp(csv_cell(table, row, column[i]), match[i].value) == 0)) {
            i++;
        }
        if (i == count) {
            return row;
        }
    }
    return PLOT_NO_ROW;
}

const char *plot_cell(const struct csv *table, size_t row, const char *column)
{
    return row == PLOT_NO_ROW ? "" : csv_cell(table, row, csv_column(table, column));
}

double plot_number(const struct csv *table, size_t row, const char *column)
{
    const char *text = plot_cell(table, row, column);
    char *end;
    double value = strtod(text, &end);
    return text[0] && !*end ? value : NAN;
}

enum metric plot_metric(const struct csv *table)
{
    enum metric metric = METRIC_added_boot_ns;
    for (int i = 0; table->rows && i < METRICS; i++) {
        bool is = strcmp(metric_name[i], plot_cell(table, 0, "metric")) == 0;
        metric = is ? (enum metric)i : metric;
    }
    return metric;
}

struct band plot_band(const struct csv *table, size_t row)
{
    double median = plot_number(table, row, "p50");
    if (!isfinite(median)) {
        return (struct band){plot_number(table, row, "mode"), NAN, NAN};
    }
    return (struct band){median, plot_number(table, row, "p10"), plot_number(table, row, "p90")};
}

bool plot_stale(const struct csv *table, size_t row)
{
    return strcmp(plot_cell(table, row, "verdict"), "stale") == 0;
}

bool plot_hypothetical(const struct csv *table, size_t row)
{
    const char *text = plot_cell(table, row, "hypothetical");
    return text[0] && strcmp(text, "no") != 0;
}

bool plot_conditional(const struct csv *table, size_t row)
{
    return strcmp(plot_cell(table, row, "verdict"), "only-if") == 0;
}

bool plot_sound(const struct csv *table, size_t row)
{
    return row != PLOT_NO_ROW && !plot_stale(table, row) && !plot_hypothetical(table, row) &&
           isfinite(plot_band(table, row).mid);
}

/* --- words --- */

static int by_value(const void *a, const void *b)
{
    double x = strtod(*(const char *const *)a, NULL), y = strtod(*(const char *const *)b, NULL);
    return (x > y) - (x < y);
}

void plot_ticks(struct plot *plot, struct plot_values *along, enum unit unit,
                struct chart_tick tick[], struct chart_lines *chart)
{
    double low = INFINITY, high = 0;
    qsort(along->text, along->count, sizeof *along->text, by_value);
    for (size_t k = 0; k < along->count; k++) {
        double at = strtod(along->text[k], NULL);
        char text[QUANTITY_TEXT];
        tick[k] = (struct chart_tick){at, plot_text(plot, "%s", quantity_value(at, unit, text))};
        low = at > 0 ? fmin(low, at) : low;
        high = fmax(high, at);
    }
    chart->tick = tick;
    chart->ticks = along->count;
    chart->x_log = unit != UNIT_RATIO && high / low >= 8;
}

const char *plot_strategy(struct plot *plot, size_t row)
{
    const struct csv *table = plot->table;
    const char *name = plot_cell(table, row, "strategy");
    return plot_text(plot, "%s%s%s", name, plot_conditional(table, row) ? " *" : "",
                     strcmp(name, PLOT_LINUX) == 0   ? " (Linux)"
                     : plot_hypothetical(table, row) ? " (hypothetical)"
                                                     : "");
}

unsigned plot_style(const struct plot_values *strategies, size_t strategy)
{
    size_t linux_at = place_of(strategies, PLOT_LINUX);
    size_t rank = strategy - (linux_at < strategy ? 1 : 0);
    return strategy == linux_at ? 0 : 1 + (unsigned)(rank % (CHART_STYLES - 1));
}

const char *plot_first_of(struct plot *plot, size_t shown, size_t cases)
{
    return shown < cases ? plot_text(plot, " The first %zu of %zu cases.", shown, cases) : "";
}

/* --- what no axis says --- */

#define RUN_BYTES_MAX ((size_t)1 << 26)

/* The run.json beside a table; NULL: there is none that can be read. */
static json_t *run_beside(const struct csv *table)
{
    char path[4096], *text = NULL;
    const char *slash = strrchr(table->path, '/');
    size_t length;
    struct error unused;
    int used = snprintf(path, sizeof path, "%.*srun.json",
                        slash ? (int)(slash - table->path) + 1 : 0, table->path);
    if (used < 0 || (size_t)used >= sizeof path || access(path, F_OK) != 0 ||
        !file_slurp(path, RUN_BYTES_MAX, &text, &length, &unused)) {
        return NULL;
    }
    json_t *run = json_loadb(text, length, 0, NULL);
    free(text);
    return run;
}

static bool is_axis(const json_t *run, const char *key)
{
    size_t i;
    const json_t *axis;
    json_array_foreach(json_object_get(json_object_get(run, "study"), "axes"), i, axis)
    {
        const char *name = json_string_value(json_object_get(axis, "name"));
        if (name && strcmp(name, key) == 0) {
            return true;
        }
    }
    return false;
}

/* A workload's own value; NULL: it is what was recorded, and no key says it. */
static const char *own_value(const json_t *workload, const char *key)
{
    const json_t *head = json_object_get(workload, "workload");
    const char *recording = json_string_value(json_object_get(head, "recording"));
    const char *vm = json_string_value(json_object_get(json_object_get(workload, "vm"), key));
    const char *boot = json_string_value(json_object_get(json_object_get(workload, "boot"), key));
    if (recording && recording[0]) {
        return NULL;
    }
    return vm && strcmp(vm, "as-recorded") == 0 ? "4k" : vm ? vm : boot ? boot : "";
}

/* The value that all workloads of a run have for a key that is no axis; "" where they have none,
 * or differ. */
static const char *held_value(const json_t *run, const char *key, bool *differ)
{
    const char *held = NULL, *name;
    json_t *workloads = json_object_get(json_object_get(run, "configuration"), "workloads");
    json_t *workload;
    if (is_axis(run, key)) {
        return "";
    }
    json_object_foreach(workloads, name, workload)
    {
        const char *own = own_value(workload, key);
        if (!own || (held && strcmp(own, held) != 0)) {
            *differ = true;
            return "";
        }
        held = own;
    }
    return held ? held : "";
}

/* --- words for values --- */

/* The granule that all rows have, which says how large leaves are; "": they have several. */
static const char *granule_of(struct plot *plot)
{
    const struct csv *table = plot->table;
    struct plot_values granules = plot_values(table, "granule");
    size_t first = table->rows ? 0 : PLOT_NO_ROW;
    json_t *run = run_beside(table);
    bool differ, several = granules.count > 1 || (granules.count == 0 && is_axis(run, "granule")) ||
                           strcmp(plot_cell(table, first, "x_key"), "granule") == 0 ||
                           strcmp(plot_cell(table, first, "y_key"), "granule") == 0;
    const char *held = granules.count == 1 ? granules.text[0] : held_value(run, "granule", &differ);
    held = plot_text(plot, "%s", several ? "" : held[0] ? held : "4K");
    json_decref(run);
    return held;
}

static const char *value_words(struct plot *plot, const char *granule, const char *key,
                               const char *value)
{
    char words[WORDS_TEXT];
    if (strcmp(key, "backing") == 0 && granule[0]) {
        words_leaf(granule, value, words);
    } else {
        words_value(key, value, setup_key_kind(key), words);
    }
    return plot_text(plot, "%s", words);
}

const char *plot_value(struct plot *plot, const char *key, const char *value)
{
    return value_words(plot, strcmp(key, "backing") == 0 ? granule_of(plot) : "", key, value);
}

const char *plot_case(struct plot *plot, const char *name)
{
    static const char key_granule[] = "granule=";
    const char *said = "", *own = strstr(name, key_granule);
    size_t skip = sizeof key_granule - 1;
    const char *granule =
        own ? plot_text(plot, "%.*s", (int)strcspn(own + skip, ";"), own + skip) : granule_of(plot);
    while (*name) {
        size_t key = strcspn(name, "=;"), length = strcspn(name, ";");
        const char *words =
            key < length
                ? value_words(plot, granule, plot_text(plot, "%.*s", (int)key, name),
                              plot_text(plot, "%.*s", (int)(length - key - 1), name + key + 1))
                : plot_text(plot, "%.*s", (int)length, name);
        said = plot_text(plot, "%s%s%s", said, said[0] ? ", " : "", words);
        name += length;
        name += strspn(name, "; ");
    }
    return said;
}

const char *plot_common(struct plot *plot, const char *also)
{
    const struct csv *table = plot->table;
    static const char *const keys[] = {"footprint", "touched", "vcpus",
                                       "backing",   "kernel",  "machine"};
    char *said = plot_text(plot, "%s", also);
    json_t *run = run_beside(table);
    bool differ = false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct plot_values values = plot_values(table, keys[i]);
        const char *value = values.count == 0   ? held_value(run, keys[i], &differ)
                            : values.count == 1 ? values.text[0]
                                                : "";
        if (value[0]) {
            said = plot_text(plot, "%s%s%s", said, said[0] ? ", " : "",
                             plot_value(plot, keys[i], value));
        }
    }
    json_decref(run);
    return differ ? plot_text(plot, "%s, the rest as each workload has it", said) : said;
}
