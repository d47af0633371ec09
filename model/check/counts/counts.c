#include "check/counts/counts.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"

#include <stdlib.h>
#include <string.h>

/* Where the costs come from that a platform must have; no count depends on them. */
#define BASE_PLATFORM "neoverse-n1"

#define FAULTS EV_data_tr_w, EV_data_tr_r, EV_data_tr_x, EV_data_perm_w, EV_data_perm_x
#define SUM(name_, n, ...)                                          \
    {                                                               \
        .name = (name_), .kinds = {__VA_ARGS__}, .kind_count = (n), \
    }
#define ONE(kind) SUM(#kind, 1, EV_##kind)

const struct count_column count_columns[] = {
    SUM("s2_faults", 7, FAULTS, EV_code_faults, EV_mmio_exits),
    ONE(cmo_calls),
    SUM("cmo_lines", 3, EV_line_absent, EV_line_clean, EV_line_dirty),
    SUM("tlbi_calls", 2, EV_tlbi_calls, EV_tlbi_local),
    ONE(icache_calls),
    ONE(map_calls),
    ONE(unmap_calls),
    SUM("data_faults", 5, FAULTS),
    ONE(data_tr_w),
    ONE(data_tr_r),
    ONE(data_perm_w),
    SUM("data_other", 2, EV_data_tr_x, EV_data_perm_x),
    ONE(code_faults),
    ONE(mmio_exits),
    ONE(cmo_op_calls),
    ONE(icache_lines),
    ONE(ic_ialluis),
    ONE(tlbi_table),
    ONE(tlbi_vmid),
    ONE(map_4k),
    ONE(map_2m),
    ONE(relax_calls),
    ONE(unmap_vm_calls),
    ONE(flush_calls),
    ONE(flush_vm_calls),
    ONE(setway_traps),
    ONE(toggle_traps),
    ONE(gfn_unmap),
    ONE(set_spte),
    ONE(s2_tables_alloc),
    ONE(walk_map),
    ONE(walk_unmap),
    ONE(walk_flush),
    ONE(tlbi_range),
    {.name = "insns_kernel_bare",
     .unclaimed = "instructions of the whole host kernel and one VMM are no event count"},
};
const size_t count_column_count = sizeof count_columns / sizeof *count_columns;

/* --- the input columns --- */

enum input {
    INPUT_KERNEL,
    INPUT_CPU,
    INPUT_FWB,
    INPUT_CASE,
    INPUT_PAGE,
    INPUT_MEM_MIB,
    INPUT_SLOT_OFFSET,
    INPUT_VCPUS,
    INPUT_PHASE,
    INPUT_OP,
    INPUT_PAGE2,
    INPUT_MEM2_MIB,
    INPUT_EAGER_SPLIT,
    INPUTS
};

static const char *const input_name[INPUTS] = {
    "kernel", "cpu",   "fwb", "case",  "page",     "mem_mib",    "slot_offset_bytes",
    "vcpus",  "phase", "op",  "page2", "mem2_mib", "eager_split"};

/* `fwb` only repeats the CPU; the last ones are of VMs with more than usual. */
static bool is_optional(enum input input)
{
    return input == INPUT_FWB || input == INPUT_PAGE2 || input == INPUT_MEM2_MIB ||
           input == INPUT_EAGER_SPLIT;
}

static const char *input_cell(const struct counts *counts, size_t row, enum input input)
{
    return csv_cell(&counts->table, row, csv_column(&counts->table, input_name[input]));
}

static struct source_location place_of(const struct counts *counts, size_t row, enum input input)
{
    return (struct source_location){counts->table.path, counts->table.lines[row],
                                    input_name[input]};
}

static bool check_columns(const struct counts *counts, struct error *err)
{
    for (int i = 0; i < INPUTS; i++) {
        if (!is_optional((enum input)i) && !csv_needs_column(&counts->table, input_name[i], err)) {
            return false;
        }
    }
    return true;
}

/* --- which rows are one VM --- */

/* What tells a VM from others, and where its rows stand. */
struct key {
    const char *part[3];
    size_t row;
};

static int same_vm_order(const struct key *a, const struct key *b)
{
    int order = 0;
    for (int i = 0; i < 3 && order == 0; i++) {
        order = strcmp(a->part[i], b->part[i]);
    }
    return order;
}

static int key_order(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    int order = same_vm_order(a, b);
    return order != 0 ? order : a->row < b->row ? -1 : 1;
}

/* Numbers the VMs in the order of their first rows. */
static void group_rows(struct counts *counts)
{
    size_t rows = counts->table.rows;
    struct key *keys = alloc_zeroed(rows, sizeof *keys, "rows of counts");
    size_t *first = alloc_zeroed(rows, sizeof *first, "rows of counts");
    for (size_t row = 0; row < rows; row++) {
        keys[row] =
            (struct key){{input_cell(counts, row, INPUT_KERNEL), input_cell(counts, row, INPUT_CPU),
                          input_cell(counts, row, INPUT_CASE)},
                         row};
    }
    qsort(keys, rows, sizeof *keys, key_order);
    for (size_t i = 0; i < rows; i++) {
        bool same = i > 0 && same_vm_order(&keys[i - 1], &keys[i]) == 0;
        first[keys[i].row] = same ? first[keys[i - 1].row] : keys[i].row;
    }
    counts->vms = alloc_zeroed(rows, sizeof *counts->vms, "rows of counts");
    for (size_t row = 0; row < rows; row++) {
        if (first[row] == row) {
            counts->rows[row].vm = counts->vm_count;
            counts->vms[counts->vm_count++].first_row = row;
        }
        counts->rows[row].vm = counts->rows[first[row]].vm;
    }
    free(keys);
    free(first);
}

