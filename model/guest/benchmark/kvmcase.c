#include "guest/benchmark/kvmcase.h"

#include "core/error.h"
#include "core/invariant.h"
#include "core/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- the grammar --- */

enum operands {
    TAKES_NOTHING,
    TAKES_VCPU, /* [VCPU] */
    TAKES_COUNT, /* N */
    TAKES_RANGE, /* FIRST COUNT */
    TAKES_PAGES, /* FIRST STRIDE COUNT [VCPU] */
};

/* A word, and what it stands for; the second slot has words of its own. */
static const struct verb {
    const char *name;
    enum kvmcase_verb verb;
    enum operands operands;
    bool second;
    const char *spelling;
} verbs[] = {
    {"w", KVMCASE_WRITE, TAKES_PAGES, false, "w FIRST STRIDE COUNT [VCPU]"},
    {"r", KVMCASE_READ, TAKES_PAGES, false, "r FIRST STRIDE COUNT [VCPU]"},
    {"e", KVMCASE_CALL, TAKES_PAGES, false, "e FIRST STRIDE COUNT [VCPU]"},
    {"x", KVMCASE_EXIT, TAKES_VCPU, false, "x [VCPU]"},
    {"mon", KVMCASE_MMU_ON, TAKES_VCPU, false, "mon [VCPU]"},
    {"moff", KVMCASE_MMU_OFF, TAKES_VCPU, false, "moff [VCPU]"},
    {"cisw", KVMCASE_SETWAY, TAKES_COUNT, false, "cisw N"},
    {"init", KVMCASE_INIT, TAKES_VCPU, false, "init [VCPU]"},
    {"pop", KVMCASE_FILL, TAKES_NOTHING, false, "pop"},
    {"drop", KVMCASE_DROP, TAKES_NOTHING, false, "drop"},
    {"destroy", KVMCASE_DESTROY, TAKES_NOTHING, false, "destroy"},
    {"pret", KVMCASE_FILL, TAKES_NOTHING, false, "pret"},
    {"dropr", KVMCASE_DROP_RANGE, TAKES_RANGE, false, "dropr FIRST COUNT"},
    {"W", KVMCASE_WRITE, TAKES_PAGES, true, "W FIRST STRIDE COUNT [VCPU]"},
    {"R", KVMCASE_READ, TAKES_PAGES, true, "R FIRST STRIDE COUNT [VCPU]"},
    {"E", KVMCASE_CALL, TAKES_PAGES, true, "E FIRST STRIDE COUNT [VCPU]"},
    {"pop2", KVMCASE_FILL, TAKES_NOTHING, true, "pop2"},
    {"drop2", KVMCASE_DROP, TAKES_NOTHING, true, "drop2"},
    {"sdel", KVMCASE_SLOT_DELETE, TAKES_COUNT, false, "sdel 1|2"},
    {"sadd", KVMCASE_SLOT_ADD, TAKES_COUNT, false, "sadd 1|2"},
    {"dlog", KVMCASE_DIRTY_LOG, TAKES_COUNT, false, "dlog 1|0"},
};
#define VERBS (sizeof verbs / sizeof *verbs)

#define WORDS_MAX 5 /* the longest operation's */
#define TEXT_MAX 128

/* NULL with a line. */
static const struct verb *find_verb(const char *word, const struct source_location *at,
                                    struct error *err)
{
    const char *names[VERBS];
    char hint[256] = "";
    for (size_t i = 0; i < VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(word, verbs[i].name) == 0) {
            return &verbs[i];
        }
    }
    error_suggest_all(hint, sizeof hint, word, names, VERBS);
    error_input(err, at, "unknown operation '%s'%s", word, hint);
    return NULL;
}

/* Digits only: a sign or a fraction is a slip, not a number of pages. */
static bool read_number(const char *word, uint64_t *value)
{
    char *end;
    if (!isdigit((unsigned char)word[0])) {
        return false;
    }
    errno = 0;
    *value = strtoull(word, &end, 10);
    return errno == 0 && *end == '\0';
}

/* The fewest and the most numbers that may follow a verb. */
static void operand_range(enum operands operands, size_t *min, size_t *max)
{
    static const size_t range[][2] = {[TAKES_NOTHING] = {0, 0},
                                      [TAKES_VCPU] = {0, 1},
                                      [TAKES_COUNT] = {1, 1},
                                      [TAKES_RANGE] = {2, 2},
                                      [TAKES_PAGES] = {3, 4}};
    *min = range[operands][0];
    *max = range[operands][1];
}

