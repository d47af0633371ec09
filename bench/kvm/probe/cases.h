/*
 * The VMs to run, read from a table of the counts' format (only its input columns
 * are read), and their operations.
 */
#ifndef PROBE_CASES_H
#define PROBE_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A VM of the table: its rows are one after the other. */
enum backing { BACKING_4K, BACKING_THP, BACKING_HUGETLB, BACKING_SHM };

enum verb {
    OP_WRITE,
    OP_READ,
    OP_CALL,
    OP_EXIT,
    OP_INIT,
    OP_MMU_ON,
    OP_MMU_OFF,
    OP_SETWAY,
    OP_FILL,
    OP_DROP
};

struct op {
    enum verb verb;
    uint64_t first, stride, count;
    size_t vcpu;
};

struct phase {
    char *name;
    char *text; /* of the operation, as it goes back into the table */
    struct op op;
};

struct vm_case {
    char *name;
    char *page; /* the backing, as in the table */
    enum backing backing;
    uint64_t mem_mib, slot_offset;
    size_t vcpus;
    struct phase *phases;
    size_t count;
};

struct cases {
    struct vm_case *at;
    size_t count;
};

/* Reads the VMs whose case matches one of the shell patterns (all, if there are
 * none). A table tells the same VM for several kernels and CPUs: the first
 * counts. Ends the program where the table is not one, and names the line. */
struct cases cases_read(const char *path, const char *const *patterns, size_t patterns_count);
void cases_free(struct cases *cases);

#endif
