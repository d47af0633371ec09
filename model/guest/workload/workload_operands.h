/*
 * workload_operands - the words behind an operation in a [timeline] line.
 *
 * Each take_... reads the operands that an operation has and fills its op;
 * false with one line that says what was found and what would be right.
 */
#ifndef S2FLUSH_GUEST_WORKLOAD_WORKLOAD_OPERANDS_H
#define S2FLUSH_GUEST_WORKLOAD_WORKLOAD_OPERANDS_H

#include "core/error.h"
#include "guest/workload/workload_values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 8

#define SIGNALS_MAX 4096

struct named_signal {
    char name[48];
    uint64_t id;
    unsigned raised_line; /* 0: not yet */
    unsigned awaited_line;
};

/* Where an OP_WAIT stands in the file, for the search for deadlocks. */
struct wait_line {
    uint32_t script;
    size_t index;
    unsigned line;
};

struct parser {
    struct source_location at;
    struct timeline *timeline;
    const struct slot_list *slots;
    struct error *err;
    uint16_t density;
    bool live[TIMELINE_SLOTS]; /* as the VMM's own operations leave it */
    bool *entered; /* by vCPU */

    char text[512]; /* the line, cut into words */
    char *words[WORDS_MAX];
    size_t count, next;
    char usage[128]; /* of the verb */

    struct named_signal *signals;
    size_t signal_count;
    struct wait_line *waits;
    size_t wait_count;
    bool prefaults; /* there are some */
    bool logging; /* dirty logging is on */
    unsigned window_line, destroy_line; /* 0: none yet */
};

/* Cuts a line into the parser's words. */
bool parser_cut_words(struct parser *parser, const char *text);

/* The next word, or NULL. */
const char *parser_take_word(struct parser *parser);

/* An error: this was found where `usage` was expected. */
bool parser_misuse(struct parser *parser, const char *found);

/* IPA BYTES of what the VMM or a device reaches: within a slot that is there. */
bool parser_take_memory(struct parser *parser, struct op *op);

/* IPA BYTES [every STRIDE times COUNT] of a guest's touch: within a slot, or
 * outside of all, where the VMM emulates a device. */
bool parser_take_touch(struct parser *parser, struct op *op);

/* The same of maintenance, with `no-dsb` behind it where no DSB completes it. */
bool parser_take_maintained(struct parser *parser, struct op *op);
bool parser_take_host_range(struct parser *parser, struct op *op);

bool parser_take_signal(struct parser *parser, struct op *op);
bool parser_take_vcpu(struct parser *parser, struct op *op); /* `on`: all of them */
bool parser_take_switch(struct parser *parser, struct op *op);
bool parser_take_log(struct parser *parser, struct op *op); /* n: all blocks are split at once;
                                                                 or a round of it */
bool parser_take_slot(struct parser *parser, struct op *op);
bool parser_take_time(struct parser *parser, struct op *op);
bool parser_take_count(struct parser *parser, struct op *op);
bool parser_take_nothing(struct parser *parser, struct op *op);

/* The VMM's first prefault, by its index in the script, beside which vCPU 0 may touch
 * memory at some costs: nothing that signals say keeps the two apart. SIZE_MAX: there
 * is none. All signals that are awaited are raised. */
size_t workload_crowded_prefault(const struct timeline *timeline);

/* The first vCPU that may still do something when the VM is destroyed: no signal keeps it from
 * that. UINT32_MAX: there is none, or the VM is not destroyed. */
uint32_t workload_outlives_vm(const struct timeline *timeline);

/* An array of `count` elements with room for one more. */
void *workload_grown_by_one(void *array, size_t count, size_t size);

#endif
