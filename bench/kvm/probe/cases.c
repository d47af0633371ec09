#include "cases.h"

#include "common.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum column {
    COL_KERNEL,
    COL_CPU,
    COL_CASE,
    COL_PAGE,
    COL_MEM,
    COL_OFFSET,
    COL_VCPUS,
    COL_PHASE,
    COL_OP,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    "kernel", "cpu", "case", "page", "mem_mib", "slot_offset_bytes", "vcpus", "phase", "op",
};

enum { CELLS = 64 };

struct reader {
    const char *path;
    size_t line;
    size_t where[COLUMNS]; /* the cell that holds the column */
    char *last; /* the VM of the row before: all but phase and op */
    bool taken; /* whether that one is wanted */
    const char *const *patterns;
    size_t patterns_count;
};

__attribute__((noreturn)) static void bad(const struct reader *reader, const char *why,
                                          const char *text)
{
    die(PROBE_MISSING, "%s:%zu: %s%s%s%s", reader->path, reader->line, why, text ? " '" : "",
        text ? text : "", text ? "'" : "");
}

/* Cuts the line at its commas; the table has no quotes. */
static size_t split(char *line, char *cells[CELLS])
{
    size_t count = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; at && count < CELLS;) {
        cells[count++] = strsep(&at, ",");
    }
    return count;
}

static void read_header(struct reader *reader, char *line)
{
    char *cells[CELLS];
    size_t count = split(line, cells);
    for (size_t column = 0; column < COLUMNS; column++) {
        size_t cell = 0;
        while (cell < count && strcmp(cells[cell], column_names[column]) != 0) {
            cell++;
        }
        if (cell == count) {
            bad(reader, "the header has no column", column_names[column]);
        }
        reader->where[column] = cell;
    }
}

static uint64_t number(const struct reader *reader, const char *text, uint64_t most)
{
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value > most) {
        bad(reader, "not a number that can be used here:", text);
    }
    return value;
}

static enum backing read_backing(const struct reader *reader, const char *text)
{
    static const char *const names[] = {"4k", "thp", "hugetlb", "shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            return (enum backing)i;
        }
    }
    bad(reader, "unknown backing", text);
}

/* Numbers that an operation takes: of pages, then N, then the vCPU. */
struct verb_form {
    const char *name;
    enum verb verb;
    size_t least, most;
};

static const struct verb_form forms[] = {
    {"w", OP_WRITE, 3, 4},      {"r", OP_READ, 3, 4},      {"e", OP_CALL, 3, 4},
    {"x", OP_EXIT, 0, 1},       {"init", OP_INIT, 0, 1},   {"mon", OP_MMU_ON, 0, 1},
    {"moff", OP_MMU_OFF, 0, 1}, {"cisw", OP_SETWAY, 1, 1}, {"pop", OP_FILL, 0, 0},
    {"drop", OP_DROP, 0, 0},
};

static const struct verb_form *find_form(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(name, forms[i].name) == 0) {
            return &forms[i];
        }
    }
    bad(reader, "unknown operation", name);
}

static struct op read_op(const struct reader *reader, const char *text)
{
    char *copy = must_copy(text);
    char *rest = copy;
    const char *name = strsep(&rest, " ");
    const struct verb_form *form = find_form(reader, name);
    uint64_t n[4] = {0};
    size_t count = 0;
    while (rest && count < form->most) {
        n[count++] = number(reader, strsep(&rest, " "), UINT64_C(1) << 40);
    }
    if (rest || count < form->least) {
        bad(reader, "too few or too many numbers in", text);
    }
    free(copy);
    struct op op = {.verb = form->verb};
    if (form->least == 3) {
        return (struct op){form->verb, n[0], n[1], n[2], n[3]};
    }
    if (form->verb == OP_SETWAY) {
        op.count = n[0];
    } else {
        op.vcpu = n[0];
    }
    return op;
}

static void check_op(const struct reader *reader, const struct vm_case *vm, const struct op *op)
{
    uint64_t pages = vm->mem_mib << 8;
    if (op->vcpu >= vm->vcpus) {
        bad(reader, "the operation's vCPU is not there", NULL);
    }
    if (op->verb > OP_CALL || op->count == 0) {
        return;
    }
    bool inside = op->first < pages && op->count <= pages &&
                  (op->count == 1 || op->stride <= (pages - 1 - op->first) / (op->count - 1));
    if (!inside) {
        bad(reader, "the operation's pages are not all in memory", NULL);
    }
}

