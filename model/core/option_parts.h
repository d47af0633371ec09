/*
 * option_parts - what the files behind option.h share; not for others.
 */
#ifndef S2FLUSH_CORE_OPTION_PARTS_H
#define S2FLUSH_CORE_OPTION_PARTS_H

#include "core/option.h"

/* The ends of a row's range as a file spells them; one that excludes nothing
 * is empty. */
struct range {
    char low[48], high[48];
};

/* Both ends in the row's unit; numbers only. */
struct range option_range(const struct option_row *row);

/* What the row takes, in words with an example: "bytes such as 128M"; numbers only. */
const char *option_wanted(const struct option_row *row);

#endif
