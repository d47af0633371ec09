/* The [timeline] section of a workload file: one operation a line. */
#include "core/alloc.h"
#include "core/error.h"
#include "guest/workload/workload_operands.h"

#include "core/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- lines --- */

/* Who may do it, and whether it goes past the caches. */
enum { BY_VMM = 1, BY_GUEST = 2, PAST = 4 };

/* What stands behind a verb, and how it is read. */
struct operands {
    const char *usage;
    bool (*take)(struct parser *parser, struct op *op);
};
static const struct operands takes_memory = {" IPA BYTES", parser_take_memory};
static const struct operands takes_host_range = {" IPA BYTES [no-dsb]", parser_take_host_range};
static const struct operands takes_vcpu = {" VCPU, or reinit all", parser_take_vcpu};
static const struct operands takes_touch = {" IPA BYTES [every STRIDE times COUNT]",
                                            parser_take_touch};
static const struct operands takes_slot = {" SLOT", parser_take_slot};
static const struct operands takes_log = {
    " on|on-split|on-all-dirty|on-all-dirty-split|round|get|clear IPA BYTES|off", parser_take_log};
static const struct operands takes_nothing = {"", parser_take_nothing};
static const struct operands takes_maintained = {" IPA BYTES [every STRIDE times COUNT] [no-dsb]",
                                                 parser_take_maintained};
static const struct operands takes_switch = {" on|off", parser_take_switch};
static const struct operands takes_count = {" N", parser_take_count};
static const struct operands takes_time = {" TIME", parser_take_time};
static const struct operands takes_signal = {" NAME", parser_take_signal};

static const struct verb {
    const char *name;
    const struct operands *operands;
    enum op_kind kind;
    int by;
    int access; /* enum touch_access, enum guest_maintenance */
} verbs[] = {
    {"fill", &takes_memory, OP_FILL, BY_VMM, 0},
    {"fill-uncached", &takes_memory, OP_FILL_UNCACHED, BY_VMM, 0},
    {"read", &takes_memory, OP_HOST_READ, BY_VMM, 0},
    {"read-uncached", &takes_memory, OP_HOST_READ_UNCACHED, BY_VMM, 0},
    {"device-read", &takes_memory, OP_DEVICE_READ, BY_VMM, 0},
    {"device-write", &takes_memory, OP_DEVICE_WRITE, BY_VMM, 0},
    {"device-read-uncached", &takes_memory, OP_DEVICE_READ, BY_VMM | PAST, 0},
    {"device-write-uncached", &takes_memory, OP_DEVICE_WRITE, BY_VMM | PAST, 0},
    {"clean", &takes_host_range, OP_HOST_MAINTAIN, BY_VMM, MAINTAIN_CLEAN},
    {"clean-pou", &takes_host_range, OP_HOST_MAINTAIN, BY_VMM, MAINTAIN_CLEAN_POU},
    {"clean-invalidate", &takes_host_range, OP_HOST_MAINTAIN, BY_VMM, MAINTAIN_CLEAN_INVALIDATE},
    {"invalidate", &takes_host_range, OP_HOST_MAINTAIN, BY_VMM, MAINTAIN_INVALIDATE},
    {"icache-invalidate", &takes_host_range, OP_HOST_MAINTAIN, BY_VMM, MAINTAIN_ICACHE},
    {"notify", &takes_memory, OP_NOTIFY, BY_VMM, 0},
    {"reinit", &takes_vcpu, OP_REINIT, BY_VMM, 0},
    {"prefault", &takes_touch, OP_PREFAULT, BY_VMM, 0},
    {"drop", &takes_slot, OP_DROP, BY_VMM, 0},
    {"slot-delete", &takes_slot, OP_SLOT_DELETE, BY_VMM, 0},
    {"slot-add", &takes_slot, OP_SLOT_ADD, BY_VMM, 0},
    {"dirty-log", &takes_log, OP_DIRTY_LOG, BY_VMM, 0},
    {"destroy", &takes_nothing, OP_TEARDOWN, BY_VMM, 0},
    {"window", &takes_nothing, OP_WINDOW, BY_VMM | BY_GUEST, 0},
    {"enter", &takes_nothing, OP_ENTER, BY_GUEST, 0},
    {"write", &takes_touch, OP_TOUCH, BY_GUEST, TOUCH_WRITE},
    {"read", &takes_touch, OP_TOUCH, BY_GUEST, TOUCH_READ},
    {"fetch", &takes_touch, OP_TOUCH, BY_GUEST, TOUCH_FETCH},
    {"read-uncached", &takes_touch, OP_TOUCH, BY_GUEST | PAST, TOUCH_READ},
    {"write-uncached", &takes_touch, OP_TOUCH, BY_GUEST | PAST, TOUCH_WRITE},
    {"clean", &takes_maintained, OP_MAINTAIN, BY_GUEST, MAINTAIN_CLEAN},
    {"clean-pou", &takes_maintained, OP_MAINTAIN, BY_GUEST, MAINTAIN_CLEAN_POU},
    {"clean-invalidate", &takes_maintained, OP_MAINTAIN, BY_GUEST, MAINTAIN_CLEAN_INVALIDATE},
    {"invalidate", &takes_maintained, OP_MAINTAIN, BY_GUEST, MAINTAIN_INVALIDATE},
    {"icache-invalidate", &takes_maintained, OP_MAINTAIN, BY_GUEST, MAINTAIN_ICACHE},
    {"icache-invalidate-all", &takes_nothing, OP_MAINTAIN, BY_GUEST, MAINTAIN_ICACHE_ALL},
    {"icache", &takes_switch, OP_ICACHE, BY_GUEST, 0},
    {"insns", &takes_count, OP_INSNS, BY_GUEST, 0},
    {"mmu", &takes_switch, OP_MMU, BY_GUEST, 0},
    {"vmregs", &takes_count, OP_VMREGS, BY_GUEST, 0},
    {"setway", &takes_count, OP_SETWAY, BY_GUEST, 0},
    {"compute", &takes_time, OP_COMPUTE, BY_VMM | BY_GUEST, 0},
    {"signal", &takes_signal, OP_SIGNAL, BY_VMM | BY_GUEST, 0},
    {"wait", &takes_signal, OP_WAIT, BY_VMM | BY_GUEST, 0},
};
#define VERBS (sizeof verbs / sizeof *verbs)

