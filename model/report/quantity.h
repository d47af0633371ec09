/*
 * quantity - numbers for people: in the unit that suits them, and with the digits
 * that what is known of them bears.
 */
#ifndef S2FLUSH_REPORT_QUANTITY_H
#define S2FLUSH_REPORT_QUANTITY_H

#include "core/units.h"

#include <stdbool.h>
#include <stddef.h>

/* The one statistic of all documents: the median of the draws with p10 and p90.
 * Without draws `mid` is the value at the modes, and the others are NAN. */
struct band {
    double mid, p10, p90;
};

#define QUANTITY_TEXT 96 /* bytes that each text below takes at most */

/* "2.5 s", "16 GiB", "10 %": as the number is, to three digits. */
char *quantity_value(double value, enum unit unit, char buf[QUANTITY_TEXT]);

/* The median with the digits that the band bears: two where p10 and p90 are a tenth
 * of it or more apart, else three. */
char *quantity_mid(struct band band, enum unit unit, char buf[QUANTITY_TEXT]);

/* The same with the band: "2.51 s (2.50 to 2.54)". */
char *quantity_band(struct band band, enum unit unit, char buf[QUANTITY_TEXT]);

/* From the one to the other with two digits: "0.7 to 2.8 s", or once where that is
 * the same. */
char *quantity_range(double low, double high, enum unit unit, char buf[QUANTITY_TEXT]);

/* How many times the one is as much as the other, with two digits: "9.1", "0.36". */
char *quantity_times(double more, double less, char buf[QUANTITY_TEXT]);

/* A change as a share: "+12 %", "-46 %", "0 %". */
char *quantity_change(double share, char buf[QUANTITY_TEXT]);
/* Two shares in whole percent: "17 to 23 %". */
char *quantity_percents(double low, double high, char buf[QUANTITY_TEXT]);
/* Two of them: "-46 to +2 %". */
char *quantity_change_range(double low, double high, char buf[QUANTITY_TEXT]);

/* The name of the unit in which an axis up to `high` is written, and how much of
 * `unit` it is. */
const char *quantity_scale(double high, enum unit unit, double *scale);

#endif
