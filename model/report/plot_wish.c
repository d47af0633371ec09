/* What a script of bench/plots asks for in its head, and whether a table has it. */
#include "core/error.h"
#include "report/plot_parts.h"

#include "core/units.h"

#include <stdarg.h>
#include <string.h>

#define AXIS_VALUES 4096

/* --- what a script wants --- */

bool plot_name(const char *name)
{
    return name[0] && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

static bool valid_table(const char *name)
{
    return name[0] && name[0] != '.' &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")];
}

/* The next word of a line, at most 63 characters of it; false where none is. */
static bool next_word(const char **at, char word[64])
{
    static const char blanks[] = " \t\r\n";
    *at += strspn(*at, blanks);
    size_t length = strcspn(*at, blanks);
    snprintf(word, 64, "%.*s", (int)(length < 63 ? length : 63), *at);
    *at += length;
    return length > 0;
}

static size_t next_number(const char **at)
{
    char word[64];
    uint64_t value = 0;
    if (next_word(at, word)) {
        unit_parse_whole(word, UNIT_NONE, &value);
    }
    return (size_t)value;
}

static void read_wish(const char *line, struct wish *wish)
{
    char what[64], name[64];
    if (!next_word(&line, what) || strcmp(what, "#!") != 0 || !next_word(&line, what) ||
        !next_word(&line, name)) {
        return;
    }
    if (strcmp(what, "output") == 0 && plot_name(name)) {
        snprintf(wish->output, sizeof wish->output, "%s", name);
    } else if (strcmp(what, "table") == 0 && valid_table(name)) {
        snprintf(wish->table, sizeof wish->table, "%s", name);
    } else if (strcmp(what, "each") == 0) {
        snprintf(wish->each, sizeof wish->each, "%s", name);
        next_word(&line, wish->filled);
    } else if (strcmp(what, "axis") == 0 && wish->axes < 16) {
        snprintf(wish->axis[wish->axes], sizeof wish->axis[0], "%s", name);
        wish->low[wish->axes] = next_number(&line);
        wish->high[wish->axes++] = next_number(&line);
    } else if (strcmp(what, "metric") == 0 && wish->metrics < 64) {
        snprintf(wish->metric[wish->metrics++], sizeof wish->metric[0], "%s", name);
    }
}

bool wish_read(const char *path, struct wish *wish)
{
    char line[256];
    FILE *in = fopen(path, "r");
    *wish = (struct wish){.table = PLOT_ROWS};
    if (!in) {
        return false;
    }
    while (fgets(line, sizeof line, in)) {
        read_wish(line, wish);
    }
    (void)fclose(in);
    return wish->output[0] != '\0';
}

/* --- what the rows have --- */

/* How many different values a column has, counted up to AXIS_VALUES. */
static size_t count_values(const struct csv *rows, int column)
{
    static const char *seen[AXIS_VALUES];
    size_t count = 0;
    for (size_t row = 0; row < rows->rows; row++) {
        const char *text = csv_cell(rows, row, column);
        size_t i = 0;
        while (i < count && strcmp(seen[i], text) != 0) {
            i++;
        }
        if (i == count && count < AXIS_VALUES) {
            seen[count++] = text;
        }
    }
    return count;
}

static bool has_metric(const struct csv *rows, int column, const char *name)
{
    for (size_t row = 0; row < rows->rows; row++) {
        if (strcmp(csv_cell(rows, row, column), name) == 0) {
            return true;
        }
    }
    return false;
}

static void __attribute__((format(printf, 3, 4)))
add_reason(struct reasons *reasons, const struct wish *wish, const char *format, ...)
{
    char reason[160];
    va_list list;
    va_start(list, format);
    vsnprintf(reason, sizeof reason, format, list);
    va_end(list);
    int more = snprintf(reasons->text + reasons->used, sizeof reasons->text - reasons->used,
                        "%s%s %s", reasons->used ? "; " : "", wish->output, reason);
    if (more > 0 && (size_t)more < sizeof reasons->text - reasons->used) {
        reasons->used += (size_t)more;
    } else {
        reasons->text[reasons->used] = '\0'; /* whole reasons only */
    }
}

static bool axis_fits(const struct csv *rows, int column, const struct wish *wish,
                      struct reasons *reasons)
{
    size_t low = 1, high = 1;
    for (size_t i = 0; i < wish->axes; i++) {
        if (strcmp(wish->axis[i], rows->header[column]) == 0) {
            low = wish->low[i];
            high = wish->high[i];
        }
    }
    size_t count = count_values(rows, column);
    if (count >= low && count <= high) {
        return true;
    }
    const char *name = rows->header[column];
    if (low == high) {
        add_reason(reasons, wish, "takes %zu of %s, found %zu", low, name, count);
    } else {
        add_reason(reasons, wish, "takes %zu to %zu of %s, found %zu", low, high, name, count);
    }
    return false;
}

bool wish_fits(const struct csv *rows, const struct wish *wish, struct reasons *reasons)
{
    int metric = csv_column(rows, "metric");
    for (size_t i = 0; i < wish->axes; i++) {
        if (wish->low[i] > 0 && csv_column(rows, wish->axis[i]) < 0) {
            add_reason(reasons, wish, "needs an axis %s", wish->axis[i]);
            return false;
        }
    }
    /* The axes stand between the study and the metric. */
    for (int column = csv_column(rows, "study") + 1; column < metric; column++) {
        if (!axis_fits(rows, column, wish, reasons)) {
            return false;
        }
    }
    for (size_t i = 0; i < wish->metrics; i++) {
        if (!has_metric(rows, metric, wish->metric[i])) {
            add_reason(reasons, wish, "needs %s", wish->metric[i]);
            return false;
        }
    }
    return true;
}

bool wish_plain_names(const struct csv *rows, const struct wish *wish, struct error *err)
{
    for (size_t i = 0; i < wish->axes; i++) {
        int column = csv_column(rows, wish->axis[i]);
        for (size_t row = 0; column >= 0 && row < rows->rows; row++) {
            const char *text = csv_cell(rows, row, column);
            struct source_location at = {rows->path, rows->lines[row], wish->axis[i]};
            for (const char *c = text; *c; c++) {
                if ((unsigned char)*c <= ' ' || strchr("\"'`\177", *c)) {
                    return error_input(err, &at,
                                       "found '%.80s', plots take names without blanks and quotes",
                                       text);
                }
            }
        }
    }
    return true;
}
