#include "study/values.h"

#include "core/alloc.h"
#include "core/choice.h"
#include "core/error.h"
#include "core/portable_math.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A range may miss its end by what rounding does to it. */
#define RANGE_TOLERANCE 1e-9

static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        text[--length] = '\0';
    }
    return text;
}

static bool add(struct values *values, const char *text, const struct source_location *at,
                struct error *err)
{
    if (choice_index((const char *const *)values->text, values->count, text) < values->count) {
        return error_input(err, at, "found '%.80s' twice in the list, expected it once", text);
    }
    if (values->count == VALUES_MAX) {
        return error_input(err, at, "found more than %d values, expected at most that many",
                           VALUES_MAX);
    }
    values->text = alloc_checked(realloc(values->text, (values->count + 1) * sizeof(char *)),
                                 "the values of an axis");
    values->text[values->count++] = alloc_checked(strdup(text), "the values of an axis");
    return true;
}

/* Steps leave digits behind that were not meant: 0.1 + 0.2 is written as 0.3. */
static double cleaned(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.12e", value);
    return strtod(text, NULL);
}

static bool add_number(struct values *values, double value, struct value_kind kind,
                       const struct source_location *at, struct error *err)
{
    char text[40];
    if (!kind.whole) {
        return add(values, unit_format_real(cleaned(value), text, sizeof text), at, err);
    }
    double nearest = round(value);
    if (fabs(value - nearest) > RANGE_TOLERANCE * fmax(1, fabs(value)) || nearest < 0 ||
        nearest >= 0x1p64) {
        return error_input(err, at, "the range comes to %g, expected whole numbers", value);
    }
    snprintf(text, sizeof text, "%" PRIu64, (uint64_t)nearest);
    return add(values, text, at, err);
}

static bool parse_number(const char *text, struct value_kind kind, const struct source_location *at,
                         double *value, struct error *err)
{
    if (unit_parse(text, kind.unit, value)) {
        return true;
    }
    const char *name = unit_name(kind.unit);
    return error_input(err, at,
                       "found '%.80s', expected a number%s%s or a range such as "
                       "1..8 x2 or 0..1 +0.1",
                       text, name[0] ? " in " : "", name);
}

/* Where a range's step begins; the sign of an exponent (1e+6) is none. */
static char *find_step(char *text)
{
    for (char *at = strpbrk(text, "x+"); at; at = strpbrk(at + 1, "x+")) {
        if (at > text && at[-1] != 'e' && at[-1] != 'E') {
            return at;
        }
    }
    return NULL;
}

static bool add_range(struct values *values, char *low_text, char *rest, struct value_kind kind,
                      const struct source_location *at, struct error *err)
{
    double low, high, step;
    char *sign = find_step(rest);
    if (!sign) {
        return error_input(err, at,
                           "found a range without a step, expected as %.40s..%.40s x2 or +1",
                           low_text, rest);
    }
    bool geometric = *sign == 'x';
    *sign = '\0';
    struct value_kind factor = {.number = true, .unit = geometric ? UNIT_NONE : kind.unit};
    if (!parse_number(trimmed(low_text), kind, at, &low, err) ||
        !parse_number(trimmed(rest), kind, at, &high, err) ||
        !parse_number(trimmed(sign + 1), factor, at, &step, err)) {
        return false;
    }
    if (low > high || (geometric ? step <= 1 || low <= 0 : step <= 0)) {
        return error_input(err, at, "found a range from %g to %g by %c%g, expected one that ends",
                           low, high, geometric ? 'x' : '+', step);
    }
    double end = high + RANGE_TOLERANCE * fmax(fabs(low), fabs(high));
    double value = low;
    for (uint64_t i = 1; value <= end; i++) {
        if (!add_number(values, value, kind, at, err)) {
            return false;
        }
        value = geometric ? low * portable_pow(step, (double)i) : low + step * (double)i;
    }
    return true;
}

static bool add_item(struct values *values, char *item, struct value_kind kind,
                     const struct source_location *at, struct error *err)
{
    if (item[0] == '\0') {
        return error_input(err, at,
                           "found an empty value in the list, expected one between two commas");
    }
    if (!kind.number) {
        return add(values, item, at, err);
    }
    char *dots = strstr(item, "..");
    if (dots) {
        *dots = '\0';
        return add_range(values, item, dots + 2, kind, at, err);
    }
    double value;
    uint64_t whole;
    char text[40];
    if (!parse_number(item, kind, at, &value, err)) {
        return false;
    }
    if (!kind.whole) {
        return add(values, unit_format_real(value, text, sizeof text), at, err);
    }
    if (!unit_parse_whole(item, kind.unit, &whole)) {
        return error_input(err, at, "found '%.80s', expected a whole number", item);
    }
    snprintf(text, sizeof text, "%" PRIu64, whole);
    return add(values, text, at, err);
}

bool values_parse(const char *text, struct value_kind kind, const struct source_location *at,
                  struct values *values, struct error *err)
{
    *values = (struct values){0};
    if (!values_add(values, text, kind, at, err)) {
        values_free(values);
        return false;
    }
    return true;
}

bool values_add(struct values *values, const char *text, struct value_kind kind,
                const struct source_location *at, struct error *err)
{
    char *copy = alloc_checked(strdup(text), "the values of an axis");
    bool good = true;
    for (char *item = copy, *next; good && item; item = next) {
        next = strchr(item, ',');
        if (next) {
            *next++ = '\0';
        }
        good = add_item(values, trimmed(item), kind, at, err);
    }
    free(copy);
    return good;
}

void values_free(struct values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        free(values->text[i]);
    }
    free(values->text);
    *values = (struct values){0};
}