static void set_operands(struct kvmcase_op *op, enum operands operands, const uint64_t *number)
{
    switch (operands) {
    case TAKES_PAGES:
        op->first = number[0];
        op->stride = number[1];
        op->count = number[2];
        op->vcpu = number[3];
        break;
    case TAKES_COUNT:
        op->count = number[0];
        break;
    case TAKES_RANGE:
        op->first = number[0];
        op->stride = 1;
        op->count = number[1];
        break;
    case TAKES_NOTHING:
    case TAKES_VCPU:
        op->vcpu = number[0];
        break;
    }
}

bool kvmcase_parse(const char *text, struct kvmcase_op *op, const struct source_location *at,
                   struct error *err)
{
    char copy[TEXT_MAX], *words[WORDS_MAX + 1], *rest = NULL;
    uint64_t number[WORDS_MAX] = {0};
    size_t count = 0, min, max;
    *op = (struct kvmcase_op){0};
    size_t length = strlen(text);
    if (length >= sizeof copy) {
        return error_input(err, at, "found %zu characters, expected an operation", length);
    }
    memcpy(copy, text, length + 1);
    for (char *word = strtok_r(copy, " \t", &rest); word && count <= WORDS_MAX;
         word = strtok_r(NULL, " \t", &rest)) {
        words[count++] = word;
    }
    if (count == 0) {
        return error_input(err, at, "found nothing, expected an operation such as 'w 0 1 1024'");
    }
    const struct verb *verb = find_verb(words[0], at, err);
    if (!verb) {
        return false;
    }
    op->verb = verb->verb;
    op->second = verb->second;
    operand_range(verb->operands, &min, &max);
    bool good = count - 1 >= min && count - 1 <= max;
    for (size_t i = 1; good && i < count; i++) {
        good = read_number(words[i], &number[i - 1]);
    }
    if (!good) {
        return error_input(err, at, "found '%s', expected '%s' with whole numbers", text,
                           verb->spelling);
    }
    set_operands(op, verb->operands, number);
    return true;
}

/* --- the VM --- */

bool kvmcase_backing(const char *text, enum backing *backing, const struct source_location *at,
                     struct error *err)
{
    static const enum backing known[] = {BACKING_4K, BACKING_THP, BACKING_HUGETLB,
                                         BACKING_HUGETLB_SHARED, BACKING_SHARED};
    const size_t count = sizeof known / sizeof *known;
    const char *names[sizeof known / sizeof *known];
    char hint[256] = "";
    for (size_t i = 0; i < count; i++) {
        names[i] = backing_name[known[i]];
        if (strcmp(text, names[i]) == 0) {
            *backing = known[i];
            return true;
        }
    }
    error_suggest(hint, sizeof hint, text, names, count);
    return error_input(err, at, "unknown backing '%s'%s", text, hint);
}

static struct source_location column_of(const struct source_location *at, const char *column)
{
    return (struct source_location){
        .file = at ? at->file : NULL, .line = at ? at->line : 0, .key = column};
}

static bool fill_shape(const struct kvmcase_shape *shape, struct vm_shape *vm, struct error *err)
{
    const struct slot_shape code = {
        .ipa = KVMCASE_CODE_IPA, .bytes = KVMCASE_CODE_BYTES, .backing = BACKING_4K, .code = true};
    /* The VMM aligns RAM to 2 MiB in its own memory, whatever its IPA. */
    const struct slot_shape ram = {.ipa = KVMCASE_RAM_IPA + shape->slot_offset_bytes,
                                   .bytes = shape->mem_mib * MIB,
                                   .misalign = shape->slot_offset_bytes % (2 * MIB),
                                   .backing = shape->backing};
    const struct slot_shape second = {
        .ipa = KVMCASE_SECOND_IPA, .bytes = shape->mem2_mib * MIB, .backing = shape->backing2};
    vm_shape_defaults(vm, (uint32_t)shape->vcpus);
    return vm_shape_slot(vm, code, err) && vm_shape_slot(vm, ram, err) &&
           (shape->mem2_mib == 0 || vm_shape_slot(vm, second, err));
}

