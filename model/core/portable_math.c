#include "core/portable_math.h"

#include <float.h>
#include <math.h>

/* ln 2 in two parts: a multiple of the first by an exponent is exact. */
#define LN2_HIGH 0x1.62e42fee00000p-1
#define LN2_LOW 0x1.a39ef35793c76p-33

/* x = 2^k m, with m between the square roots of 1/2 and of 2, and ln m = 2 artanh s with
 * s = (m - 1) / (m + 1): s^2 < 0.0295, and of the series' terms the twelfth no longer counts. */
double portable_log(double x)
{
    static const double term[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                  1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
    int exponent;
    double m = frexp(x, &exponent);
    if (m < M_SQRT1_2) {
        m *= 2;
        exponent--;
    }
    double f = m - 1, s = f / (2 + f), square = s * s, series = 0;
    for (size_t i = 0; i < sizeof term / sizeof *term; i++) {
        series = (series + term[i]) * square;
    }
    /* 2 s is f - s f: the first digits come from f, which is exact. */
    double k = exponent, rest = s * (f - 2 * series) - k * LN2_LOW;
    return k * LN2_HIGH - (rest - f);
}

/* e^x = 2^k e^r with |r| up to ln 2 / 2: of Taylor's series the fourteenth term no longer counts.
 */
double portable_exp(double x)
{
    static const double term[] = {
        1.0 / 87178291200, 1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
        1.0 / 362880,      1.0 / 40320,      1.0 / 5040,      1.0 / 720,      1.0 / 120,
        1.0 / 24,          1.0 / 6,          1.0 / 2};
    if (!(x >= -708)) {
        return isnan(x) ? x : 0;
    }
    if (x > DBL_MAX_EXP * M_LN2) {
        return INFINITY;
    }
    double k = floor(x * M_LOG2E + 0.5), r = (x - k * LN2_HIGH) - k * LN2_LOW, series = 0;
    for (size_t i = 0; i < sizeof term / sizeof *term; i++) {
        series = (series + term[i]) * r;
    }
    return ldexp(1 + (r + r * series), (int)k);
}

double portable_pow(double x, double y)
{
    return portable_exp(y * portable_log(x));
}

double portable_sum(const double *values, size_t n)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < n; i++) {
        double next = sum + values[i];
        lost += fabs(sum) >= fabs(values[i]) ? (sum - next) + values[i] : (values[i] - next) + sum;
        sum = next;
    }
    return sum + lost;
}
