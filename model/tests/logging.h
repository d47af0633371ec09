/*
 * logging - acts of dirty logging for a rig, by pages of its slot.
 */
#ifndef S2FLUSH_TESTS_LOGGING_H
#define S2FLUSH_TESTS_LOGGING_H

#include "kvm/dirty_log.h"
#include "rig.h"

static inline void do_log(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_dirty_log(actor, &rig->kvm, act->on, (enum log_start)act->n);
}

static inline void do_round(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_dirty_get(actor, &rig->kvm, !act->on);
}

static inline void do_clear(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_dirty_clear(actor, &rig->kvm, RIG_IPA + act->at, RIG_IPA + act->at + act->bytes);
}

/* The log is taken, and nothing is protected. */
#define GET                        \
    {                              \
        .go = do_round, .on = true \
    }
#define CLEAR(page, pages)                                                                         \
    {                                                                                              \
        .go = do_clear, .at = (uint64_t)(page) * (4 * KIB), .bytes = (uint64_t)(pages) * (4 * KIB) \
    }
#define ALL_DIRTY                                          \
    {                                                      \
        .go = do_log, .on = true, .n = LOG_START_ALL_DIRTY \
    }
#define ROUND          \
    {                  \
        .go = do_round \
    }
#define LOG_ON                   \
    {                            \
        .go = do_log, .on = true \
    }
#define LOG_OFF                   \
    {                             \
        .go = do_log, .on = false \
    }
#define WRITE(page)                                                     \
    {                                                                   \
        .go = do_write, .at = (uint64_t)(page) * (4 * KIB), .bytes = 64 \
    }
#define READ(page)                                                     \
    {                                                                  \
        .go = do_read, .at = (uint64_t)(page) * (4 * KIB), .bytes = 64 \
    }

/* What the leaf that maps a page allows. */
static inline struct leaves leaf_at(struct rig *rig, uint64_t page)
{
    struct leaves leaves;
    uint64_t next;
    assert_true(stage2_lookup(&rig->kvm.stage2, RIG_IPA + page * (4 * KIB), &leaves, &next));
    return leaves;
}

#endif
