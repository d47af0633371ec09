/*
 * units - simulated time and sizes as integers, and how numbers are spelled.
 *
 * Inside the program time is whole picoseconds and memory is whole bytes.
 */
#ifndef S2FLUSH_CORE_UNITS_H
#define S2FLUSH_CORE_UNITS_H

#include "core/u64.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t ps_t; /* simulated picoseconds */

#define PS_PER_NS UINT64_C(1000)
#define PS_PER_US UINT64_C(1000000)
#define PS_PER_MS UINT64_C(1000000000)
#define PS_PER_S UINT64_C(1000000000000)
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

/* How a number is spelled in files and on the command line. */
enum unit {
    UNIT_NONE, /* 3, 0.25, 1e6 */
    UNIT_BYTES, /* 4096, 64K, 128M, 1.5G, 1T: powers of two, optional iB or B */
    UNIT_ADDRESS, /* as bytes, or 0x40000000 */
    UNIT_NS, /* 7.7, 7.7ns, 250ps, 1.5us, 2ms, 1s; bare numbers are nanoseconds */
    UNIT_RATIO, /* 0.3 or 30% */
    UNIT_GBPS, /* 19, 19GB/s: 1e9 bytes a second */
    UNIT_GHZ, /* 2.6, 2.6GHz */
    UNIT_INSNS, /* 4e3 */
};

/* Reads all of `text` as a number of that unit: bytes, nanoseconds, a plain
 * ratio, GB/s or GHz. False where it is not one (empty, trailing text, not
 * finite, unknown suffix). The decimal point is '.', whatever the locale;
 * blanks may stand between number and suffix. */
bool unit_parse(const char *text, enum unit unit, double *value);

/* The same for a whole, non-negative number: "1.5K" bytes is 1536, "0.3"
 * bytes is refused. */
bool unit_parse_whole(const char *text, enum unit unit, uint64_t *value);

/* Spells a value as the two above read it back, without loss: 128M, 7.7ns,
 * 0.3, 19GB/s. Returns buf; 40 bytes suffice. */
char *unit_format(double value, enum unit unit, char *buf, size_t size);
char *unit_format_whole(uint64_t value, enum unit unit, char *buf, size_t size);

/* The shortest decimal that reads back as the same double, with '.' whatever
 * the locale. Returns buf; 32 bytes suffice. */
char *unit_format_real(double value, char *buf, size_t size);

/* Spells a value for people into buf and returns buf: 2.5 ms, 178.9 MiB.
 * 32 bytes suffice. */
char *unit_format_ps(ps_t ps, char *buf, size_t size);
char *unit_format_bytes(uint64_t bytes, char *buf, size_t size);

/* The word for a unit in messages and tables: "bytes", "ns", "" .... */
const char *unit_name(enum unit unit);

#endif
