#include "report/rows.h"

#include "core/csv.h"
#include "report/tojson.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* One call tree writes the header, the CSV cells and the JSON members. */
struct row_writer {
    enum { WRITE_HEADER, WRITE_CSV, WRITE_JSONL } mode;
    FILE *out;
    bool more; /* the line has a cell already */
};

static void begin_row(struct row_writer *writer)
{
    writer->more = false;
    if (writer->mode == WRITE_JSONL) {
        fputc('{', writer->out);
    }
}

static void end_row(struct row_writer *writer)
{
    fputs(writer->mode == WRITE_JSONL ? "}\n" : "\n", writer->out);
}

/* A cell of a CSV line: the column's name in the header, the text elsewhere. */
static void cell(struct row_writer *writer, const char *name, const char *text)
{
    if (writer->more) {
        fputc(',', writer->out);
    }
    csv_put(writer->out, writer->mode == WRITE_HEADER ? name : text);
    writer->more = true;
}

static void print_string(FILE *out, const char *text)
{
    json_t *string = tojson_text(text);
    tojson_print(out, string, JSON_ENCODE_ANY);
    json_decref(string);
}

/* The name of a member of a JSON line. */
static void member(struct row_writer *writer, const char *name)
{
    if (writer->more) {
        fputc(',', writer->out);
    }
    print_string(writer->out, name);
    fputc(':', writer->out);
    writer->more = true;
}

static void put_text(struct row_writer *writer, const char *name, const char *text)
{
    if (writer->mode == WRITE_JSONL) {
        member(writer, name);
        print_string(writer->out, text);
    } else {
        cell(writer, name, text ? text : "");
    }
}

/* A number has as few digits as tell it from all others, which jansson does not offer. */
static void put_number(struct row_writer *writer, const char *name, const char *digits)
{
    if (writer->mode == WRITE_JSONL) {
        member(writer, name);
        fputs(digits, writer->out);
    } else {
        cell(writer, name, digits);
    }
}

static void put_real(struct row_writer *writer, const char *name, bool known, double value)
{
    char text[40] = "";
    if (!known || (writer->mode == WRITE_JSONL && !isfinite(value))) {
        put_text(writer, name, NULL);
    } else {
        put_number(writer, name, unit_format_real(value, text, sizeof text));
    }
}

static void put_whole(struct row_writer *writer, const char *name, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put_number(writer, name, text);
}

/* Numbers of an axis are plain decimal text already. */
static void put_axis(struct row_writer *writer, const struct axis *axis, size_t point)
{
    const char *text = axis->values.text[study_digit(axis, point)];
    double value;
    if (axis->kind.number && unit_parse(text, UNIT_NONE, &value)) {
        put_real(writer, axis->name, true, value);
    } else {
        put_text(writer, axis->name, text);
    }
}

static void put_row(struct row_writer *writer, const struct study *study, size_t index,
                    const struct point_result *point, int metric)
{
    const struct spread *spread = &point->metric[metric];
    bool drawn = spread->known && spread->n > 0;
    char condition[512];
    verdict_condition(point->verdict, point->worst, condition, sizeof condition);
    begin_row(writer);
    put_text(writer, "study", study->name);
    for (size_t a = 0; a < study->axis_count; a++) {
        put_axis(writer, &study->axes[a], index);
    }
    put_text(writer, "metric", metric_name[metric]);
    put_text(writer, "unit", metric_unit[metric]);
    put_whole(writer, "n", spread->n);
    put_real(writer, "mode", spread->known, spread->mode);
    put_real(writer, "mean", drawn, spread->mean);
    put_real(writer, "p10", drawn, spread->p10);
    put_real(writer, "p50", drawn, spread->p50);
    put_real(writer, "p90", drawn, spread->p90);
    put_real(writer, "interval_low", drawn && spread->has_interval, spread->interval_low);
    put_real(writer, "interval_high", drawn && spread->has_interval, spread->interval_high);
    put_text(writer, "hypothetical", point->hypothetical ? point->hypothetical : "no");
    put_text(writer, "verdict", outcome_name[point->worst]);
    put_text(writer, "condition", condition);
    put_text(writer, "config_hash", point->hash);
    put_whole(writer, "schema_version", ROWS_SCHEMA);
    end_row(writer);
}

void rows_columns(FILE *out, const struct study *study)
{
    static const struct point_result none;
    struct row_writer writer = {.mode = WRITE_HEADER, .out = out};
    put_row(&writer, study, 0, &none, 0);
}

void rows_point(FILE *out, enum rows_format format, const struct study *study, size_t index,
                const struct point_result *point, const bool wanted[METRICS])
{
    struct row_writer writer = {.mode = format == ROWS_CSV ? WRITE_CSV : WRITE_JSONL, .out = out};
    for (int metric = 0; metric < METRICS; metric++) {
        if (wanted[metric]) {
            put_row(&writer, study, index, point, metric);
        }
    }
}

void rows_write(FILE *out, enum rows_format format, const struct study *study,
                const struct study_results *results, const bool wanted[METRICS])
{
    if (format == ROWS_CSV) {
        rows_columns(out, study);
    }
    for (size_t i = 0; i < results->count; i++) {
        rows_point(out, format, study, i, &results->points[i], wanted);
    }
}

/* --- verdicts --- */

/* Where the next of several words goes; a semicolon parts it from the last. */
static size_t next_place(char *text, size_t size)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", used ? "; " : "");
    return strlen(text);
}

static void add_words(char *text, size_t size, const char *words)
{
    size_t used = next_place(text, size);
    snprintf(text + used, size - used, "%s", words);
}

void verdict_condition(const struct verdict verdict[READERS], enum outcome worst, char *text,
                       size_t size)
{
    unsigned conditions = 0;
    text[0] = '\0';
    for (int reader = 0; reader < READERS; reader++) {
        conditions |= verdict[reader].outcome == ONLY_IF ? verdict[reader].conditions : 0;
        if (worst == STALE && verdict[reader].outcome == STALE) {
            size_t used = next_place(text, size);
            snprintf(text + used, size - used, "%s: %" PRIu64 " lines", reader_name[reader],
                     verdict[reader].lines_stale);
        }
    }
    if (worst == ONLY_IF && conditions & CONDITION_NO_FILL) {
        add_words(text, size,
                  "no line is filled ahead between the flush and a write past the caches");
    }
    if (worst == ONLY_IF && conditions & CONDITION_ANONYMOUS) {
        add_words(text, size, "the memory is anonymous");
    }
}
