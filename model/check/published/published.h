/*
 * published - measurements that others have published, as rows of data.
 *
 * bench/published/README.md describes the columns. A row says what was run and
 * under which conditions, what came out, and whether it may be fitted to or is
 * to be predicted. Nothing else decides that.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_PUBLISHED_H
#define S2FLUSH_CHECK_PUBLISHED_PUBLISHED_H

#include "check/observation.h"
#include "guest/benchmark/benchmark.h"
#include "kvm/kernel.h"
#include "kvm/strategy.h"
#include "machine/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define PUBLISHED_ROWS 10000

enum row_role { ROLE_FIT, ROLE_PREDICT };

extern const char *const role_name[];

/* A source may say that something took longer, or less, than a figure. */
enum bound { BOUND_NONE, BOUND_ABOVE, BOUND_BELOW };

struct published {
    char table[40], row[40];
    char benchmark[32], phase[32]; /* as the file spells them */
    char host[48];
    char overrides[128];
    enum row_role role;
    enum bound bound;
    double value;
    double error; /* how far the figure itself is off, standard deviation of its logarithm: what it
                     lost in rounding, and how far repetitions are apart */
    char unit[8];
    double unit_ps;
    uint64_t bytes, vcpus;

    /* Where the model cannot express the row: why, and the rest is not valid. */
    char refusal[200];
    struct benchmark benchmarked;
    struct kernel kernel;
    struct strategy strategy;
    struct platform *platform; /* with the row's capabilities; shared by rows that agree */
};

struct published_set {
    struct published *rows;
    size_t count;
    struct platform **platforms;
    size_t platform_count;
};

/* Appends the rows of a file. False with one line where it is not such a file;
 * a row that the model cannot express is no error. */
bool published_read(const char *path, struct published_set *set, struct error *err);

/* Adds a row whose benchmark and value are there already, as run on that machine and kernel. */
bool published_take(struct published_set *set, const struct published *row,
                    const struct platform *platform, const char *kernel, struct error *err);
void published_free(struct published_set *set);

/* How far a published figure is off by itself (standard deviation of its
 * logarithm): the five repetitions of the 4 KiB CREATE at 20 vCPUs differ by that.
 * Costs are uncertain by as much at least, and by more where the rows scatter. */
#define ROW_ERROR 0.03

/* A row as an observation; it must not be refused. */
struct observation published_observation(const struct published *row);

/* The platform that a row's host names: a file under bench/published/hosts/, or
 * one of the platforms that come with the program. */
bool published_host(const char *name, struct platform *platform, struct error *err);

/* Where the file of such a host is, if it is one of the two. */
bool published_host_path(const char *name, char *path, size_t size);

#endif
