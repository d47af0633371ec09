/* The terms of the fit, and the rows of a table of counts as sums of them. */
#include "check/paths/paths.h"

#include "core/alloc.h"
#include "core/error.h"
#include "kvm/kvm.h"
#include "machine/platform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const world_name[] = {"vhe", "nvhe", "fwb", NULL};

/* Instructions that a row may be off by itself: a few for what the path did at
 * its cold start, and a share for what varies with memory. Where the host
 * allocates, its own lists and counters make much more of a difference. */
#define ROW_OFF 150.0
#define ROW_SHARE 0.001
#define ALLOC_OFF 5000.0
#define ALLOC_SHARE 0.005

#define KIB_PER_PAGE 4

#define K(n, name)   \
    {                \
        n, EV_##name \
    }

const struct path_term path_terms[PATH_TERMS] = {
    [TERM_FAULT_4K] = {"fault_4k",
                       "translation fault, 4 KiB leaf, host holds the page",
                       {K(1, map_4k), K(-1, code_faults)},
                       .traps = 1,
                       .stands = {K(1, fault_path), K(1, map_calls)}},
    [TERM_FAULT_2M] = {"fault_2m",
                       "translation fault, 2 MiB leaf, host holds the page",
                       {K(1, map_2m)},
                       .traps = 1,
                       .stands = {K(1, fault_path), K(1, map_calls), K(1, block_path)}},
    [TERM_FAULT_CODE] = {"fault_code",
                         "translation fault on the guest's code page",
                         {K(1, code_faults)},
                         .traps = 1,
                         .stands = {K(1, fault_path), K(1, map_calls)}},
    [TERM_FAULT_PERM] = {"fault_perm",
                         "permission fault with its relaxation",
                         {K(1, perm_path)},
                         .traps = 1,
                         .tlbis = 1,
                         .stands = {K(1, perm_path), K(1, relax_calls)}},
    [TERM_HOST_ALLOC] = {"host_alloc",
                         "host page allocated, without its clearing",
                         {K(1, host_alloc)},
                         .stands = {K(1, host_alloc)}},
    [TERM_HOST_CLEAR] = {"host_clear",
                         "4 KiB of a host page cleared",
                         {K(1, zero_bytes)},
                         .per = KIB_PER_PAGE,
                         .standing = STANDS_ELSEWHERE,
                         .note = "charged by zero_gbps"},
    [TERM_TABLE_ALLOC] = {"table_alloc",
                          "stage-2 table page taken, where the host allocates nothing",
                          {K(1, s2_tables_alloc)},
                          .standing = STANDS_ELSEWHERE,
                          .note = "from a store of 40: see table_refilled"},
    [TERM_UNMAP_LEAF] = {"unmap_leaf",
                         "leaf unmapped, with its TLBI sequence",
                         {K(1, unmap_leaves)},
                         .tlbis = 1,
                         .stands = {K(1, unmap_leaves), K(1, walk_unmap)}},
    [TERM_TABLE_FREE] = {"table_free",
                         "table freed, with its TLBI sequence",
                         {K(1, s2_tables_free)},
                         .tlbis = 1,
                         .stands = {K(1, s2_tables_free), K(1, walk_unmap)}},
    [TERM_FLUSH_LEAF] = {"flush_leaf",
                         "leaf flushed, without its lines",
                         {K(1, flush_leaves)},
                         .stands = {K(1, flush_leaves), K(1, walk_flush)}},
    [TERM_VISIT] = {"visit",
                    "entry that a walk visits and finds empty",
                    {K(1, walk_unmap), K(-1, unmap_leaves), K(-1, s2_tables_free), K(1, walk_flush),
                     K(-1, flush_leaves)},
                    .stands = {K(1, walk_unmap)}},
    [TERM_LINE] = {"line",
                   "line of a maintenance loop",
                   {K(1, line_absent), K(1, line_clean), K(1, line_dirty)},
                   .standing = STANDS_ELSEWHERE,
                   .outside = 4,
                   .note = "4 in the code; charged by dc_*"},
    [TERM_IC_LINE] = {"icache_line",
                      "line of an I-cache loop",
                      {K(1, icache_lines)},
                      .standing = STANDS_ELSEWHERE,
                      .outside = 4,
                      .note = "4 in the code; charged by ic_line_ns"},
    [TERM_REINIT] = {"reinit", "re-init of a vCPU", {K(1, reinits)}, .stands = {K(1, reinits)}},
    [TERM_REINIT_UNMAP] = {"reinit_unmap",
                           "more for one that has run: an empty unmap",
                           {K(1, unmap_vm_calls)},
                           .stands = {K(1, unmap_vm_calls)}},
    [TERM_IC_ALL] = {"ic_all",
                     "whole I-cache invalidation of a re-init with FWB",
                     {K(1, ic_ialluis)},
                     .standing = STANDS_ELSEWHERE,
                     .note = "charged by ic_all_ns"},
    [TERM_USER_EXIT] = {"user_exit",
                        "VMM round trip",
                        {K(1, user_exits)},
                        .traps = 1,
                        .stands = {K(1, user_exits)}},
    [TERM_FIRST_RUN] = {"first_run", "more for a vCPU's first run, no memory of the host taken",
                        .standing = STANDS_ELSEWHERE, .note = "once a vCPU: not charged"},
    [TERM_FIRST_TOUCH] = {"first_touch", "more for a vCPU's first run, with memory taken",
                          .standing = STANDS_ELSEWHERE,
                          .note = "holds the refill of 40 tables and the host's own"},
    [TERM_TOGGLE_TRAP] = {"toggle_trap",
                          "trapped VM-register write",
                          {K(1, toggle_traps)},
                          .traps = 1,
                          .stands = {K(1, toggle_traps)}},
    [TERM_SETWAY_TRAP] = {"setway_trap",
                          "trapped set/way operation",
                          {K(1, setway_traps), K(1, exits), K(-1, mmio_exits), K(-1, map_4k),
                           K(-1, map_2m), K(-1, perm_path)},
                          .traps = 1,
                          .stands = {K(1, setway_traps)}},
    [TERM_ZAP] = {"host_zap", "host page given back", {K(1, host_zap)}, .stands = {K(1, host_zap)}},
    [TERM_ZAP_HUGE] = {"host_zap_huge",
                       "huge host page given back",
                       {K(1, host_zap_huge)},
                       .stands = {K(1, host_zap_huge)}},
    [TERM_WALK_MAP] = {"walk_map",
                       "entry that a map walk visits",
                       {K(1, walk_map)},
                       .standing = STANDS_WITHIN},
    [TERM_TLBI] = {"tlbi",
                   "TLBI sequence",
                   {K(1, tlbi_calls), K(1, tlbi_local)},
                   .standing = STANDS_WITHIN},
    [TERM_CMO_CALL] = {"cmo_call",
                       "call of a maintenance loop",
                       {K(1, cmo_calls)},
                       .standing = STANDS_WITHIN},
};