bool kvmcase_check(const struct kvmcase_shape *shape, const struct source_location *at,
                   struct error *err)
{
    struct vm_shape vm;
    struct error inner = {0};
    struct source_location memory = column_of(at, "mem_mib"),
                           offset = column_of(at, "slot_offset_bytes"),
                           vcpus = column_of(at, "vcpus");
    if (shape->vcpus < 1 || shape->vcpus > KVMCASE_VCPUS) {
        return error_input(err, &vcpus, "found %llu, expected 1 to %d",
                           (unsigned long long)shape->vcpus, KVMCASE_VCPUS);
    }
    if (shape->slot_offset_bytes % KVMCASE_PAGE != 0 || shape->slot_offset_bytes > TIB) {
        return error_input(err, &offset,
                           "found %llu, expected a multiple of 4096 within 40 bits of IPA",
                           (unsigned long long)shape->slot_offset_bytes);
    }
    if (shape->mem_mib < 1 || shape->mem_mib > TIB / MIB) {
        return error_input(err, &memory, "found %llu, expected 1 to what 40 bits of IPA hold",
                           (unsigned long long)shape->mem_mib);
    }
    if (!fill_shape(shape, &vm, &inner)) {
        return error_input(err, &memory, "%s", inner.text);
    }
    return true;
}

const char *kvmcase_unsupported(const struct kvmcase_shape *shape)
{
    if ((backing_is_hugetlb(shape->backing) && shape->mem_mib % 2 != 0) ||
        (backing_is_hugetlb(shape->backing2) && shape->mem2_mib % 2 != 0)) {
        return "page: hugetlb memory that is no whole number of 2 MiB pages";
    }
    return NULL;
}

/* --- the timeline --- */

void kvmcase_begin(struct kvmcase *kvmcase, const struct kvmcase_shape *shape,
                   struct timeline *timeline, const char *name)
{
    struct error err;
    *kvmcase = (struct kvmcase){.shape = *shape, .timeline = timeline};
    timeline_init(timeline, name, true, (uint32_t)shape->vcpus);
    INVARIANT(fill_shape(shape, &timeline->vm, &err), "%s", err.text);
    timeline_phase(timeline, "set-up");
    timeline_add(
        timeline, SCRIPT_VMM,
        (struct op){.kind = OP_FILL, .ipa = KVMCASE_CODE_IPA, .bytes = KVMCASE_CODE_BYTES});
}

static void touch_code(struct kvmcase *kvmcase, uint32_t vcpu, uint64_t page,
                       enum touch_access access)
{
    timeline_add(kvmcase->timeline, vcpu,
                 (struct op){.kind = OP_TOUCH,
                             .access = (uint8_t)access,
                             .ipa = KVMCASE_CODE_IPA + page * KVMCASE_PAGE,
                             .bytes = KVMCASE_PAGE,
                             .stride = KVMCASE_PAGE,
                             .count = 1,
                             .density = 1});
}

static void begin_run(struct kvmcase *kvmcase, uint32_t vcpu)
{
    timeline_add(kvmcase->timeline, vcpu, (struct op){.kind = OP_ENTER});
    if (kvmcase->mmu_on[vcpu]) {
        touch_code(kvmcase, vcpu, 1, TOUCH_READ);
    }
    touch_code(kvmcase, vcpu, 0, TOUCH_FETCH);
}

static void end_run(struct kvmcase *kvmcase, uint32_t vcpu)
{
    timeline_add(kvmcase->timeline, vcpu,
                 (struct op){.kind = OP_TOUCH,
                             .access = TOUCH_WRITE,
                             .ipa = KVMCASE_EXIT_IPA,
                             .bytes = 8,
                             .stride = 8,
                             .count = 1,
                             .density = 1});
}

static uint64_t slot_ipa(const struct kvmcase *kvmcase, bool second)
{
    return second ? KVMCASE_SECOND_IPA : KVMCASE_RAM_IPA + kvmcase->shape.slot_offset_bytes;
}

static uint64_t slot_mib(const struct kvmcase *kvmcase, bool second)
{
    return second ? kvmcase->shape.mem2_mib : kvmcase->shape.mem_mib;
}

/* Neighbouring pages are one piece, and so is one page again and again. */
static void touch_ram(struct kvmcase *kvmcase, const struct kvmcase_op *op,
                      enum touch_access access)
{
    bool dense = op->stride == 1;
    bool single = op->stride == 0 || op->count == 1;
    if (op->count == 0) {
        return;
    }
    timeline_add(kvmcase->timeline, (uint32_t)op->vcpu,
                 (struct op){.kind = OP_TOUCH,
                             .access = (uint8_t)access,
                             .ipa = slot_ipa(kvmcase, op->second) + op->first * KVMCASE_PAGE,
                             .bytes = (dense ? op->count : 1) * KVMCASE_PAGE,
                             .stride = single ? KVMCASE_PAGE : op->stride * KVMCASE_PAGE,
                             .count = dense || single ? 1 : op->count,
                             .density = 1});
}

