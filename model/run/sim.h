/*
 * sim - one simulation: a VM's timeline played on one machine, kernel and
 * strategy.
 *
 * Wires the actors to the kernel's operations, plays them, and keeps what came
 * out: the ledger, the verdicts, and what stage 2 held in each phase.
 */
#ifndef S2FLUSH_RUN_SIM_H
#define S2FLUSH_RUN_SIM_H

#include "guest/timeline.h"
#include "kvm/kvm.h"

struct error;

/* Everything that one run needs, resolved and checked. Pointers are the
 * caller's and must outlive the run. */
struct point {
    const struct timeline *timeline;
    const struct platform *platform;
    const double *value; /* [COSTS] */
    const struct kernel *kernel;
    const struct strategy *strategy;
    bool exact; /* leaf by leaf and line by line */
    bool varied; /* faults' paths vary in time (kvm_vary_faults) */
    bool preemptible; /* the host kernel gives mmu_lock up at chunk ends */
    bool tails; /* holds and stalls are told apart by what happens in them (sim.tails), and what
                   several actors do at once is written down (sim.sections) */
    bool unjudged; /* no one asks what readers see: no verdicts */
    const ps_t *price; /* [EVENT_KINDS] of one event; NULL: what follows from the costs */
};

/* What one re-init found. */
struct reinit_record {
    uint32_t vcpu, phase;
    uint64_t unmapped_bytes;
};

struct phase_record {
    bool seen;
    uint64_t ops_left; /* operations of all scripts that have not ended */
    uint64_t mapped_start_bytes, mapped_end_bytes;
    uint64_t filled_bytes; /* written by the VMM */
    uint64_t touched_start_bytes, touched_end_bytes; /* mapped by faults in the first slot, the
                                                        VM's RAM, up to its start and end */
};

/* The cells of a count vector: a site for each kind. */
#define WINDOW_CELLS ((size_t)SITES * EVENT_KINDS)

struct sim {
    const struct point *point;
    struct engine engine;
    struct ledger ledger;
    struct pool pool;
    struct cache *cache[SOCKETS_MAX]; /* of each socket */
    struct memory memory;
    struct kvm *more; /* the others of a host with several */
    struct signal *signals; /* [copies][timeline's signals] */
    ps_t price[EVENT_KINDS];
    struct tails tails; /* of holds of mmu_lock and stalls since the first re-init */
    struct sections sections; /* since the first re-init */

    /* Results, valid after sim_run. */
    ps_t end_ps; /* when the last actor ended */
    ps_t reinit_ps; /* when the first re-init was called; UINT64_MAX: never */
    ps_t first_insn_ps; /* when a vCPU had first accessed memory after it */
    uint64_t *window; /* [WINDOW_CELLS], by site and kind: counts since the first re-init */
    uint64_t *before; /* the same up to it */
    ps_t waited_before_ps; /* waited for any resource up to it, by all */
    struct phase_record *phases;
    uint32_t reinit_count;

    /* From here on nothing is set before it is used. */
    struct reinit_record reinits[KVM_VCPUS * 4];
    struct histogram stalls; /* of all vCPUs since the first re-init (kvm/stall.h), in ps */
    struct kvm kvm; /* the first VM */
};

/* Whether it can be played: the machine has a core for every vCPU and for the
 * VMM of each VM, for all of them together, the guest's memory is not more than
 * exact fidelity takes, and the simulation itself finds room. */
bool sim_possible(const struct point *point, struct error *err);

/* How much memory playing it takes at most, unless races need more. */
uint64_t sim_memory(const struct point *point);

/* Of that, about what is never touched: an actor is at few of the sites that its ledger has, and
 * neighbours that are alike become one range. */
uint64_t sim_untouched(const struct point *point);

/* One of the timeline's vm.copies VMs. */
struct kvm *sim_vm(struct sim *sim, uint32_t index);

/* The VM that an actor works for, and what people call it: "VMM", "vCPU 1",
 * "helper 2", with several VMs "0: VMM". Actors come VM by VM, each in the order
 * of its scripts; the threads that help with a flush stand behind them all. */
uint32_t sim_actor_vm(const struct sim *sim, uint32_t actor);
const char *sim_actor_name(const struct sim *sim, uint32_t actor, char *buf, size_t size);

/* Sets a simulation up. */
void sim_init(struct sim *sim, const struct point *point);
void sim_free(struct sim *sim);

/* Plays it. Room is made at set-up for as many ranges, events and users of paths as the timeline
 * asks for; more is allocated on the way where races leave more ranges in different states than it
 * has operations, where many share a path, and for what is written down besides the outcome: tails,
 * sections, what is watched. False where actors wait for ever. */
bool sim_run(struct sim *sim, struct error *err);

/* From the first re-init call to the end; the whole run where none was. */
ps_t sim_window_ps(const struct sim *sim);

/* Processor time in the window, over all actors: busy time, and what is waited for a
 * resource, since no such wait gives the core away: mmu_lock is spun on; the paths of
 * lines, invalidations and zeros and a lock's cache line stall the core at its barrier
 * or its load; a mutex is spun on, too, while its owner runs, as it does here
 * (mutex_optimistic_spin in kernel/locking/mutex.c). Idling, for a signal or an end, is
 * none. */
ps_t sim_cpu_ps(const struct sim *sim);

/* The ledger's count of a kind in a phase (LEDGER_ALL: in all), at a site. */
uint64_t sim_count(const struct sim *sim, uint32_t phase, uint32_t site, enum event_kind kind);

#endif
