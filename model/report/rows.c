#include "report/rows.h"

#include "core/csv.h"
#include "core/error.h"
#include "core/tojson.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

bool rows_formats(const char *word, bool format[ROWS_FORMATS], struct error *err)
{
    static const char *const names[] = {"csv", "jsonl", "both"};
    char hint[128] = "";
    bool both = strcmp(word, "both") == 0;
    format[ROWS_CSV] = both || strcmp(word, "csv") == 0;
    format[ROWS_JSONL] = both || strcmp(word, "jsonl") == 0;
    if (format[ROWS_CSV] || format[ROWS_JSONL]) {
        return true;
    }
    error_suggest(hint, sizeof hint, word, names, 3);
    return error_input(err, NULL, "--format: found '%.80s'%s", word, hint);
}

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
static void put_axis(struct row_writer *writer, const struct store_axis *axis, const char *text)
{
    double value;
    if (text && axis->number && unit_parse(text, UNIT_NONE, &value)) {
        put_real(writer, axis->name, true, value);
    } else {
        put_text(writer, axis->name, text);
    }
}

static void put_row(struct row_writer *writer, const struct store_about *about,
                    const struct stored_point *point, int metric)
{
    const struct point_result *result = &point->result;
    const struct spread *spread = &result->metric[metric];
    bool drawn = spread->known && spread->n > 0;
    begin_row(writer);
    put_text(writer, "study", about->text[STORE_STUDY]);
    for (size_t a = 0; a < about->axes; a++) {
        put_axis(writer, &about->axis[a], point->axis[a]);
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
    put_text(writer, "hypothetical", result->hypothetical[0] ? result->hypothetical : "no");
    put_text(writer, "verdict", outcome_name[result->worst]);
    put_text(writer, "condition", result->condition);
    put_text(writer, "config_hash", result->hash);
    put_whole(writer, "schema_version", ROWS_SCHEMA);
    end_row(writer);
}

void rows_columns(FILE *out, const struct store_about *about)
{
    static const struct stored_point none;
    struct row_writer writer = {.mode = WRITE_HEADER, .out = out};
    put_row(&writer, about, &none, 0);
}

void rows_point(FILE *out, enum rows_format format, const struct store_about *about,
                const struct stored_point *point)
{
    struct row_writer writer = {.mode = format == ROWS_CSV ? WRITE_CSV : WRITE_JSONL, .out = out};
    for (int metric = 0; metric < METRICS; metric++) {
        if (point->has[metric]) {
            put_row(&writer, about, point, metric);
        }
    }
}