/* --- what a VM runs on --- */

/* The `fwb` cell as 0 or 1, or -1 where it is blank. */
static bool read_fwb(const struct counts *counts, size_t row, int *fwb, struct error *err)
{
    const char *text = input_cell(counts, row, INPUT_FWB);
    struct source_location at = place_of(counts, row, INPUT_FWB);
    *fwb = strcmp(text, "1") == 0 ? 1 : strcmp(text, "0") == 0 ? 0 : -1;
    if (*fwb < 0 && text[0] != '\0') {
        return error_input(err, &at, "found '%s', expected 0, 1 or nothing", text);
    }
    return true;
}

static bool make_cpu(struct counts_cpu *made, const struct platform *base, const char *cpu,
                     bool timed, const struct source_location *at, struct error *err)
{
    struct error inner = {0};
    made->recorded = platform_as_cpu(cpu, base, &made->platform, &inner);
    if (!made->recorded && inner.status != EXIT_INPUT) {
        return error_run(err, "%s", inner.text);
    }
    if (!made->recorded && !timed) {
        return error_input(err, at, "%s", inner.text);
    }
    snprintf(made->platform.name, sizeof made->platform.name, "%.47s", cpu);
    if (!timed) {
        made->platform.cache_bytes = 0; /* what a cache holds is in no count: a line is a line */
    }
    return true;
}

/* Each machine is made once; room for all was taken at the start, so that they
 * stay where they are. */
static bool find_platform(struct counts *counts, const struct platform *base, size_t row,
                          const struct platform **found, struct error *err)
{
    struct source_location at = place_of(counts, row, INPUT_CPU);
    const char *cpu = input_cell(counts, row, INPUT_CPU);
    int fwb;
    if (!read_fwb(counts, row, &fwb, err)) {
        return false;
    }
    size_t i = 0;
    while (i < counts->cpu_count &&
           (counts->cpus[i].fwb != fwb || strcmp(counts->cpus[i].platform.name, cpu) != 0)) {
        i++;
    }
    if (i == counts->cpu_count) {
        INVARIANT(i < counts->vm_count, "more machines than VMs");
        struct counts_cpu *made = &counts->cpus[i];
        if (!make_cpu(made, base, cpu, counts->timed, &at, err)) {
            return false;
        }
        made->fwb = fwb;
        made->platform.fwb = fwb < 0 ? made->platform.fwb : fwb == 1;
        counts->cpu_count++;
    }
    *found = &counts->cpus[i].platform;
    return true;
}

static bool find_kernel(const struct counts *counts, size_t row, struct kernel *kernel,
                        struct error *err)
{
    struct source_location at = {.file = counts->table.path, .line = counts->table.lines[row]};
    struct error inner = {0};
    if (!kernel_resolve(input_cell(counts, row, INPUT_KERNEL), kernel, &inner)) {
        return error_input(err, &at, "%s", inner.text); /* it names the column itself */
    }
    return true;
}

static bool whole_cell(const struct counts *counts, size_t row, enum input input, uint64_t *value,
                       struct error *err)
{
    struct source_location at = place_of(counts, row, input);
    int column = csv_column(&counts->table, input_name[input]);
    if (csv_cell(&counts->table, row, column)[0] == '\0') {
        return error_input(err, &at, "found nothing, expected a whole number");
    }
    return csv_whole(&counts->table, row, column, 0, value, err);
}

/* Of a VM with a second slot, or with eager splitting; 0 where the column is not there. */
static bool read_more(const struct counts *counts, size_t row, struct kvmcase_shape *shape,
                      struct error *err)
{
    const struct csv *table = &counts->table;
    struct source_location at = place_of(counts, row, INPUT_PAGE2);
    int mem2 = csv_column(table, input_name[INPUT_MEM2_MIB]);
    int eager = csv_column(table, input_name[INPUT_EAGER_SPLIT]);
    shape->backing2 = BACKING_4K;
    return csv_whole(table, row, mem2, 0, &shape->mem2_mib, err) &&
           csv_whole(table, row, eager, 0, &shape->eager_split, err) &&
           (shape->mem2_mib == 0 ||
            kvmcase_backing(input_cell(counts, row, INPUT_PAGE2), &shape->backing2, &at, err));
}

