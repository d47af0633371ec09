/*
 * counts - a table of exact event counts of real KVM against the model's.
 *
 * A row's inputs are the columns `kernel` to `op`; all rows of equal kernel, cpu
 * and case are one VM, in the order in which they stand. The model plays the
 * inputs alone: strategy `fwb` where the CPU has FWB, else `unmap`, leaf by leaf.
 * What each CPU and kernel can do comes from their records; a `fwb` cell that is
 * not blank overrides the CPU's.
 */
#ifndef S2FLUSH_CHECK_COUNTS_COUNTS_H
#define S2FLUSH_CHECK_COUNTS_COUNTS_H

#include "core/csv.h"
#include "guest/benchmark/kvmcase.h"
#include "kvm/kernel.h"
#include "machine/events.h"
#include "machine/platform.h"

struct error;

#define COUNT_EVENTS 7

#define COUNTS_ROWS 100000

/* A column of counts: the kinds of event whose sum it is. */
struct count_column {
    const char *name;
    enum event_kind kinds[COUNT_EVENTS];
    uint32_t kind_count;
    const char *unclaimed; /* why the model makes no claim; NULL where it does */
};

extern const struct count_column count_columns[];
extern const size_t count_column_count;

/* A machine that VMs of the table run on. */
struct counts_cpu {
    struct platform platform;
    int fwb; /* as the `fwb` cells say; -1: they are blank */
    bool recorded; /* its capabilities are a record's */
};

/* One VM of the table. */
struct counts_vm {
    size_t first_row;
    struct kernel kernel;
    const struct platform *platform;
    struct timeline timeline;
    const char *unsupported; /* why it was not played; NULL: it was */
};

struct counts_row {
    size_t vm; /* index into vms */
    uint32_t phase; /* of the VM's timeline */
};

struct counts {
    struct csv table;
    struct counts_row *rows; /* as many as the table has */
    struct counts_vm *vms;
    size_t vm_count;
    struct counts_cpu *cpus; /* the machines that the VMs run on */
    size_t cpu_count;
    bool timed; /* a table of times: costs and caches are those of a given machine */
    uint64_t *events; /* rows x EVENT_KINDS, the model's */
};

/* Reads the table and builds every VM's timeline; bad input is one line that
 * says file, line, column, what was found and what is right. */
bool counts_read(const char *path, struct counts *counts, struct error *err);

/* The same for a table of times on a machine like `base`: the caches are its own, and
 * where a CPU has no record so are the capabilities, but for what `fwb` says. */
bool counts_read_timed(const char *path, const struct platform *base, struct counts *counts,
                       struct error *err);
void counts_free(struct counts *counts);

/* Plays all VMs, on `jobs` threads (0: as many as there are processors). */
bool counts_play(struct counts *counts, unsigned jobs, struct error *err);

/* The model's count of a row; the row's VM must have been played. */
uint64_t counts_of(const struct counts *counts, size_t row, size_t column);

/* The same of one kind of event, also of those that no column shows. */
uint64_t counts_event(const struct counts *counts, size_t row, enum event_kind kind);

/* Writes the table with the model's counts: the input's columns in its order,
 * then those count columns that it lacks. Rows that were not played say
 * `unsupported`; what the model doesn't claim is blank. */
void counts_write(const struct counts *counts, FILE *out);

/* Checks that all recorded counts are whole numbers. */
bool counts_recorded(const struct counts *counts, struct error *err);

/* How model and recording agree. */
struct agreement {
    uint64_t compared, equal; /* cells of claimed columns */
    uint64_t rows_unsupported;
};

/* Compares every cell of a claimed column that is not blank, and prints the
 * agreement per column, what is unclaimed or unsupported, and the first
 * differences side by side. */
struct agreement counts_compare(const struct counts *counts, FILE *out);

#endif