/* --- which row is what --- */

/* What a VM's earlier rows left behind. */
struct history {
    bool ran[KVMCASE_VCPUS];
    bool held; /* the host holds memory of the guest */
    bool filled; /* the VMM filled it, and no leaf of it was mapped and unmapped since */
};

enum row_kind { ROW_USED, ROW_COPYING, ROW_FILLED, ROW_OTHER };

static bool op_of(const struct counts *counts, size_t row, struct kvmcase_op *op, struct error *err)
{
    const struct csv *table = &counts->table;
    struct source_location at = {table->path, table->lines[row], "op"};
    return kvmcase_parse(csv_cell(table, row, csv_column(table, "op")), op, &at, err);
}

static bool runs_guest(const struct kvmcase_op *op)
{
    return op->verb != KVMCASE_INIT && op->verb != KVMCASE_FILL && op->verb != KVMCASE_DROP &&
           op->verb != KVMCASE_DESTROY;
}

static enum row_kind kind_of(const struct counts *counts, size_t row, const struct kvmcase_op *op,
                             const struct history *history)
{
    uint64_t leaves = counts_event(counts, row, EV_map_4k) + counts_event(counts, row, EV_map_2m);
    uint64_t data = leaves - counts_event(counts, row, EV_code_faults);
    if (op->verb == KVMCASE_DESTROY) {
        return ROW_OTHER;
    }
    if (op->verb == KVMCASE_FILL || (history->filled && data > 0)) {
        return ROW_FILLED;
    }
    bool zero_pages = op->verb == KVMCASE_READ && data > 0 && !history->held;
    bool copies =
        counts_event(counts, row, EV_set_spte) > 0 || counts_event(counts, row, EV_data_perm_w) > 0;
    return zero_pages || copies ? ROW_COPYING : ROW_USED;
}

