/* Operands of [timeline] lines. */
#include "guest/workload/workload_operands.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/units.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- words --- */

bool parser_misuse(struct parser *parser, const char *found)
{
    return error_input(parser->err, &parser->at, "found '%.80s', expected '%s'", found,
                       parser->usage);
}

const char *parser_take_word(struct parser *parser)
{
    return parser->next < parser->count ? parser->words[parser->next++] : NULL;
}

bool parser_cut_words(struct parser *parser, const char *text)
{
    if (strlen(text) >= sizeof parser->text) {
        return error_input(parser->err, &parser->at, "found %zu characters, expected at most %zu",
                           strlen(text), sizeof parser->text - 1);
    }
    snprintf(parser->text, sizeof parser->text, "%s", text);
    parser->count = parser->next = 0;
    char *rest = parser->text, *word;
    while ((word = strtok_r(rest, " \t", &rest)) != NULL) {
        if (parser->count == WORDS_MAX) {
            return error_input(parser->err, &parser->at, "found '%.80s', expected at most %d words",
                               text, WORDS_MAX);
        }
        parser->words[parser->count++] = word;
    }
    return true;
}

/* A plain number of bytes: 0x..., or 64K, 2M, 1.5G. */
static bool byte_number(const char *word, uint64_t *value)
{
    if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
        char *end;
        unsigned long long read = strtoull(word, &end, 16);
        *value = read;
        return end != word + 2 && *end == '\0' && read != ULLONG_MAX;
    }
    return unit_parse_whole(word, UNIT_BYTES, value);
}

static bool take_number(struct parser *parser, enum unit unit, uint64_t *value)
{
    const char *word = parser_take_word(parser);
    if (!word) {
        return parser_misuse(parser, "nothing more");
    }
    bool good = unit == UNIT_BYTES ? byte_number(word, value) : unit_parse_whole(word, unit, value);
    return good || parser_misuse(parser, word);
}

