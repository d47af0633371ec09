/*
 * rig - a small machine with a VM on it, and actors that play short lists of
 * acts, for the tests of what KVM does.
 */
#ifndef S2FLUSH_TESTS_RIG_H
#define S2FLUSH_TESTS_RIG_H

#include "check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/coro.h"
#include "core/error.h"
#include "kvm/kvm.h"
#include "machine/price.h"

#define RIG_ACTORS 4
#define RIG_HVA (UINT64_C(1) << 40)
#define RIG_IPA GIB

struct rig;
struct act;
typedef void (*act_fn)(struct rig *rig, struct actor *actor, const struct act *act);

/* What an actor does next. A list ends where `go` is NULL. */
struct act {
    act_fn go;
    uint64_t at, bytes; /* of memory, from the slot's start */
    uint64_t n; /* how often, or which vCPU */
    bool on;
};

struct rig_setup {
    const char *kernel, *switches, *strategy;
    enum backing backing;
    uint64_t bytes; /* of the slot; 0: 8 MiB */
    uint32_t vcpus; /* 0: 2 */
    uint64_t cache_bytes; /* 0: 16 MiB */

    bool nvhe, dic, tlbirange, lpa2, preemptible;
    bool erratum_4118414;
};

struct rig {
    struct platform platform;
    double value[COSTS];
    ps_t price[EVENT_KINDS];
    struct ledger ledger;
    struct engine engine;
    struct pool pool;
    struct cache *cache;
    struct memory memory;
    struct kernel kernel;
    struct kvm kvm;
    const struct act *acts[RIG_ACTORS];
    uint64_t noted[16]; /* by do_note, and by acts of a test's own */
};

/* Round numbers: an absent line 8 ns, a clean one 16, a dirty one 32, and a
 * path that one core's sweep fills by a quarter to a half. */
static inline void rig_costs(double value[COSTS])
{
    for (int i = 0; i < COSTS; i++) {
        value[i] = 1;
    }
    value[COST_exit_ns] = 500;
    value[COST_hvc_ns] = 90;
    value[COST_dc_absent_ns] = 8;
    value[COST_dc_clean_ratio] = 2;
    value[COST_dc_dirty_ratio] = 2;
    value[COST_dsb_ns] = 100;
    value[COST_cmo_path_ns] = 4;
    value[COST_writeback_gbps] = 8;
    value[COST_tlbi_ns] = 700;
    value[COST_memory_ns] = 100;
    value[COST_zero_gbps] = 8;
    value[COST_zero_path_gbps] = 16;
    value[COST_lock_handover_ns] = 50;
}

static inline void rig_kvm(struct rig *rig, const struct rig_setup *setup)
{
    struct geometry geometry;
    struct error err;
    const struct strategy *strategy = strcmp(setup->strategy, "ideal") == 0
                                          ? &strategy_ideal
                                          : strategy_find(setup->strategy, &err);
    assert_non_null(strategy);
    assert_true(geometry_init(&geometry, 4 * KIB, 40, &err));
    assert_true(kernel_resolve(setup->kernel, &rig->kernel, &err));
    if (setup->switches) {
        assert_true(kernel_override(&rig->kernel, setup->switches, NULL, &err));
    }
    kvm_init(&rig->kvm, &rig->kernel, strategy, &rig->memory, &geometry, &rig->pool,
             setup->vcpus ? setup->vcpus : 2);
    rig->kvm.preemptible = setup->preemptible;
    uint64_t bytes = setup->bytes ? setup->bytes : 8 * MIB;
    kvm_add_slot(&rig->kvm, (struct memslot){.ipa = RIG_IPA,
                                             .bytes = bytes,
                                             .area = {RIG_HVA, RIG_HVA + bytes, setup->backing,
                                                      4 * KIB, 2 * MIB}});
}

static inline void rig_init(struct rig *rig, const struct rig_setup *setup)
{
    double insns[EVENT_KINDS] = {0};
    const struct ledger_shape shape = {RIG_ACTORS, 1, SITES, EVENT_KINDS, RESOURCES};
    memset(rig, 0, sizeof *rig);
    rig->platform = (struct platform){.name = "rig",
                                      .cores = 8,
                                      .sockets = 1,
                                      .clock_ghz = 1,
                                      .line_bytes = 64,
                                      .vhe = !setup->nvhe,
                                      .dic = setup->dic,
                                      .tlbirange = setup->tlbirange,
                                      .lpa2 = setup->lpa2,
                                      .erratum_4118414 = setup->erratum_4118414};
    rig_costs(rig->value);
    insns[EV_fault_path] = 1000;
    price_events(&rig->platform, rig->value, insns, rig->price);
    ledger_init(&rig->ledger, shape, rig->price);
    engine_init(&rig->engine, &rig->ledger, RIG_ACTORS);
    interval_map_pool_init(&rig->pool, 8192);
    rig->cache = cache_new(true, setup->cache_bytes ? setup->cache_bytes : 16 * MIB, 16, 64, 4096);
    memory_init(&rig->memory, &rig->platform, rig->value, &rig->cache, &rig->pool, &rig->engine);
    rig_kvm(rig, setup);
}

