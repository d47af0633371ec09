#include "study/crossing.h"

#include "core/error.h"
#include "core/invariant.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_roots.h>
#include <math.h>

#define ITERATIONS_MAX 200
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

/* What GSL calls. The ends are known, and that they differ in sign is what it
 * insists on. */
struct solving {
    struct crossing_function *function;
    double low, at_low, high, at_high, step;
};

static double solving_at(double x, void *params)
{
    struct solving *solving = params;
    double at = solving->step > 0 ? round(x / solving->step) * solving->step : x;
    if (at <= solving->low) {
        return solving->at_low;
    }
    if (at >= solving->high) {
        return solving->at_high;
    }
    return solving->function->stop ? 0 : solving->function->at(at, solving->function->context);
}

static bool close_enough(const struct solving *solving, double low, double high)
{
    double width = solving->step > 0 ? fmax(solving->step / 2, STEP_TOLERANCE * high)
                                     : REAL_TOLERANCE * (solving->high - solving->low);
    return high - low <= width;
}

double crossing_root(struct crossing_function *function, double low, double at_low, double high,
                     double at_high, double step)
{
    struct solving solving = {function, low, at_low, high, at_high, step};
    gsl_function f = {solving_at, &solving};
    gsl_root_fsolver *solver =
        gsl_root_fsolver_alloc(step > 0 ? gsl_root_fsolver_bisection : gsl_root_fsolver_brent);
    INVARIANT(sign_of(at_low) * sign_of(at_high) < 0, "no change of sign from %g to %g", low, high);
    if (!solver || gsl_root_fsolver_set(solver, &f, low, high) != GSL_SUCCESS) {
        error_fatal("out of memory for a root finder");
    }
    double left = low, right = high;
    for (int i = 0; i < ITERATIONS_MAX && !function->stop; i++) {
        if (close_enough(&solving, left, right)) {
            break;
        }
        gsl_root_fsolver_iterate(solver);
        left = gsl_root_fsolver_x_lower(solver);
        right = gsl_root_fsolver_x_upper(solver);
    }
    double root = step > 0 ? round(right / step) * step : gsl_root_fsolver_root(solver);
    gsl_root_fsolver_free(solver);
    return root;
}
