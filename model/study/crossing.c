#include "study/crossing.h"

#include "core/invariant.h"

#include <math.h>

#define LOOKS_MAX 200
#define REAL_TOLERANCE 1e-4
#define STEP_TOLERANCE 1e-3

static int sign_of(double value)
{
    return (value > 0) - (value < 0);
}

bool crossing_bracket(const double *difference, size_t n, size_t nth, struct bracket *bracket)
{
    size_t last = n;
    for (size_t i = 0; i < n; i++) {
        if (sign_of(difference[i]) == 0) {
            continue;
        }
        if (last < n && sign_of(difference[i]) != sign_of(difference[last]) && nth-- == 0) {
            *bracket = (struct bracket){last, i};
            return true;
        }
        last = i;
    }
    return false;
}

int crossing_sign(const double *difference, size_t n)
{
    size_t i = 0;
    while (i < n && sign_of(difference[i]) == 0) {
        i++;
    }
    return i < n ? sign_of(difference[i]) : 0;
}

struct place {
    double x, at;
};

/* Where the sign changes: at the low end it is the low one's, at the high end not. `before` is
 * where the end was that has moved last; x NAN: none has. */
struct solving {
    struct place low, high, before;
    double step, whole;
};

/* How near the ends have to come where nothing wider will do. */
static double fine_of(const struct solving *solving)
{
    return solving->step > 0 ? fmax(solving->step, STEP_TOLERANCE * solving->high.x)
                             : REAL_TOLERANCE * solving->whole;
}

static double line(const struct place *low, const struct place *high)
{
    return low->x + low->at / (low->at - high->at) * (high->x - low->x);
}

/* By a parabola through three places, x by value. */
static double parabola(const struct place *a, const struct place *b, const struct place *c)
{
    return a->x * b->at * c->at / ((a->at - b->at) * (a->at - c->at)) +
           b->x * a->at * c->at / ((b->at - a->at) * (b->at - c->at)) +
           c->x * a->at * b->at / ((c->at - a->at) * (c->at - b->at));
}

static double guess(const struct solving *solving)
{
    const struct place *low = &solving->low, *high = &solving->high, *before = &solving->before;
    bool three = !isnan(before->x) && before->at != low->at && before->at != high->at;
    double at = three ? parabola(low, high, before) : NAN;
    return at > low->x && at < high->x ? at : line(low, high);
}

/* Half the width beyond where the root seems to be, away from the nearer end, so that it is then
 * between the two; in the middle where that is slow. */
static double next_place(const struct solving *solving, double width, bool slow)
{
    double low = solving->low.x, high = solving->high.x, step = solving->step, at = guess(solving);
    at += at - low < high - at ? width / 2 : -width / 2;
    at = slow ? low + (high - low) / 2 : at;
    if (step > 0) {
        low = floor(low / step) * step + step;
        high = ceil(high / step) * step - step;
        return fmin(fmax(round(at / step) * step, low), high);
    }
    return fmin(fmax(at, low + width / 4), high - width / 4);
}

/* Whether the root is so near to the last look: it lies between where the two lines through it have
 * theirs, that across and that from the end which it replaced, unless the curve bends both ways. */
static bool is_near(const struct solving *solving, const struct place *look, double width)
{
    double across = line(&solving->low, &solving->high), beyond = line(&solving->before, look);
    return fabs(across - look->x) <= width && fabs(beyond - look->x) <= width;
}

double crossing_guess(double low, double at_low, double high, double at_high)
{
    return line(&(struct place){low, at_low}, &(struct place){high, at_high});
}

double crossing_root(struct crossing_function *function, double low, double at_low, double high,
                     double at_high, double step, double wide)
{
    struct solving solving = {{low, at_low}, {high, at_high}, {NAN, NAN}, step, high - low};
    double last = INFINITY, before_last = INFINITY; /* how far apart the ends were */
    bool near = false;
    INVARIANT(sign_of(at_low) * sign_of(at_high) < 0, "no change of sign from %g to %g", low, high);
    for (int looks = 0; looks < LOOKS_MAX && !function->stop && !near; looks++) {
        double fine = fine_of(&solving), apart = solving.high.x - solving.low.x;
        double width = fmax(fine, wide);
        if (apart <= width) {
            break;
        }
        struct place place = {.x = next_place(&solving, width, apart > before_last / 2)};
        place.at = function->at(place.x, function->context);
        struct place *end = sign_of(place.at) == sign_of(at_low) ? &solving.low : &solving.high;
        solving.before = *end;
        *end = place;
        near = wide > fine && is_near(&solving, &place, wide);
        before_last = last;
        last = apart;
    }
    double root = line(&solving.low, &solving.high);
    return step > 0 ? (near ? ceil(root / step) : round(solving.high.x / step)) * step : root;
}
