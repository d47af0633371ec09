/*
 * benchtext_parts - what the files that make up benchtext.h share; not for others.
 */
#ifndef S2FLUSH_CHECK_CALIBRATE_BENCHTEXT_PARTS_H
#define S2FLUSH_CHECK_CALIBRATE_BENCHTEXT_PARTS_H

#include "check/calibrate/measurements.h"

/* A figure that may be replaced by a better one further down. */
struct benchtext_pick {
    double value, spread; /* a relative standard deviation; 0: not given */
    unsigned line;
    char text[96];
};

struct benchtext {
    const char *path, *kernel;
    const struct platform *base;
    struct measurements *found;
    struct error *err;
    unsigned line;
    char text[96]; /* the line, cut off */

    struct benchtext_pick exit, write, copy;
    struct benchtext_pick latency[2]; /* in small pages, in huge ones */
    bool huge; /* the table of latencies that is being read */
    bool standard; /* copy and write are the C library's, not the program's own loops */
    unsigned table; /* of lmbench: which one is being read; of micro-bench: the average's column */
    bool by_granularity; /* a selftest's hugetlb pages of the default size, which it then prints */
    struct benchmark shape; /* of the selftest that is being read */
    bool has_page_table; /* there are times of kvm_page_table_test */
    bool page_table; /* it is that test, and not dirty_log_perf_test */
    bool command; /* the command line of dirty_log_perf_test was seen */
};

/* The number that a text begins with; false with an error where it is none above 0. */
bool benchtext_number(struct benchtext *reader, const char *text, double *value);

/* Keeps a figure of the present line. */
void benchtext_keep(struct benchtext *reader, struct benchtext_pick *pick, double value,
                    double spread);

/* Notes what the present line was used for. */
void benchtext_use(struct benchtext *reader, const char *use);

/* One line of each form; false with an error. */
bool benchtext_selftest(struct benchtext *reader, char *line);
bool benchtext_micro_bench(struct benchtext *reader, char *line);
bool benchtext_tinymembench(struct benchtext *reader, char *line);
bool benchtext_lmbench(struct benchtext *reader, char *line);

#endif
