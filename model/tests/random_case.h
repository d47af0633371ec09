/*
 * random_case - small random VMs and what happens in them, for tests that try
 * many: everything follows from one seed.
 */
#ifndef S2FLUSH_TESTS_RANDOM_CASE_H
#define S2FLUSH_TESTS_RANDOM_CASE_H

#include "check.h"

#include "guest/benchmark/kvmcase.h"
#include "guest/timeline.h"
#include "run/sim.h"

enum random_kind {
    RANDOM_SERIAL, /* a recorder's operations, one after another */
    RANDOM_GENERATED, /* a generated reboot, of one vCPU or several */
    RANDOM_PARALLEL, /* vCPUs, and a VMM, that get in each other's way */
    RANDOM_RACE, /* vCPUs that map the same memory at the same time */
    RANDOM_MANY, /* a generated reboot of 1 to 512 vCPUs, whose pieces take several steps */
    RANDOM_PIECES, /* a generated reboot of 2 to 64 vCPUs, of which each has several pieces */
    RANDOM_MANY_RACE, /* 2 to 64 vCPUs that map the same memory in the same order */
    RANDOM_KINDS
};

extern const char *const random_kind_name[RANDOM_KINDS];

/* Which kind of case a seed stands for where all are tried: those of many vCPUs are few, since they
 * take long. */
enum random_kind random_kind_of(uint64_t seed);
bool random_kind_is_long(enum random_kind kind);

struct random_case {
    enum random_kind kind;
    bool even; /* a dirty line costs what a clean one does */
    struct platform platform;
    double value[COSTS];
    struct kernel kernel;
    struct strategy strategy;
    bool preemptible;
    struct timeline timeline;
};

/* Makes the case of that seed; random_case_free gives its timeline back. */
void random_case_make(struct random_case *of, enum random_kind kind, uint64_t seed);
void random_case_free(struct random_case *of);

/* The case as a run takes it. */
struct point random_case_point(const struct random_case *of, bool exact);

/* A recorder's VM of a few MiB, wherever it makes a difference: aligned or not,
 * and across a border of 1 GiB; and 3 to 14 operations on it, each a phase. */
void random_shape(struct dice *dice, struct kvmcase_shape *shape);
void random_operations(struct dice *dice, const struct kvmcase_shape *shape,
                       struct timeline *timeline);

#endif
