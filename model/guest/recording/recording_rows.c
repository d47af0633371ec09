/* Recordings: cells to checked rows. */
#include "guest/recording/recording_rows.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/units.h"

#include <stdlib.h>
#include <string.h>

#define PAGE (4 * KIB)
#define TOP_IPA (UINT64_C(1) << 52)

/* --- rows --- */

enum needs {
    NEEDS_IPA = 1,
    NEEDS_LEAF = 2, /* bytes is the size of a leaf at ipa */
    NEEDS_RANGE = 4, /* bytes is not 0 */
    NEEDS_VCPU = 8, /* only a vCPU can do it */
};

static const struct {
    const char *name;
    enum row_op op;
    unsigned needs;
} known_ops[] = {
    {"fault_w", ROW_FAULT_W, NEEDS_IPA | NEEDS_LEAF | NEEDS_VCPU},
    {"fault_r", ROW_FAULT_R, NEEDS_IPA | NEEDS_LEAF | NEEDS_VCPU},
    {"fault_x", ROW_FAULT_X, NEEDS_IPA | NEEDS_LEAF | NEEDS_VCPU},
    {"perm_w", ROW_PERM_W, NEEDS_IPA | NEEDS_LEAF | NEEDS_VCPU},
    {"perm_x", ROW_PERM_X, NEEDS_IPA | NEEDS_LEAF | NEEDS_VCPU},
    {"fault_none", ROW_FAULT_NONE, NEEDS_IPA | NEEDS_VCPU},
    {"mmu_on", ROW_MMU_ON, NEEDS_VCPU},
    {"mmu_off", ROW_MMU_OFF, NEEDS_VCPU},
    {"setway", ROW_SETWAY, NEEDS_VCPU},
    {"ready", ROW_READY, NEEDS_VCPU},
    {"system_event", ROW_SYSTEM_EVENT, NEEDS_VCPU},
    {"reinit", ROW_REINIT, 0},
    {"vmm_write", ROW_VMM_WRITE, NEEDS_IPA | NEEDS_RANGE},
    {"memslot", ROW_MEMSLOT, NEEDS_IPA},
    {"notifier", ROW_NOTIFIER, NEEDS_IPA | NEEDS_RANGE},
    {"map_other", ROW_OUTCOME, NEEDS_IPA},
    {"unmap_vm", ROW_OUTCOME, 0},
    {"unmap_vm_end", ROW_OUTCOME, 0},
    {"unmap", ROW_OUTCOME, 0},
    {"flush", ROW_OUTCOME, 0},
    {"flush_end", ROW_OUTCOME, 0},
};
#define KNOWN_OPS (sizeof known_ops / sizeof *known_ops)

bool recording_is_leaf(const struct recording_row *row)
{
    return row->op <= ROW_PERM_X;
}

bool recording_is_guest(const struct recording_row *row)
{
    return row->op <= ROW_SYSTEM_EVENT;
}

struct columns {
    int time, actor, op, ipa, bytes, insns;
};

static bool find_columns(const struct csv *table, struct columns *columns, struct error *err)
{
    const struct {
        const char *name;
        int *index;
    } wanted[] = {{"time_ns", &columns->time}, {"actor", &columns->actor},
                  {"op", &columns->op},        {"ipa", &columns->ipa},
                  {"bytes", &columns->bytes},  {"guest_insns", &columns->insns}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *const needed[] = {wanted[i].name, NULL};
        *wanted[i].index = csv_column(table, wanted[i].name);
        if (!csv_needs(table, needed, err)) {
            return false;
        }
    }
    return true;
}

static bool parse_actor(const char *text, uint32_t vcpus, uint32_t *actor)
{
    char *end;
    if (strcmp(text, "vmm") == 0) {
        *actor = ROW_VMM;
        return true;
    }
    if (strncmp(text, "vcpu", 4) != 0 || text[4] < '0' || text[4] > '9') {
        return false;
    }
    unsigned long index = strtoul(text + 4, &end, 10);
    *actor = (uint32_t)index;
    return *end == '\0' && index < vcpus;
}

static bool parse_op(const char *text, const struct source_location *at, size_t *known,
                     struct error *err)
{
    const char *names[KNOWN_OPS];
    for (*known = 0; *known < KNOWN_OPS; ++*known) {
        names[*known] = known_ops[*known].name;
        if (strcmp(text, names[*known]) == 0) {
            return true;
        }
    }
    char hint[256] = "";
    error_suggest(hint, sizeof hint, text, names, KNOWN_OPS);
    return error_input(err, at, "unknown operation '%.40s'%s", text,
                       hint[0] ? hint : ", expected one of workloads/recorded/README.md");
}

