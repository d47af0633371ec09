/* Lines of benchmarks of memory and of traps. */
#include "check/calibrate/benchtext_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- micro-bench ---
 *
 *   name                    total ns              avg ns
 *   hvc                     26774980.0            408.0
 *
 * A call that KVM answers at once is a trap and its way back; newer versions call it hyp_call. The
 * others hold QEMU's or the interrupt controller's own time. */

/* Behind so many columns, which blanks or tabs part. */
static const char *column_at(const char *line, unsigned column)
{
    for (; column > 0 && *line; column--) {
        line += strcspn(line, " \t");
        line += strspn(line, " \t");
    }
    return line;
}

/* Of a header "name  total ns  avg ns" the column of the average; each but the first has a unit. */
static unsigned average_column(const char *line)
{
    unsigned column = 1;
    const char *average = strstr(line, "avg ns");
    for (const char *unit = strstr(line, " ns"); unit && unit < average;
         unit = strstr(unit + 1, " ns")) {
        column++;
    }
    return column;
}

/* The number at *at, blanks before it aside; *at is then behind it. False where none is there. */
static bool take_number(const char **at, double *value)
{
    char *end;
    *value = strtod(*at, &end);
    bool good = end != *at;
    *at = end;
    return good;
}

bool benchtext_micro_bench(struct benchtext *reader, char *line)
{
    size_t start = strspn(line, " \t"), length = strcspn(line + start, " \t");
    const char *name = line + start, *at = name + length;
    double total, average;
    if (strstr(line, "avg ns")) {
        reader->table = average_column(line);
    }
    if (length == 0 || !take_number(&at, &total) || !take_number(&at, &average)) {
        return true;
    }
    if ((length == 3 && strncmp(name, "hvc", 3) == 0) ||
        (length == 8 && strncmp(name, "hyp_call", 8) == 0)) {
        if (!benchtext_number(reader, column_at(line, reader->table), &average)) {
            return false;
        }
        benchtext_keep(reader, &reader->exit, average, 0);
    } else {
        reader->found->passed_over++;
    }
    return true;
}

/* --- tinymembench, sbc-bench ---
 *
 *    standard memcpy                                      :   8327.7 MB/s (0.3%)
 *   block size : single random read / dual random read, [MADV_HUGEPAGE]
 *     67108864 :   69.4 ns          /    94.7 ns
 *
 * 1 MB is 10^6 bytes; a copy counts the bytes copied. The share in brackets is the sample standard
 * deviation; one fork puts the number of repeats before it ("(10, 29.4%)"). Latencies are what a
 * read takes more than one that hits the L1 cache. sbc-bench runs it on a core of each cluster: the
 * last, which are the fastest cores, counts. Where the largest block takes less than the one before
 * it, something else ran: the figure is off by as much. */

static double spread_of(const char *text)
{
    const char *percent = strchr(text, '%');
    const char *start = percent;
    while (start && start > text && !strchr("( ", start[-1])) {
        start--;
    }
    return percent ? strtod(start, NULL) / 100 : 0;
}

static bool bandwidth_line(struct benchtext *reader, const char *line, const char *colon)
{
    size_t length = (size_t)(colon - line);
    while (length > 0 && line[length - 1] == ' ') {
        length--;
    }
    static const struct {
        const char *name;
        bool write, standard;
    } known[] = {{"standard memcpy", false, true}, {"standard memset", true, true},
                 {"memcpy", false, false}, /* sbc-bench's summary */
                 {"memset", true, false},          {"C copy", false, false},
                 {"C fill", true, false}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double value;
        struct benchtext_pick *pick = known[i].write ? &reader->write : &reader->copy;
        if (strlen(known[i].name) != length || strncmp(line, known[i].name, length) != 0) {
            continue;
        }
        if (!benchtext_number(reader, colon + 1, &value)) {
            return false;
        }
        if (known[i].standard || !reader->standard) {
            benchtext_keep(reader, pick, value / 1000, spread_of(colon));
        }
        reader->standard |= known[i].standard;
        return true;
    }
    reader->found->passed_over++;
    return true;
}