/* Three other VM registers are written before SCTLR; the first walk after it
 * reads the guest's tables. */
static void switch_on(struct kvmcase *kvmcase, uint32_t vcpu)
{
    timeline_add(kvmcase->timeline, vcpu, (struct op){.kind = OP_VMREGS, .n = 3});
    timeline_add(kvmcase->timeline, vcpu, (struct op){.kind = OP_MMU, .on = true});
    kvmcase->mmu_on[vcpu] = true;
    touch_code(kvmcase, vcpu, 1, TOUCH_READ);
}

static void run_guest(struct kvmcase *kvmcase, const struct kvmcase_op *op)
{
    uint32_t vcpu = (uint32_t)op->vcpu;
    begin_run(kvmcase, vcpu);
    switch (op->verb) {
    case KVMCASE_WRITE:
        touch_ram(kvmcase, op, TOUCH_WRITE);
        break;
    case KVMCASE_READ:
        touch_ram(kvmcase, op, TOUCH_READ);
        break;
    case KVMCASE_CALL:
        touch_ram(kvmcase, op, TOUCH_FETCH);
        break;
    case KVMCASE_MMU_ON:
        switch_on(kvmcase, vcpu);
        break;
    case KVMCASE_MMU_OFF:
        timeline_add(kvmcase->timeline, vcpu, (struct op){.kind = OP_MMU, .on = false});
        kvmcase->mmu_on[vcpu] = false;
        break;
    case KVMCASE_SETWAY:
        timeline_add(kvmcase->timeline, vcpu, (struct op){.kind = OP_SETWAY, .n = op->count});
        break;
    case KVMCASE_EXIT:
    case KVMCASE_INIT:
    case KVMCASE_FILL:
    case KVMCASE_DROP:
    case KVMCASE_DROP_RANGE:
    case KVMCASE_SLOT_DELETE:
    case KVMCASE_SLOT_ADD:
    case KVMCASE_DIRTY_LOG:
    case KVMCASE_DESTROY:
        break;
    }
    end_run(kvmcase, vcpu);
}

static bool check_pages(const struct kvmcase *kvmcase, const struct kvmcase_op *op,
                        const struct source_location *at, struct error *err)
{
    uint64_t pages = slot_mib(kvmcase, op->second) * (MIB / KVMCASE_PAGE);
    uint64_t room = op->first < pages ? pages - 1 - op->first : 0;
    bool fits = op->count == 0 || (op->first < pages && (op->count == 1 || op->stride == 0 ||
                                                         room / op->stride >= op->count - 1));
    if (!fits) {
        return error_input(err, at,
                           "found %llu pages from %llu on, every %llu-th, expected pages "
                           "below %llu (%s)",
                           (unsigned long long)op->count, (unsigned long long)op->first,
                           (unsigned long long)op->stride, (unsigned long long)pages,
                           op->second ? "mem2_mib" : "mem_mib");
    }
    return true;
}

/* A slot that the VM has, there or gone as the operation asks for. */
static bool check_slot(const struct kvmcase *kvmcase, const struct kvmcase_op *op,
                       const struct source_location *at, struct error *err)
{
    bool has = kvmcase->shape.mem2_mib > 0, adds = op->verb == KVMCASE_SLOT_ADD;
    if (op->count != KVMCASE_RAM_SLOT && !(op->count == KVMCASE_SECOND_SLOT && has)) {
        return error_input(err, at, "found slot %llu, expected %s", (unsigned long long)op->count,
                           has ? "1 or 2" : "1: the VM has no mem2_mib");
    }
    bool gone = kvmcase->gone[op->count - KVMCASE_RAM_SLOT];
    return gone == adds ||
           error_input(err, at, "found slot %llu, which is %s", (unsigned long long)op->count,
                       gone ? "deleted already" : "there already");
}

/* Whether its first three numbers name pages. */
static bool takes_pages(const struct kvmcase_op *op)
{
    return op->verb == KVMCASE_WRITE || op->verb == KVMCASE_READ || op->verb == KVMCASE_CALL ||
           op->verb == KVMCASE_DROP_RANGE;
}