static inline void rig_free(struct rig *rig)
{
    memory_free(&rig->memory);
    cache_free(rig->cache);
    pool_free(&rig->pool);
    engine_free(&rig->engine);
    ledger_free(&rig->ledger);
}

struct acting {
    uint32_t at;
};

static inline CORO(acting)
{
    struct acting *my = CORO_LOCALS(acting);
    struct rig *rig = actor->owner;
    const struct act *acts = rig->acts[actor->id];
    CORO_BEGIN;
    for (; acts[my->at].go; my->at++) {
        AWAIT(acts[my->at].go(rig, actor, &acts[my->at]));
    }
    CORO_END;
}

/* Actor i plays the list acts[i]; it stands for vCPU i. */
static inline void rig_play(struct rig *rig, const struct act *const acts[], uint32_t count)
{
    const struct actor *stuck = NULL;
    for (uint32_t i = 0; i < count; i++) {
        rig->acts[i] = acts[i];
        actor_begin(&rig->engine.actors[i], "actor", rig);
        CORO_CALL(&rig->engine.actors[i], acting, .at = 0);
    }
    assert_true(engine_run(&rig->engine, &stuck));
    assert_null(rig->kvm.mmu_lock.writer);
    assert_int_equal(rig->kvm.mmu_lock.readers, 0);
}

static inline void rig_alone(struct rig *rig, const struct act *acts)
{
    rig_play(rig, &acts, 1);
}

static inline uint64_t rig_count(const struct rig *rig, uint32_t site, enum event_kind kind)
{
    return ledger_count(&rig->ledger, (struct ledger_slice){LEDGER_ALL, LEDGER_ALL, site, kind});
}

static inline uint64_t rig_all(const struct rig *rig, enum event_kind kind)
{
    return rig_count(rig, LEDGER_ALL, kind);
}

static inline uint64_t rig_lines(const struct rig *rig, uint32_t site)
{
    return rig_count(rig, site, EV_line_absent) + rig_count(rig, site, EV_line_clean) +
           rig_count(rig, site, EV_line_dirty);
}

/* --- acts --- */

static inline void do_touch(struct rig *rig, struct actor *actor, const struct act *act,
                            enum guest_access access)
{
    kvm_touch(actor, &rig->kvm, &rig->kvm.vcpus[actor->id], RIG_IPA + act->at, act->bytes, access,
              64);
}

static inline void do_read(struct rig *rig, struct actor *actor, const struct act *act)
{
    do_touch(rig, actor, act, ACCESS_READ);
}

static inline void do_write(struct rig *rig, struct actor *actor, const struct act *act)
{
    do_touch(rig, actor, act, ACCESS_WRITE);
}

static inline void do_fetch(struct rig *rig, struct actor *actor, const struct act *act)
{
    do_touch(rig, actor, act, ACCESS_FETCH);
}

static inline void do_fill(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_fill(actor, &rig->kvm, RIG_IPA + act->at, act->bytes);
}

static inline void do_enter(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    kvm_enter(actor, &rig->kvm, &rig->kvm.vcpus[actor->id]);
}

static inline void do_reinit(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_reinit(actor, &rig->kvm, (uint32_t)act->n);
}

/* vCPU n turns its MMU on or off, whichever actor plays it. */
static inline void do_mmu(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_toggle(actor, &rig->kvm, &rig->kvm.vcpus[act->n], act->on);
}

static inline void do_setway(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_setway(actor, &rig->kvm, &rig->kvm.vcpus[actor->id], act->n);
}

/* Dirty pages are logged from now on, or no longer. */
static inline void set_log(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)actor;
    rig->kvm.dirty_log = act->on;
}

enum { HAS_RUN = 1, TVM = 2, MMU_ON = 4 };

/* Notes what vCPU 0 is now, as noted[n]. */
static inline void do_note(struct rig *rig, struct actor *actor, const struct act *act)
{
    const struct kvm_vcpu *vcpu = &rig->kvm.vcpus[0];
    (void)actor;
    rig->noted[act->n] = vcpu->has_run | vcpu->tvm << 1 | vcpu->mmu_on << 2;
}

/* Works until a time. */
static inline void do_wait(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)rig;
    actor_charge(actor, EV_compute_ps, act->n > actor->now ? act->n - actor->now : 0);
}

#endif