static void begin_cluster(struct benchtext *reader)
{
    reader->found->passed_over += (reader->write.value > 0) + (reader->copy.value > 0) +
                                  (reader->latency[0].value > 0 || reader->latency[1].value > 0);
    reader->write = reader->copy = (struct benchtext_pick){0};
    reader->latency[0] = reader->latency[1] = (struct benchtext_pick){0};
    reader->standard = false;
}

/* Of "4194304 : 12.3 ns / 18.2 ns" the 12.3. */
static bool block_latency(const char *line, double *latency)
{
    double block;
    const char *at = line;
    if (!take_number(&at, &block)) {
        return false;
    }
    at += strspn(at, " \t");
    return *at++ == ':' && take_number(&at, latency);
}

bool benchtext_tinymembench(struct benchtext *reader, char *line)
{
    const char *colon = strchr(line, ':');
    double latency;
    if (strncmp(line, "Executing benchmark on cpu", 26) == 0) {
        begin_cluster(reader);
    } else if (strncmp(line, "block size :", 12) == 0) {
        reader->huge = strstr(line, "[MADV_HUGEPAGE]") != NULL;
    } else if (block_latency(line, &latency) && latency > 0) {
        const struct benchtext_pick *smaller = &reader->latency[reader->huge];
        double drop = smaller->value > latency ? smaller->value / latency - 1 : 0;
        if (!benchtext_number(reader, strchr(line, ':') + 1, &latency)) {
            return false;
        }
        benchtext_keep(reader, &reader->latency[reader->huge], latency, drop);
    } else if (colon && strstr(colon, "MB/s")) {
        return bandwidth_line(reader, line, colon);
    }
    return true;
}

/* --- lmbench ---
 *
 *   $ bw_mem 512m bcopy
 *   536.87 9876.54
 *
 *   "stride=128             "libc bcopy unaligned        Memory bzero bandwidth
 *   0.00049 1.667           0.000512 114131.34           0.000512 23454.32
 *   256.00000 98.2          2147.48 18865.54             1073.74 9823.11
 *
 * lat_mem_rd has MB and ns, bandwidths MB and MB/s. The largest size of each table counts; of
 * several strides the one of which the largest size takes longest, for the others are fetched
 * ahead. */

enum { TABLE_NONE, TABLE_LATENCY, TABLE_COPY, TABLE_WRITE };

static unsigned table_of(const char *line)
{
    const char *command = strstr(line, "bw_mem ");
    const char *what = command ? strrchr(command, ' ') + 1 : "";
    return strncmp(line, "\"stride=", 8) == 0                 ? TABLE_LATENCY
           : strcmp(what, "bcopy") == 0                       ? TABLE_COPY
           : strcmp(what, "bzero") == 0                       ? TABLE_WRITE
           : strncmp(line, "\"libc bcopy", 11) == 0           ? TABLE_COPY
           : strncmp(line, "Memory bzero bandwidth", 22) == 0 ? TABLE_WRITE
                                                              : TABLE_NONE;
}

bool benchtext_lmbench(struct benchtext *reader, char *line)
{
    double size, value;
    const char *at = line;
    if (!take_number(&at, &size) || !take_number(&at, &value) || *at != '\0') {
        size_t digits = strspn(line, "0123456789");
        if (reader->table != TABLE_NONE && digits > 0 && line[digits] == ',') {
            return benchtext_number(reader, line, &size);
        }
        reader->table = line[0] ? table_of(line) : reader->table;
        return true;
    }
    if (!(value > 0 && value < 1e9)) {
        return benchtext_number(reader, column_at(line, 1), &value);
    }
    struct benchtext_pick *latency = &reader->latency[0];
    if (reader->table == TABLE_COPY) {
        benchtext_keep(reader, &reader->copy, value / 1000, 0);
    } else if (reader->table == TABLE_WRITE) {
        benchtext_keep(reader, &reader->write, value / 1000, 0);
    } else if (reader->table == TABLE_LATENCY && value > latency->value &&
               size * (double)MIB > (double)reader->base->cache_bytes) {
        benchtext_keep(reader, latency, value, 0);
    } else {
        reader->found->passed_over++;
    }
    return true;
}