static bool wanted(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->patterns_count; i++) {
        if (fnmatch(reader->patterns[i], name, 0) == 0) {
            return true;
        }
    }
    return reader->patterns_count == 0;
}

static bool same_vm(const struct vm_case *a, const struct vm_case *b)
{
    return strcmp(a->name, b->name) == 0 && a->backing == b->backing && a->mem_mib == b->mem_mib &&
           a->slot_offset == b->slot_offset && a->vcpus == b->vcpus;
}

/* Adds the VM that this row begins, unless it is not wanted or there already. */
static void begin_vm(struct reader *reader, struct cases *cases, char *const cells[CELLS])
{
    const size_t *where = reader->where;
    struct vm_case vm = {
        .backing = read_backing(reader, cells[where[COL_PAGE]]),
        .mem_mib = number(reader, cells[where[COL_MEM]], UINT64_C(1) << 20),
        .slot_offset = number(reader, cells[where[COL_OFFSET]], UINT64_C(1) << 36),
        .vcpus = number(reader, cells[where[COL_VCPUS]], 512),
        .name = cells[where[COL_CASE]],
    };
    if (vm.mem_mib == 0 || vm.vcpus == 0 || vm.slot_offset % 4096 != 0) {
        bad(reader, "no such VM: it needs memory, a vCPU and whole pages", NULL);
    }
    reader->taken = wanted(reader, vm.name);
    for (size_t i = 0; i < cases->count; i++) {
        reader->taken = reader->taken && !same_vm(&vm, &cases->at[i]);
    }
    if (!reader->taken) {
        return;
    }
    vm.name = must_copy(vm.name);
    vm.page = must_copy(cells[where[COL_PAGE]]);
    cases->at = reallocarray(cases->at, cases->count + 1, sizeof vm);
    if (!cases->at) {
        die(PROBE_FAILED, "no memory for the cases");
    }
    cases->at[cases->count++] = vm;
}

static void add_phase(const struct reader *reader, struct vm_case *vm, char *const cells[CELLS])
{
    const char *text = cells[reader->where[COL_OP]];
    struct op op = read_op(reader, text);
    check_op(reader, vm, &op);
    vm->phases = reallocarray(vm->phases, vm->count + 1, sizeof *vm->phases);
    if (!vm->phases) {
        die(PROBE_FAILED, "no memory for the phases");
    }
    vm->phases[vm->count++] = (struct phase){
        .name = must_copy(cells[reader->where[COL_PHASE]]),
        .text = must_copy(text),
        .op = op,
    };
}

static void read_row(struct reader *reader, struct cases *cases, char *line)
{
    char *cells[CELLS];
    size_t count = split(line, cells);
    char vm[512] = "";
    for (size_t column = 0; column < COLUMNS; column++) {
        if (reader->where[column] >= count) {
            bad(reader, "too few cells", NULL);
        }
        if (column < COL_PHASE) {
            size_t used = strlen(vm);
            snprintf(vm + used, sizeof vm - used, "%s,", cells[reader->where[column]]);
        }
    }
    if (!reader->last || strcmp(vm, reader->last) != 0) {
        free(reader->last);
        reader->last = must_copy(vm);
        begin_vm(reader, cases, cells);
    }
    if (reader->taken) {
        add_phase(reader, &cases->at[cases->count - 1], cells);
    }
}

struct cases cases_read(const char *path, const char *const *patterns, size_t patterns_count)
{
    struct reader reader = {.path = path, .patterns = patterns, .patterns_count = patterns_count};
    struct cases cases = {0};
    FILE *in = fopen(path, "r");
    if (!in) {
        die(PROBE_MISSING, "%s: %s", path, strerror(errno));
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, in) > 0) {
        if (++reader.line == 1) {
            read_header(&reader, line);
        } else {
            read_row(&reader, &cases, line);
        }
    }
    free(line);
    free(reader.last);
    fclose(in);
    if (cases.count == 0) {
        die(PROBE_MISSING, "%s: no case that matches", path);
    }
    return cases;
}

void cases_free(struct cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        struct vm_case *vm = &cases->at[i];
        for (size_t k = 0; k < vm->count; k++) {
            free(vm->phases[k].name);
            free(vm->phases[k].text);
        }
        free(vm->phases);
        free(vm->name);
        free(vm->page);
    }
    free(cases->at);
    *cases = (struct cases){0};
}