static void remember(const struct counts *counts, size_t row, const struct kvmcase_op *op,
                     struct history *history)
{
    bool took = counts_event(counts, row, EV_host_alloc) > 0;
    bool dropped = op->verb == KVMCASE_DROP;
    history->ran[op->vcpu] |= runs_guest(op);
    history->held = (history->held || took || op->verb == KVMCASE_FILL) && !dropped;
    history->filled =
        op->verb == KVMCASE_FILL || (history->filled && !dropped && op->verb != KVMCASE_INIT);
}

/* --- what a row holds --- */

static double count_of(const struct counts *counts, size_t row, const struct path_term *term)
{
    double sum = 0;
    for (int i = 0; i < PATH_PARTS && term->count[i].times != 0; i++) {
        sum += term->count[i].times * (double)counts_event(counts, row, term->count[i].kind);
    }
    return sum / (term->per > 0 ? term->per : 1);
}

static void add_row(const struct counts *counts, size_t row, double insns, bool first_run,
                    struct path_rows *rows)
{
    double *x = rows->x[rows->count];
    for (int term = 0; term < PATH_TERMS; term++) {
        x[term] = count_of(counts, row, &path_terms[term]);
    }
    bool takes = x[TERM_HOST_ALLOC] > 0;
    /* Next to what the host's allocation varies by, a few tables are not seen. */
    x[TERM_TABLE_ALLOC] = takes ? 0 : x[TERM_TABLE_ALLOC];
    x[TERM_FIRST_RUN] = first_run && !takes;
    x[TERM_FIRST_TOUCH] = first_run && takes;
    rows->y[rows->count] = insns;
    rows->sigma[rows->count] =
        hypot(takes ? ALLOC_OFF : ROW_OFF, (takes ? ALLOC_SHARE : ROW_SHARE) * insns);
    rows->row[rows->count++] = row;
}

static bool of_world(const struct counts *counts, size_t row, enum path_world world)
{
    const struct counts_vm *vm = &counts->vms[counts->rows[row].vm];
    const char *kernel = csv_cell(&counts->table, row, csv_column(&counts->table, "kernel"));
    enum path_world is = !vm->platform->vhe  ? WORLD_NVHE
                         : vm->platform->fwb ? WORLD_FWB
                                             : WORLD_VHE;
    return !vm->unsupported && is == world && strcmp(kernel, PATHS_KERNEL) == 0;
}

static bool take_row(const struct counts *counts, size_t row, struct history *history,
                     struct path_rows *rows, struct error *err)
{
    int column = csv_column(&counts->table, "insns_kernel_bare");
    struct kvmcase_op op;
    uint64_t insns;
    if (!op_of(counts, row, &op, err) || !csv_whole(&counts->table, row, column, 0, &insns, err)) {
        return false;
    }
    bool recorded = csv_cell(&counts->table, row, column)[0] != '\0';
    enum row_kind kind = kind_of(counts, row, &op, history);
    if (recorded && kind == ROW_USED) {
        bool first_run = runs_guest(&op) && !history->ran[op.vcpu];
        add_row(counts, row, (double)insns, first_run, rows);
    }
    rows->copying += recorded && kind == ROW_COPYING;
    rows->filled += recorded && kind == ROW_FILLED;
    remember(counts, row, &op, history);
    return true;
}

bool path_rows_collect(const struct counts *counts, enum path_world world, struct path_rows *rows,
                       struct error *err)
{
    size_t room = counts->table.rows;
    *rows = (struct path_rows){0};
    if (!csv_needs(&counts->table, (const char *const[]){"insns_kernel_bare", NULL}, err)) {
        return false;
    }
    rows->x = alloc_zeroed(room, sizeof *rows->x, "rows of a fit");
    rows->y = alloc_zeroed(room, sizeof *rows->y, "rows of a fit");
    rows->sigma = alloc_zeroed(room, sizeof *rows->sigma, "rows of a fit");
    rows->row = alloc_zeroed(room, sizeof *rows->row, "rows of a fit");
    struct history *histories = alloc_zeroed(counts->vm_count, sizeof *histories, "rows of a fit");
    bool good = true;
    for (size_t row = 0; good && row < room; row++) {
        if (of_world(counts, row, world)) {
            good = take_row(counts, row, &histories[counts->rows[row].vm], rows, err);
        }
    }
    free(histories);
    if (!good) {
        path_rows_free(rows);
    }
    return good;
}

void path_rows_free(struct path_rows *rows)
{
    free(rows->x);
    free(rows->y);
    free(rows->sigma);
    free(rows->row);
    *rows = (struct path_rows){0};
}
