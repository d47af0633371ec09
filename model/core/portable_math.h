/*
 * portable_math - logarithm, exponential and sums with the same bits on every system.
 *
 * C libraries round log and exp differently in the last bit, by processor and release, and sums
 * in long double have another width on x86-64 than on arm64. What ends in results is made of
 * additions, multiplications, divisions and square roots alone, in a written order: IEEE 754 says
 * what each comes to, and the compiler is told not to fuse them (-ffp-contract=off).
 */
#ifndef S2FLUSH_CORE_PORTABLE_MATH_H
#define S2FLUSH_CORE_PORTABLE_MATH_H

#include <stddef.h>

/* Of a finite x > 0 that is not subnormal; within 2 units in the last place. */
double portable_log(double x);

/* Within 2 units in the last place; infinite above 709.7, and 0 below -708. */
double portable_exp(double x);

/* Of x > 0. */
double portable_pow(double x, double y);

/* In the order of the values, with what each addition rounds away added up beside it (Neumaier):
 * as if summed in twice the digits. */
double portable_sum(const double *values, size_t n);

#endif