static bool read_shape(const struct counts *counts, size_t row, struct kvmcase_shape *shape,
                       struct error *err)
{
    struct source_location at = place_of(counts, row, INPUT_PAGE);
    return kvmcase_backing(input_cell(counts, row, INPUT_PAGE), &shape->backing, &at, err) &&
           whole_cell(counts, row, INPUT_MEM_MIB, &shape->mem_mib, err) &&
           whole_cell(counts, row, INPUT_SLOT_OFFSET, &shape->slot_offset_bytes, err) &&
           whole_cell(counts, row, INPUT_VCPUS, &shape->vcpus, err) &&
           read_more(counts, row, shape, err) && kvmcase_check(shape, &at, err);
}

/* --- building the timelines --- */

static bool begin_vm(struct counts *counts, const struct platform *base, size_t row,
                     struct kvmcase *builder, struct error *err)
{
    struct counts_vm *vm = &counts->vms[counts->rows[row].vm];
    struct kvmcase_shape shape;
    if (!find_kernel(counts, row, &vm->kernel, err) ||
        !find_platform(counts, base, row, &vm->platform, err) ||
        !read_shape(counts, row, &shape, err)) {
        return false;
    }
    kvmcase_begin(builder, &shape, &vm->timeline, input_cell(counts, row, INPUT_CASE));
    vm->unsupported = kvmcase_unsupported(&shape);
    return true;
}

/* A row must describe the VM as its first row did. */
static bool check_same_vm(const struct counts *counts, size_t row, struct error *err)
{
    static const enum input shape[] = {INPUT_FWB,   INPUT_PAGE,  INPUT_MEM_MIB,  INPUT_SLOT_OFFSET,
                                       INPUT_VCPUS, INPUT_PAGE2, INPUT_MEM2_MIB, INPUT_EAGER_SPLIT};
    size_t first = counts->vms[counts->rows[row].vm].first_row;
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        const char *was = input_cell(counts, first, shape[i]);
        const char *is = input_cell(counts, row, shape[i]);
        struct source_location at = place_of(counts, row, shape[i]);
        if (strcmp(was, is) != 0) {
            return error_input(err, &at, "found '%s', expected '%s' as in line %u, the VM's first",
                               is, was, counts->table.lines[first]);
        }
    }
    return true;
}

static bool build_row(struct counts *counts, const struct platform *base, size_t row,
                      struct kvmcase *builders, struct error *err)
{
    size_t index = counts->rows[row].vm;
    const struct counts_vm *vm = &counts->vms[index];
    struct source_location at = place_of(counts, row, INPUT_OP);
    struct kvmcase_op op;
    bool begun = row == vm->first_row ? begin_vm(counts, base, row, &builders[index], err)
                                      : check_same_vm(counts, row, err);
    return begun && kvmcase_parse(input_cell(counts, row, INPUT_OP), &op, &at, err) &&
           kvmcase_add(&builders[index], input_cell(counts, row, INPUT_PHASE), &op,
                       &counts->rows[row].phase, &at, err);
}

static bool build(struct counts *counts, const struct platform *base, struct error *err)
{
    struct kvmcase *builders = alloc_zeroed(counts->vm_count, sizeof *builders, "rows of counts");
    bool good = true;
    for (size_t row = 0; good && row < counts->table.rows; row++) {
        good = build_row(counts, base, row, builders, err);
    }
    free(builders);
    return good;
}

static bool read_table(const char *path, const struct platform *base, struct counts *counts,
                       struct error *err)
{
    if (!csv_read(path, &counts->table, err)) {
        return false;
    }
    size_t rows = counts->table.rows;
    bool good = check_columns(counts, err);
    if (good && rows == 0) {
        struct source_location at = {.file = path};
        good = error_input(err, &at, "found no rows, expected at least one");
    }
    if (good && rows > COUNTS_ROWS) {
        struct source_location at = {.file = path};
        good = error_input(err, &at, "found %zu rows, expected at most %d", rows, COUNTS_ROWS);
    }
    if (good) {
        counts->rows = alloc_zeroed(rows, sizeof *counts->rows, "rows of counts");
        counts->events =
            alloc_zeroed(u64_mul(rows, EVENT_KINDS, "counts"), sizeof(uint64_t), "rows of counts");
        group_rows(counts);
        counts->cpus = alloc_zeroed(counts->vm_count, sizeof *counts->cpus, "rows of counts");
        good = build(counts, base, err);
    }
    if (!good) {
        counts_free(counts);
    }
    return good;
}

bool counts_read(const char *path, struct counts *counts, struct error *err)
{
    struct platform base;
    *counts = (struct counts){0};
    return platform_load(BASE_PLATFORM, &base, err) && read_table(path, &base, counts, err);
}

bool counts_read_timed(const char *path, const struct platform *base, struct counts *counts,
                       struct error *err)
{
    *counts = (struct counts){.timed = true};
    return read_table(path, base, counts, err);
}

void counts_free(struct counts *counts)
{
    for (size_t i = 0; i < counts->vm_count; i++) {
        if (counts->vms[i].timeline.scripts) {
            timeline_free(&counts->vms[i].timeline);
        }
    }
    csv_free(&counts->table);
    free(counts->rows);
    free(counts->vms);
    free(counts->cpus);
    free(counts->events);
    *counts = (struct counts){0};
}