static const struct verb *find_verb(struct parser *parser, int by)
{
    const char *names[VERBS];
    size_t count = 0;
    const char *word = parser_take_word(parser);
    for (size_t i = 0; i < VERBS; i++) {
        if (word && (verbs[i].by & by) && strcmp(verbs[i].name, word) == 0) {
            return &verbs[i];
        }
        if (verbs[i].by & by) {
            names[count++] = verbs[i].name;
        }
    }
    char hint[512] = "";
    error_suggest(hint, sizeof hint, word ? word : "", names, count);
    error_input(parser->err, &parser->at, "found '%.60s', expected an operation of %s%s",
                word ? word : "", by == BY_VMM ? "the VMM" : "a vCPU", hint);
    return NULL;
}

/* A vCPU does nothing in the guest before its first KVM_RUN. */
static bool check_entered(struct parser *parser, uint32_t vcpu, const struct verb *verb)
{
    bool outside = verb->kind == OP_WAIT || verb->kind == OP_SIGNAL || verb->kind == OP_COMPUTE ||
                   verb->kind == OP_WINDOW;
    if (verb->kind == OP_ENTER) {
        parser->entered[vcpu] = true;
    }
    if (outside || parser->entered[vcpu]) {
        return true;
    }
    return error_input(parser->err, &parser->at, "found '%s' before the vCPU's first 'enter'",
                       verb->name);
}

/* The window begins once; the VMM does nothing more to a VM that it destroyed. */
static bool check_once(struct parser *parser, uint32_t vcpu, const struct verb *verb)
{
    if (verb->kind == OP_WINDOW && parser->window_line) {
        return error_input(parser->err, &parser->at,
                           "the window begins in line %u already, expected one such line",
                           parser->window_line);
    }
    if (vcpu == SCRIPT_VMM && parser->destroy_line && verb->kind != OP_SIGNAL &&
        verb->kind != OP_WAIT && verb->kind != OP_COMPUTE) {
        return error_input(parser->err, &parser->at,
                           "found '%s', but the VM is destroyed in line %u, expected that last",
                           verb->name, parser->destroy_line);
    }
    if (verb->kind == OP_WINDOW) {
        parser->window_line = parser->at.line;
    } else if (verb->kind == OP_TEARDOWN) {
        parser->destroy_line = parser->at.line;
    }
    return true;
}