static int slot_index(const struct slot_list *slots, const char *name)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        if (strcmp(slots->slots[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static bool unknown_slot(struct parser *parser, const char *name)
{
    const char *names[TIMELINE_SLOTS];
    char hint[512] = "";
    for (uint32_t i = 0; i < parser->slots->count; i++) {
        names[i] = parser->slots->slots[i].name;
    }
    error_suggest(hint, sizeof hint, name, names, parser->slots->count);
    return error_input(parser->err, &parser->at, "no slot '%.60s'%s", name, hint);
}

/* An address: a number, a slot's name, or either with "+BYTES" behind it. */
static bool take_address(struct parser *parser, uint64_t *ipa)
{
    char word[128];
    const char *found = parser_take_word(parser);
    if (!found || strlen(found) >= sizeof word) {
        return parser_misuse(parser, found ? found : "nothing more");
    }
    snprintf(word, sizeof word, "%s", found);
    uint64_t offset = 0;
    char *plus = strchr(word, '+');
    if (plus) {
        *plus = '\0';
        if (!byte_number(plus + 1, &offset)) {
            return parser_misuse(parser, found);
        }
    }
    int slot = slot_index(parser->slots, word);
    if (slot >= 0) {
        *ipa = parser->slots->slots[slot].shape.ipa;
    } else if (!byte_number(word, ipa)) {
        bool number = word[0] >= '0' && word[0] <= '9';
        return number ? parser_misuse(parser, found) : unknown_slot(parser, word);
    }
    if (*ipa > UINT64_MAX - offset) {
        return parser_misuse(parser, found);
    }
    *ipa += offset;
    return true;
}

/* --- addresses --- */

/* How much of a range lies in slots: whole within one, within none, or else. */
enum within { WITHIN_ONE, WITHIN_NONE, WITHIN_PARTLY };

static enum within range_within(const struct parser *parser, uint64_t ipa, uint64_t bytes,
                                uint32_t *index)
{
    for (uint32_t i = 0; i < parser->slots->count; i++) {
        const struct slot_shape *slot = &parser->slots->slots[i].shape;
        if (ipa >= slot->ipa && ipa - slot->ipa < slot->bytes) {
            *index = i;
            return bytes <= slot->bytes - (ipa - slot->ipa) ? WITHIN_ONE : WITHIN_PARTLY;
        }
        if (ipa < slot->ipa && bytes > slot->ipa - ipa) {
            return WITHIN_PARTLY;
        }
    }
    return WITHIN_NONE;
}

static bool range_error(struct parser *parser, uint64_t ipa, uint64_t bytes, const char *why)
{
    const struct named_slot *near = &parser->slots->slots[0];
    char size[48], whole[48];
    return error_input(parser->err, &parser->at,
                       "found [%#llx, +%s), which %s, expected a range within one slot, such as "
                       "%s at %#llx with %s",
                       (unsigned long long)ipa, unit_format_whole(bytes, UNIT_BYTES, size, 48), why,
                       near->name, (unsigned long long)near->shape.ipa,
                       unit_format_whole(near->shape.bytes, UNIT_BYTES, whole, 48));
}

static bool take_range(struct parser *parser, struct op *op)
{
    if (!take_address(parser, &op->ipa) || !take_number(parser, UNIT_BYTES, &op->bytes)) {
        return false;
    }
    if (op->bytes == 0 || op->bytes % WORKLOAD_PAGE != 0 || op->ipa % WORKLOAD_PAGE != 0) {
        return error_input(parser->err, &parser->at,
                           "found [%#llx, +%llu), expected whole pages of 4K",
                           (unsigned long long)op->ipa, (unsigned long long)op->bytes);
    }
    return true;
}

/* What the VMM or a device reaches must be in a slot that is there. */
bool parser_take_memory(struct parser *parser, struct op *op)
{
    uint32_t slot;
    if (!take_range(parser, op)) {
        return false;
    }
    op->density = parser->density;
    enum within within = range_within(parser, op->ipa, op->bytes, &slot);
    if (within != WITHIN_ONE) {
        return range_error(parser, op->ipa, op->bytes,
                           within == WITHIN_NONE ? "is in no slot" : "crosses a slot's border");
    }
    if (!parser->live[slot]) {
        return error_input(parser->err, &parser->at,
                           "slot %s was deleted before, expected 'slot-add %s' first",
                           parser->slots->slots[slot].name, parser->slots->slots[slot].name);
    }
    return true;
}

/* The pieces of a touch. A touch outside every slot is one of a device that
 * the VMM emulates. */
bool parser_take_touch(struct parser *parser, struct op *op)
{
    uint32_t slot;
    op->count = 1;
    op->density = parser->density;
    if (!take_range(parser, op)) {
        return false;
    }
    const char *word = parser_take_word(parser);
    if (word) {
        const char *times = NULL;
        if (strcmp(word, "every") != 0) {
            return parser_misuse(parser, word);
        }
        if (!take_number(parser, UNIT_BYTES, &op->stride)) {
            return false;
        }
        times = parser_take_word(parser);
        if (!times || strcmp(times, "times") != 0) {
            return parser_misuse(parser, times ? times : "nothing more");
        }
        if (!take_number(parser, UNIT_NONE, &op->count)) {
            return false;
        }
    }
    if (op->count == 0 || op->count > 1000000 || op->stride % WORKLOAD_PAGE != 0) {
        return error_input(parser->err, &parser->at,
                           "found every %llu times %llu, expected a stride of whole pages of 4K "
                           "and 1 to 1000000 times",
                           (unsigned long long)op->stride, (unsigned long long)op->count);
    }
    bool fits = op->stride == 0 || op->count - 1 <= (UINT64_MAX / 2 - op->bytes) / op->stride;
    uint64_t whole = fits ? (op->count - 1) * op->stride + op->bytes : UINT64_MAX;
    if (range_within(parser, op->ipa, whole, &slot) == WITHIN_PARTLY) {
        return range_error(parser, op->ipa, whole, "crosses a slot's border");
    }
    return true;
}

static void take_no_dsb(struct parser *parser, struct op *op)
{
    if (parser->count > 0 && strcmp(parser->words[parser->count - 1], "no-dsb") == 0) {
        parser->count--;
        op->no_dsb = true;
    }
}

bool parser_take_maintained(struct parser *parser, struct op *op)
{
    take_no_dsb(parser, op);
    return parser_take_touch(parser, op);
}

bool parser_take_host_range(struct parser *parser, struct op *op)
{
    take_no_dsb(parser, op);
    return parser_take_memory(parser, op);
}

/* --- signals --- */

void *workload_grown_by_one(void *array, size_t count, size_t size)
{
    void *larger = alloc_checked(realloc(array, (count + 1) * size), "a workload");
    return larger;
}

static struct named_signal *signal_named(struct parser *parser, const char *name)
{
    for (size_t i = 0; i < parser->signal_count; i++) {
        if (strcmp(parser->signals[i].name, name) == 0) {
            return &parser->signals[i];
        }
    }
    if (parser->signal_count == SIGNALS_MAX) {
        error_input(parser->err, &parser->at, "more than %d signals", SIGNALS_MAX);
        return NULL;
    }
    parser->signals =
        workload_grown_by_one(parser->signals, parser->signal_count, sizeof *parser->signals);
    struct named_signal *signal = &parser->signals[parser->signal_count++];
    *signal = (struct named_signal){.id = timeline_signal(parser->timeline)};
    snprintf(signal->name, sizeof signal->name, "%s", name);
    return signal;
}

bool parser_take_signal(struct parser *parser, struct op *op)
{
    const char *name = parser_take_word(parser);
    if (!name || strlen(name) >= sizeof parser->signals->name) {
        return parser_misuse(parser, name ? name : "nothing more");
    }
    struct named_signal *signal = signal_named(parser, name);
    if (!signal) {
        return false;
    }
    op->n = signal->id;
    if (op->kind == OP_WAIT) {
        signal->awaited_line = signal->awaited_line ? signal->awaited_line : parser->at.line;
        return true;
    }
    if (signal->raised_line) {
        return error_input(parser->err, &parser->at,
                           "signal '%s' was raised in line %u already, expected a name of its own",
                           name, signal->raised_line);
    }
    signal->raised_line = parser->at.line;
    return true;
}

/* --- other operands --- */

bool parser_take_vcpu(struct parser *parser, struct op *op)
{
    const char *word = parser_take_word(parser);
    if (!word) {
        return parser_misuse(parser, "nothing more");
    }
    if (strcmp(word, "all") == 0) {
        op->on = true; /* written out as one operation for each */
        return true;
    }
    if (!unit_parse_whole(word, UNIT_NONE, &op->n) || op->n >= parser->timeline->vm.vcpus) {
        return error_input(parser->err, &parser->at,
                           "found vCPU '%.40s', expected 0 to %u or all (vcpus = %u)", word,
                           parser->timeline->vm.vcpus - 1, parser->timeline->vm.vcpus);
    }
    return true;
}

bool parser_take_switch(struct parser *parser, struct op *op)
{
    const char *word = parser_take_word(parser);
    if (!word || (strcmp(word, "on") != 0 && strcmp(word, "off") != 0)) {
        return parser_misuse(parser, word ? word : "nothing more");
    }
    op->on = strcmp(word, "on") == 0;
    return true;
}

/* Behind `dirty-log`: how it goes on, or what is done while it is on. */
static const struct log_verb {
    const char *word;
    uint8_t kind;
    bool on;
    uint64_t n;
} log_verbs[] = {
    {"on", OP_DIRTY_LOG, true, LOG_ON_PROTECT},
    {"on-split", OP_DIRTY_LOG, true, LOG_ON_SPLIT},
    {"on-all-dirty", OP_DIRTY_LOG, true, LOG_ON_ALL_DIRTY},
    {"on-all-dirty-split", OP_DIRTY_LOG, true, LOG_ON_ALL_DIRTY_SPLIT},
    {"off", OP_DIRTY_LOG, false, 0},
    {"round", OP_DIRTY_GET, true, 0},
    {"get", OP_DIRTY_GET, false, 0},
    {"clear", OP_DIRTY_CLEAR, false, 0},
};

bool parser_take_log(struct parser *parser, struct op *op)
{
    const char *word = parser_take_word(parser);
    const struct log_verb *verb = NULL;
    for (size_t i = 0; word && i < sizeof log_verbs / sizeof *log_verbs; i++) {
        verb = strcmp(log_verbs[i].word, word) == 0 ? &log_verbs[i] : verb;
    }
    if (!verb) {
        return parser_misuse(parser, word ? word : "nothing more");
    }
    op->kind = verb->kind;
    op->on = verb->on;
    op->n = verb->n;
    if (verb->kind == OP_DIRTY_LOG) {
        parser->logging = op->on;
        return true;
    }
    if (!parser->logging) {
        return error_input(parser->err, &parser->at,
                           "found 'dirty-log %s' while logging is off, expected 'dirty-log on' "
                           "before",
                           verb->word);
    }
    return verb->kind != OP_DIRTY_CLEAR || parser_take_memory(parser, op);
}

bool parser_take_slot(struct parser *parser, struct op *op)
{
    const char *word = parser_take_word(parser);
    if (!word) {
        return parser_misuse(parser, "nothing more");
    }
    int slot = slot_index(parser->slots, word);
    if (slot < 0) {
        return unknown_slot(parser, word);
    }
    bool wants_live = op->kind != OP_SLOT_ADD;
    if (parser->live[slot] != wants_live) {
        return error_input(parser->err, &parser->at, "slot %s is %s at this point", word,
                           wants_live ? "deleted" : "there already");
    }
    if (op->kind != OP_DROP) {
        parser->live[slot] = op->kind == OP_SLOT_ADD;
    }
    op->n = (uint64_t)slot;
    return true;
}

bool parser_take_time(struct parser *parser, struct op *op)
{
    const char *word = parser_take_word(parser);
    double ns;
    if (!word || !unit_parse(word, UNIT_NS, &ns) || ns < 0 || ns > 1e15) {
        return parser_misuse(parser, word ? word : "nothing more");
    }
    op->n = (uint64_t)llround(ns * (double)PS_PER_NS);
    return true;
}

bool parser_take_count(struct parser *parser, struct op *op)
{
    if (!take_number(parser, op->kind == OP_INSNS ? UNIT_INSNS : UNIT_NONE, &op->n)) {
        return false;
    }
    return op->n <= UINT64_C(1000000000000000) ||
           parser_misuse(parser, parser->words[parser->next - 1]);
}

bool parser_take_nothing(struct parser *parser, struct op *op)
{
    (void)parser, (void)op;
    return true;
}