static bool check_leaf(const struct recording_row *row, const struct source_location *ipa,
                       const struct source_location *bytes, struct error *err)
{
    unsigned long long start = row->ipa, size = row->bytes;
    if (row->bytes < PAGE || row->bytes > GIB || (row->bytes & (row->bytes - 1)) != 0) {
        return error_input(err, bytes,
                           "found %llu, expected a leaf's, a power of two from 4K to 1G", size);
    }
    if (row->ipa % row->bytes != 0) {
        return error_input(err, ipa, "found 0x%llx, expected a multiple of the leaf's %llu bytes",
                           start, size);
    }
    return true;
}

static bool check_range(const struct recording_row *row, unsigned needs,
                        const struct source_location *ipa, struct error *err)
{
    struct source_location bytes = {ipa->file, ipa->line, "bytes"};
    if (!(needs & NEEDS_IPA)) {
        return true;
    }
    if (row->ipa >= TOP_IPA) {
        return error_input(err, ipa, "found %llu, expected an address within 52 bits",
                           (unsigned long long)row->ipa);
    }
    if (row->bytes > TOP_IPA - row->ipa) {
        return error_input(err, &bytes, "found %llu, expected an end within 52 bits",
                           (unsigned long long)row->bytes);
    }
    if ((needs & NEEDS_RANGE) && row->bytes == 0) {
        return error_input(err, &bytes, "found 0, expected a range that is not empty");
    }
    return !(needs & NEEDS_LEAF) || check_leaf(row, ipa, &bytes, err);
}

static bool parse_row(const struct csv *table, size_t index, const struct columns *columns,
                      uint32_t vcpus, struct recording_row *row, struct error *err)
{
    uint64_t time;
    size_t known;
    struct source_location at = {table->path, table->lines[index], "op"};
    *row = (struct recording_row){.line = table->lines[index]};
    if (!csv_whole(table, index, columns->time, 0, &time, err) ||
        !csv_whole(table, index, columns->ipa, UINT64_MAX, &row->ipa, err) ||
        !csv_whole(table, index, columns->bytes, 0, &row->bytes, err) ||
        !csv_whole(table, index, columns->insns, 0, &row->insns, err) ||
        !parse_op(csv_cell(table, index, columns->op), &at, &known, err)) {
        return false;
    }
    const char *actor = csv_cell(table, index, columns->actor);
    unsigned needs = known_ops[known].needs;
    row->op = known_ops[known].op;
    at.key = "actor";
    if (!parse_actor(actor, vcpus, &row->actor)) {
        return error_input(err, &at, "found '%.40s', expected vmm or vcpu0 to vcpu%u", actor,
                           vcpus - 1);
    }
    if ((needs & NEEDS_VCPU) && row->actor == ROW_VMM) {
        return error_input(err, &at, "found 'vmm', expected a vCPU for '%s'",
                           known_ops[known].name);
    }
    at.key = "ipa";
    if ((needs & NEEDS_IPA) && row->ipa == UINT64_MAX) {
        return error_input(err, &at, "found '', expected an address for '%s'",
                           known_ops[known].name);
    }
    return check_range(row, needs, &at, err);
}

/* A page was exchanged where a map outside of any fault answers the notifier. */
static void note_replaced(const struct csv *table, const struct columns *columns, struct rows *rows)
{
    struct recording_row *notifier = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        struct recording_row *row = &rows->row[i];
        if (row->op == ROW_NOTIFIER) {
            notifier = row;
        } else if (row->op != ROW_OUTCOME) {
            notifier = NULL;
        } else if (notifier && notifier->ipa == row->ipa &&
                   strcmp(csv_cell(table, i, columns->op), "map_other") == 0) {
            notifier->replaced = true;
        }
    }
}

bool recording_rows(const struct csv *table, uint32_t vcpus, struct rows *rows, struct error *err)
{
    struct columns columns = {0};
    *rows = (struct rows){.path = table->path, .count = table->rows};
    if (!find_columns(table, &columns, err)) {
        return false;
    }
    if (table->rows == 0) {
        return error_input(err, &(struct source_location){.file = table->path},
                           "a recording without rows");
    }
    rows->row = alloc_checked(calloc(table->rows, sizeof *rows->row), "a recording");
    for (size_t i = 0; i < rows->count; i++) {
        if (!parse_row(table, i, &columns, vcpus, &rows->row[i], err)) {
            return false;
        }
        rows->toggles |= rows->row[i].op == ROW_MMU_ON;
    }
    note_replaced(table, &columns, rows);
    return true;
}