/* Also of a prefault, which is looked for by its place as well. */
static void note_wait(struct parser *parser, uint32_t vcpu)
{
    uint32_t script = vcpu == SCRIPT_VMM ? 0 : vcpu + 1;
    parser->waits = workload_grown_by_one(parser->waits, parser->wait_count, sizeof *parser->waits);
    parser->waits[parser->wait_count++] =
        (struct wait_line){.script = script,
                           .index = parser->timeline->scripts[script].count - 1,
                           .line = parser->at.line};
}

static void add_op(struct parser *parser, uint32_t vcpu, struct op op)
{
    bool all = op.kind == OP_REINIT && op.on;
    op.on = op.on && !all;
    for (uint32_t i = 0; all && i < parser->timeline->vm.vcpus; i++) {
        op.n = i;
        timeline_add(parser->timeline, vcpu, op);
    }
    if (!all) {
        timeline_add(parser->timeline, vcpu, op);
    }
    if ((op.kind == OP_WAIT || op.kind == OP_PREFAULT) && !parser->timeline->full) {
        note_wait(parser, vcpu);
        parser->prefaults |= op.kind == OP_PREFAULT;
    }
}

static bool play_line(struct parser *parser, uint32_t vcpu)
{
    const struct verb *verb = find_verb(parser, vcpu == SCRIPT_VMM ? BY_VMM : BY_GUEST);
    if (!verb || (vcpu != SCRIPT_VMM && !check_entered(parser, vcpu, verb)) ||
        !check_once(parser, vcpu, verb)) {
        return false;
    }
    struct op op = {.kind = (uint8_t)verb->kind,
                    .access = (uint8_t)verb->access,
                    .past = verb->by & PAST,
                    .count = verb->kind == OP_MAINTAIN ? 1 : 0};
    snprintf(parser->usage, sizeof parser->usage, "%s%s", verb->name, verb->operands->usage);
    if (!verb->operands->take(parser, &op)) {
        return false;
    }
    if (parser->next < parser->count) {
        return parser_misuse(parser, parser->words[parser->next]);
    }
    add_op(parser, vcpu, op);
    return timeline_fits(parser->timeline, &parser->at, parser->err);
}

static bool phase_line(struct parser *parser, const char *text)
{
    if (text[0] == '\0' || strlen(text) >= PHASE_NAME) {
        return error_input(parser->err, &parser->at,
                           "found '%.60s', expected a name of 1 to %d "
                           "characters",
                           text, PHASE_NAME - 1);
    }
    timeline_phase(parser->timeline, text);
    return timeline_fits(parser->timeline, &parser->at, parser->err);
}

/* Who a line is for: SCRIPT_VMM or a vCPU's index. */
static bool actor_of(struct parser *parser, const char *actor, uint32_t *vcpu)
{
    uint64_t index;
    uint32_t vcpus = parser->timeline->vm.vcpus;
    *vcpu = SCRIPT_VMM;
    if (strcmp(actor, "vmm") == 0) {
        return true;
    }
    if (strncmp(actor, "vcpu", 4) != 0 || actor[4] < '0' || actor[4] > '9' ||
        !unit_parse_whole(actor + 4, UNIT_NONE, &index)) {
        return error_input(parser->err, &parser->at,
                           "is no actor, expected phase, vmm, or vcpu0 to vcpu%u", vcpus - 1);
    }
    *vcpu = (uint32_t)index;
    return index < vcpus || error_input(parser->err, &parser->at,
                                        "expected vcpu0 to vcpu%u (vcpus = %u)", vcpus - 1, vcpus);
}

