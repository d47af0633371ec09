#include "report/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct step {
    double size;
    const char *name;
};

/* The larger units of each, from the smallest up. */
static const struct step times[] = {{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}};
static const struct step sizes[] = {
    {1, "bytes"}, {1024, "KiB"}, {1048576, "MiB"}, {1073741824, "GiB"}, {1099511627776, "TiB"}};
static const struct step counts[] = {{1, ""}, {1e6, "million"}, {1e9, "billion"}};
static const struct step shares[] = {{0.01, "%"}};
static const struct step others[] = {{1, ""}};

static const struct step *steps_of(enum unit unit, size_t *count)
{
    switch (unit) {
    case UNIT_NS:
        *count = sizeof times / sizeof *times;
        return times;
    case UNIT_BYTES:
        *count = sizeof sizes / sizeof *sizes;
        return sizes;
    case UNIT_RATIO:
        *count = 1;
        return shares;
    case UNIT_NONE:
        *count = sizeof counts / sizeof *counts;
        return counts;
    case UNIT_GBPS:
    case UNIT_ADDRESS:
    case UNIT_GHZ:
    case UNIT_INSNS:
        break;
    }
    *count = 1;
    return others;
}

/* How many decimals give a number that many digits. */
static int decimals_of(double value, int digits)
{
    int before = value == 0 ? 1 : (int)floor(log10(fabs(value))) + 1;
    return before >= digits ? 0 : digits - before;
}

/* To that many digits, also before the decimal point: 10,612 to two is 11,000. */
static double rounded(double value, int digits)
{
    double step = value == 0 ? 1 : pow(10, floor(log10(fabs(value))) + 1 - digits);
    return step < 1 ? value : round(value / step) * step;
}

/* The unit that leaves at least 1 and fewer than the next unit, after rounding. */
static const struct step *suiting(double value, enum unit unit, int digits)
{
    size_t count, i = 0;
    const struct step *steps = steps_of(unit, &count);
    while (i + 1 < count) {
        double next = steps[i + 1].size / steps[i].size, here = fabs(value) / steps[i].size;
        double half = here == 0 ? 0 : pow(10, floor(log10(here)) + 1 - digits) / 2;
        if (here + half < next) {
            break;
        }
        i++;
    }
    return &steps[i];
}

static void add_unit(char *buf, const char *name)
{
    size_t used = strlen(buf);
    snprintf(buf + used, QUANTITY_TEXT - used, "%s%s", name[0] ? " " : "", name);
}

char *quantity_value(double value, enum unit unit, char buf[QUANTITY_TEXT])
{
    if (!isfinite(value)) {
        snprintf(buf, QUANTITY_TEXT, "not known");
        return buf;
    }
    const struct step *step = suiting(value, unit, 3);
    double scaled = value / step->size;
    snprintf(buf, QUANTITY_TEXT, fabs(scaled) >= 999.5 ? "%.0f" : "%.3g", scaled);
    add_unit(buf, step->name);
    return buf;
}

static int digits_of(struct band band)
{
    double width = (band.p90 - band.p10) / fabs(band.mid);
    return isfinite(width) && width < 0.1 ? 3 : 2;
}

char *quantity_mid(struct band band, enum unit unit, char buf[QUANTITY_TEXT])
{
    int digits = digits_of(band);
    if (!isfinite(band.mid) || band.mid == 0) {
        return quantity_value(band.mid, unit, buf);
    }
    const struct step *step = suiting(band.mid, unit, digits);
    double scaled = rounded(band.mid / step->size, digits);
    snprintf(buf, QUANTITY_TEXT, "%.*f", decimals_of(scaled, digits), scaled);
    add_unit(buf, step->name);
    return buf;
}

/* p10 and p90 in the unit of the median and with as many decimals, so that they can
 * be compared; what would be nothing then is given two digits of its own. */
static void end_text(double value, double scale, int decimals, int digits, char *buf, size_t size)
{
    double scaled = rounded(value / scale, digits);
    if (value != 0 && fabs(scaled) < 0.5 * pow(10, -decimals)) {
        snprintf(buf, size, "%.2g", scaled);
    } else {
        snprintf(buf, size, "%.*f", decimals, scaled);
    }
}

char *quantity_band(struct band band, enum unit unit, char buf[QUANTITY_TEXT])
{
    char low[32], high[32];
    int digits = digits_of(band);
    quantity_mid(band, unit, buf);
    if (!isfinite(band.p10 + band.p90) || (band.p10 == band.mid && band.p90 == band.mid)) {
        return buf;
    }
    const struct step *step = suiting(band.mid == 0 ? band.p90 : band.mid, unit, digits);
    int decimals = decimals_of(rounded(band.mid / step->size, digits), digits);
    end_text(band.p10, step->size, decimals, digits, low, sizeof low);
    end_text(band.p90, step->size, decimals, digits, high, sizeof high);
    size_t used = strlen(buf);
    snprintf(buf + used, QUANTITY_TEXT - used, " (%s to %s%s%s)", low, high,
             band.mid == 0 && step->name[0] ? " " : "", band.mid == 0 ? step->name : "");
    return buf;
}

char *quantity_range(double low, double high, enum unit unit, char buf[QUANTITY_TEXT])
{
    char from[QUANTITY_TEXT], to[QUANTITY_TEXT];
    struct band first = {low, NAN, NAN}, last = {high, NAN, NAN};
    quantity_mid(first, unit, from);
    quantity_mid(last, unit, to);
    char *blank = strrchr(from, ' '), *other = strrchr(to, ' ');
    if (strcmp(from, to) == 0) {
        snprintf(buf, QUANTITY_TEXT, "%s", to);
        return buf;
    }
    if (blank && other && strcmp(blank, other) == 0) {
        *blank = '\0'; /* the unit once */
    }
    snprintf(buf, QUANTITY_TEXT, "%.40s to %.40s", low == 0 ? "0" : from, to);
    return buf;
}

char *quantity_times(double more, double less, char buf[QUANTITY_TEXT])
{
    double ratio = rounded(more / less, 2);
    snprintf(buf, QUANTITY_TEXT, "%.*f", decimals_of(ratio, 2), ratio);
    return buf;
}

char *quantity_change(double share, char buf[QUANTITY_TEXT])
{
    double percent = round(100 * share);
    snprintf(buf, QUANTITY_TEXT, percent == 0 ? "0 %%" : "%+.0f %%", percent);
    return buf;
}

char *quantity_percents(double low, double high, char buf[QUANTITY_TEXT])
{
    double from = round(100 * low), to = round(100 * high);
    if (from == to) {
        snprintf(buf, QUANTITY_TEXT, "%.0f %%", to);
    } else {
        snprintf(buf, QUANTITY_TEXT, "%.0f to %.0f %%", from, to);
    }
    return buf;
}

char *quantity_change_range(double low, double high, char buf[QUANTITY_TEXT])
{
    char from[QUANTITY_TEXT], to[QUANTITY_TEXT];
    quantity_change(low, from);
    quantity_change(high, to);
    bool same = strcmp(from, to) == 0;
    snprintf(buf, QUANTITY_TEXT, "%.*s%s%.40s", same ? 0 : (int)strlen(from) - 2, from,
             same ? "" : " to ", to);
    return buf;
}

const char *quantity_scale(double high, enum unit unit, double *scale)
{
    const struct step *step = suiting(high, unit, 2);
    *scale = step->size;
    return step->name;
}
