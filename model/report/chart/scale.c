/* From values to places in a figure, and where ticks are. */
#include "report/chart/canvas.h"
#include "report/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FAR_APART 20 /* from which ratio on a scale is logarithmic */
#define FEW 6 /* ticks of a linear scale */
#define ZERO_ROOM 0.12 /* the part of a logarithmic scale where 0 has its place */

struct scale scale_of(enum unit unit)
{
    return (struct scale){.unit = unit, .low = INFINITY, .high = -INFINITY};
}

void scale_take(struct scale *scale, double value)
{
    if (isfinite(value) && value == 0) {
        scale->zero = true;
    } else if (isfinite(value)) {
        scale->low = fmin(scale->low, value);
        scale->high = fmax(scale->high, value);
    }
}

/* The unit of a linear scale. */
static double unit_of(const struct scale *scale, const char **name)
{
    double size;
    *name = quantity_scale(fmax(scale->high, -scale->low), scale->unit, &size);
    return size;
}

/* 1, 2 or 5 times a power of ten of the unit, so that few steps cover the range. */
static double step_of(const struct scale *scale)
{
    const char *name;
    double size = unit_of(scale, &name), range = (scale->high - scale->low) / size;
    double power = pow(10, floor(log10(range / FEW)));
    double times = range / FEW / power;
    return size * power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

void scale_settle(struct scale *scale, bool never_log)
{
    if (!(scale->low <= scale->high)) { /* nothing but zeros, or nothing */
        scale->low = 0;
        scale->high = 1;
    }
    scale->log = !never_log && scale->low > 0 && scale->high / scale->low >= FAR_APART;
    if (scale->log) {
        scale->low /= 1.25;
        scale->high *= 1.25;
        return;
    }
    scale->low = fmin(scale->low, 0);
    scale->high = fmax(scale->high, 0);
    double step = step_of(scale);
    scale->low = floor(scale->low / step + 1e-9) * step;
    scale->high = ceil(scale->high / step - 1e-9) * step;
    scale->zero = false;
}

double scale_bottom(const struct scale *scale)
{
    bool room = scale->log && scale->zero;
    return room ? scale->low * pow(scale->low / scale->high, ZERO_ROOM) : scale->low;
}

double scale_value(const struct scale *scale, double value)
{
    return scale->log && value <= 0 ? scale_bottom(scale) : value;
}

double scale_at(const struct scale *scale, double value)
{
    double low = scale_bottom(scale), high = scale->high;
    value = scale_value(scale, value);
    double share = scale->log ? log(value / low) / log(high / low) : (value - low) / (high - low);
    return scale->from + share * (scale->to - scale->from);
}

static size_t tick_if_inside(const struct scale *scale, double value, double *tick, size_t count)
{
    if (value >= scale->low && value <= scale->high && count + 1 < SCALE_TICKS) {
        tick[count++] = value;
    }
    return count;
}

/* Sizes at powers of two, all else at 1, 2 and 5 times powers of ten, or at these alone. */
static size_t log_ticks(const struct scale *scale, double tick[SCALE_TICKS])
{
    static const double factors[] = {1, 2, 5};
    bool sizes = scale->unit == UNIT_BYTES;
    double base = sizes ? 2 : 10, range = log(scale->high / scale->low) / log(base);
    int every = (int)ceil(range / 8);
    size_t count = 0, kinds = !sizes && range < 2.2 ? 3 : 1;
    for (int power = (int)floor(log(scale->low) / log(base)); pow(base, power) <= scale->high;
         power++) {
        for (size_t i = 0; i < kinds && power % every == 0; i++) {
            count = tick_if_inside(scale, factors[i] * pow(base, power), tick, count);
        }
    }
    return count;
}

size_t scale_ticks(const struct scale *scale, double tick[SCALE_TICKS])
{
    size_t count = 0;
    if (scale->log) {
        if (scale->zero) {
            tick[count++] = 0;
        }
        return count + log_ticks(scale, tick + count);
    }
    double step = step_of(scale), value = ceil(scale->low / step - 1e-9) * step;
    while (value <= scale->high + step * 1e-9 && count < SCALE_TICKS) {
        tick[count++] = fabs(value) < step / 2 ? 0 : value;
        value += step;
    }
    return count;
}

const char *scale_unit(const struct scale *scale)
{
    const char *name = "";
    if (!scale->log) {
        unit_of(scale, &name);
    }
    return name;
}

char *scale_tick_text(const struct scale *scale, double value, char *buf)
{
    const char *name;
    if (value == 0) {
        snprintf(buf, QUANTITY_TEXT, "0");
    } else if (scale->log) {
        quantity_value(value, scale->unit, buf);
    } else {
        snprintf(buf, QUANTITY_TEXT, "%.4g", value / unit_of(scale, &name));
    }
    return buf;
}