static const char *name_of(const struct kvmcase_op *op)
{
    size_t i = 0;
    while (i < VERBS - 1 && (verbs[i].verb != op->verb || verbs[i].second != op->second)) {
        i++;
    }
    return verbs[i].name;
}

static bool check_row(const struct kvmcase *kvmcase, const struct kvmcase_op *op,
                      const struct source_location *at, struct error *err)
{
    if (kvmcase->destroyed) {
        return error_input(err, at, "found '%s' after 'destroy', expected nothing more of this VM",
                           name_of(op));
    }
    if (op->vcpu >= kvmcase->shape.vcpus) {
        return error_input(err, at, "found vCPU %llu, expected one below %llu (vcpus)",
                           (unsigned long long)op->vcpu, (unsigned long long)kvmcase->shape.vcpus);
    }
    if (op->verb == KVMCASE_DIRTY_LOG && op->count > 1) {
        return error_input(err, at, "found 'dlog %llu', expected 'dlog 1' or 'dlog 0'",
                           (unsigned long long)op->count);
    }
    if (op->second && kvmcase->shape.mem2_mib == 0) {
        return error_input(err, at, "found '%s', expected a VM with mem2_mib", name_of(op));
    }
    if (op->verb == KVMCASE_SLOT_DELETE || op->verb == KVMCASE_SLOT_ADD) {
        return check_slot(kvmcase, op, at, err);
    }
    return !takes_pages(op) || check_pages(kvmcase, op, at, err);
}

/* What the VMM does. */
static void add_vmm(struct kvmcase *kvmcase, struct op op)
{
    timeline_add(kvmcase->timeline, SCRIPT_VMM, op);
}

bool kvmcase_add(struct kvmcase *kvmcase, const char *name, const struct kvmcase_op *op,
                 uint32_t *phase, const struct source_location *at, struct error *err)
{
    uint64_t ipa = slot_ipa(kvmcase, op->second);
    if (!check_row(kvmcase, op, at, err)) {
        return false;
    }
    *phase = timeline_phase(kvmcase->timeline, name);
    switch (op->verb) {
    case KVMCASE_INIT:
        add_vmm(kvmcase, (struct op){.kind = OP_REINIT, .n = op->vcpu});
        kvmcase->mmu_on[op->vcpu] = false;
        break;
    case KVMCASE_FILL:
        add_vmm(
            kvmcase,
            (struct op){.kind = OP_FILL, .ipa = ipa, .bytes = slot_mib(kvmcase, op->second) * MIB});
        break;
    case KVMCASE_DROP:
        add_vmm(kvmcase, (struct op){.kind = OP_DROP,
                                     .n = op->second ? KVMCASE_SECOND_SLOT : KVMCASE_RAM_SLOT});
        break;
    case KVMCASE_DROP_RANGE:
        add_vmm(kvmcase, (struct op){.kind = OP_NOTIFY,
                                     .ipa = ipa + op->first * KVMCASE_PAGE,
                                     .bytes = op->count * KVMCASE_PAGE});
        break;
    case KVMCASE_SLOT_DELETE:
        kvmcase->gone[op->count - KVMCASE_RAM_SLOT] = true;
        add_vmm(kvmcase, (struct op){.kind = OP_SLOT_DELETE, .n = op->count});
        break;
    case KVMCASE_SLOT_ADD:
        kvmcase->gone[op->count - KVMCASE_RAM_SLOT] = false;
        add_vmm(kvmcase, (struct op){.kind = OP_SLOT_ADD, .n = op->count});
        break;
    case KVMCASE_DIRTY_LOG:
        add_vmm(kvmcase, (struct op){.kind = OP_DIRTY_LOG,
                                     .on = op->count == 1,
                                     .n = kvmcase->shape.eager_split});
        break;
    case KVMCASE_DESTROY:
        /* The tables are freed as they are, with no unmap, flush or invalidation:
         * nothing that is counted happens. */
        kvmcase->destroyed = true;
        break;
    case KVMCASE_WRITE:
    case KVMCASE_READ:
    case KVMCASE_CALL:
    case KVMCASE_EXIT:
    case KVMCASE_MMU_ON:
    case KVMCASE_MMU_OFF:
    case KVMCASE_SETWAY:
        run_guest(kvmcase, op);
        break;
    }
    return timeline_fits(kvmcase->timeline, at, err);
}
