#include "report/cells.h"

#include "core/csv.h"
#include "core/tojson.h"
#include "machine/oracle.h"
#include "report/quantity.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void print_string(FILE *out, const char *text)
{
    tojson_print(out, tojson_text(text), JSON_ENCODE_ANY);
}

/* `bare`: digits, which JSON has without quotes. They are as few as tell a number from all others,
 * which jansson does not offer. */
static void put(struct cells *cells, const char *name, const char *text, bool bare)
{
    FILE *out = cells->out;
    fputs(cells->count > 0 ? "," : cells->json ? "{" : "", out);
    cells->count++;
    if (!cells->json) {
        csv_put(out, cells->header ? name : text ? text : "");
        return;
    }
    print_string(out, name);
    fputc(':', out);
    if (bare) {
        fputs(text, out);
    } else {
        print_string(out, text);
    }
}

void cells_text(struct cells *cells, const char *name, const char *text)
{
    put(cells, name, text, false);
}

void cells_whole(struct cells *cells, const char *name, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put(cells, name, text, true);
}

void cells_real(struct cells *cells, const char *name, double value)
{
    char text[40];
    bool known = isfinite(value);
    put(cells, name, known ? unit_format_real(value, text, sizeof text) : NULL, known);
}

void cells_estimate(struct cells *cells, const char *name, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.8e", value);
    double nine = strtod(text, NULL);
    cells_real(cells, name, fabs(nine) < 1 ? round(nine * 1e9) / 1e9 + 0.0 : nine);
}

void cells_flag(struct cells *cells, const char *name, bool value)
{
    cells_text(cells, name, value ? "yes" : "no");
}

void cells_end(struct cells *cells)
{
    fputs(cells->json ? "}\n" : "\n", cells->out);
    cells->count = 0;
}

void cells_group(struct cells *cells, const struct groups *groups, size_t group)
{
    const struct study *study = groups->study;
    size_t point = groups_point(groups, group);
    char text[512];
    groups_text(groups, group, text, sizeof text);
    cells_text(cells, "case", text);
    for (size_t i = 0; i < study->axis_count; i++) {
        const struct axis *axis = &study->axes[i];
        if (groups_has(groups, axis)) {
            cells_text(cells, axis->name, axis->values.text[study_digit(axis, point)]);
        }
    }
}

char *cells_human(double value, enum unit unit, char *buf, size_t size)
{
    /* Cells of other people's tables may be any number. */
    bool whole = fabs(value) * (double)PS_PER_NS < 0x1p63;
    if (whole && value < 0 && unit != UNIT_RATIO && size > 1) {
        buf[0] = '-';
        (void)cells_human(-value, unit, buf + 1, size - 1);
        return buf;
    }
    switch (whole || unit == UNIT_RATIO ? unit : UNIT_NONE) {
    case UNIT_BYTES:
        return unit_format_bytes((uint64_t)llround(value), buf, size);
    case UNIT_RATIO:
        snprintf(buf, size, "%.3g %%", value * 100);
        return buf;
    case UNIT_NS:
        return unit_format_ps((ps_t)llround(value * (double)PS_PER_NS), buf, size);
    case UNIT_NONE:
    case UNIT_ADDRESS:
    case UNIT_GBPS:
    case UNIT_GHZ:
    case UNIT_INSNS:
        break;
    }
    snprintf(buf, size, "%.4g", value);
    return buf;
}

void cells_print_band(FILE *out, enum unit unit, double mid, double p10, double p90, bool band)
{
    char text[QUANTITY_TEXT];
    fputs(band ? quantity_band((struct band){mid, p10, p90}, unit, text)
               : cells_human(mid, unit, text, sizeof text),
          out);
}
