/*
 * values - the value list of an axis: `a, b, c`, and for numbers also ranges.
 *
 *   128M..1T x2     geometric: each value is the last one times 2
 *   0..1 +0.1       arithmetic: each value is 0.1 more than the last one
 *
 * Items of both kinds may be mixed in one list. Numbers become plain ones in
 * the base unit (bytes, ns, a ratio), so that a table's column can be plotted
 * as it stands; other values are kept as they were written.
 */
#ifndef S2FLUSH_STUDY_VALUES_H
#define S2FLUSH_STUDY_VALUES_H

#include "core/units.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct source_location;

#define VALUES_MAX 4096

/* What the values of a list are. */
struct value_kind {
    bool number;
    bool whole; /* of numbers: no fractions */
    enum unit unit;
};

struct values {
    char **text;
    size_t count;
};

/* Reads a list. False with one line where it is empty, an item is no number of
 * that kind or stands twice, a range does not end, or there are more than
 * VALUES_MAX. */
bool values_parse(const char *text, struct value_kind kind, const struct source_location *at,
                  struct values *values, struct error *err);

/* Adds the items of one more list; what was added before an error stays. */
bool values_add(struct values *values, const char *text, struct value_kind kind,
                const struct source_location *at, struct error *err);
void values_free(struct values *values);

#endif