static bool one_line(struct parser *parser, const struct script_line *line)
{
    uint32_t vcpu;
    parser->at.line = line->line;
    parser->at.key = line->actor;
    if (strcmp(line->actor, "phase") == 0) {
        return phase_line(parser, line->text);
    }
    return actor_of(parser, line->actor, &vcpu) && parser_cut_words(parser, line->text) &&
           play_line(parser, vcpu);
}

/* --- signals and deadlocks --- */

static bool check_signals(struct parser *parser)
{
    for (size_t i = 0; i < parser->signal_count; i++) {
        const struct named_signal *signal = &parser->signals[i];
        if (!signal->raised_line) {
            parser->at.line = signal->awaited_line;
            parser->at.key = "wait";
            return error_input(parser->err, &parser->at,
                               "no line raises '%s', expected a line with 'signal %s'",
                               signal->name, signal->name);
        }
    }
    return true;
}

/* Goes through all scripts as far as their waits let them; a wait that stays
 * would stay for ever. */
static bool check_progress(struct parser *parser)
{
    const struct timeline *timeline = parser->timeline;
    size_t *next = alloc_checked(calloc(timeline->script_count, sizeof *next), "a workload");
    bool *raised = alloc_checked(calloc(timeline->signals + 1, sizeof *raised), "a workload");
    bool moved = true, good = true;
    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < timeline->script_count; i++) {
            const struct script *script = &timeline->scripts[i];
            while (next[i] < script->count &&
                   (script->ops[next[i]].kind != OP_WAIT || raised[script->ops[next[i]].n])) {
                const struct op *op = &script->ops[next[i]++];
                if (op->kind == OP_SIGNAL) {
                    raised[op->n] = true;
                }
                moved = true;
            }
        }
    }
    for (size_t i = 0; i < parser->wait_count && good; i++) {
        const struct wait_line *wait = &parser->waits[i];
        if (next[wait->script] == wait->index) {
            parser->at.line = wait->line;
            parser->at.key = "wait";
            good = error_input(parser->err, &parser->at,
                               "waits for ever: what should raise the signal waits for this line");
        }
    }
    free(next);
    free(raised);
    return good;
}

/* A prefault is done in the name of vCPU 0, which has no two faults at a time. */
static bool check_prefaults(struct parser *parser)
{
    size_t index = parser->prefaults ? workload_crowded_prefault(parser->timeline) : SIZE_MAX;
    for (size_t i = 0; i < parser->wait_count && index != SIZE_MAX; i++) {
        const struct wait_line *line = &parser->waits[i];
        if (line->script == 0 && line->index == index) {
            parser->at.line = line->line;
            parser->at.key = "vmm";
            return error_input(parser->err, &parser->at,
                               "vCPU 0 may touch memory meanwhile, expected signals that keep it "
                               "from that");
        }
    }
    return true;
}

static bool check_destroyed(struct parser *parser)
{
    uint32_t vcpu = parser->destroy_line ? workload_outlives_vm(parser->timeline) : UINT32_MAX;
    parser->at.line = parser->destroy_line;
    parser->at.key = "vmm";
    return vcpu == UINT32_MAX ||
           error_input(
               parser->err, &parser->at,
               "vCPU %u may still do something when the VM is destroyed, expected all of it "
               "before: with play = concurrent a signal for which the VMM waits",
               vcpu);
}

bool workload_play_lines(const char *file, const struct script_lines *lines,
                         const struct slot_list *slots, uint16_t density, struct timeline *timeline,
                         struct error *err)
{
    struct parser parser = {
        .at = {.file = file}, .timeline = timeline, .slots = slots, .density = density, .err = err};
    bool good = true;
    parser.entered =
        alloc_checked(calloc(timeline->vm.vcpus, sizeof *parser.entered), "a workload");
    for (uint32_t i = 0; i < slots->count; i++) {
        parser.live[i] = true;
    }
    for (size_t i = 0; i < lines->count && good; i++) {
        good = one_line(&parser, &lines->lines[i]);
    }
    good = good && check_signals(&parser) && check_progress(&parser) && check_prefaults(&parser) &&
           check_destroyed(&parser);
    free(parser.entered);
    free(parser.signals);
    free(parser.waits);
    return good;
}
