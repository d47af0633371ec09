/*
 * play - an actor's script, operation by operation, on one VM of a simulation.
 */
#ifndef S2FLUSH_RUN_PLAY_H
#define S2FLUSH_RUN_PLAY_H

#include "run/sim.h"

/* The local variables of play_step's frame. */
struct playing {
    struct sim *sim;
    struct kvm *kvm;
    struct signal *signals; /* of its VM */
    const struct script *script;
    size_t next;
    uint64_t piece; /* how often the operation has come up so far */
};

/* Plays the script to its end. The actor's owner is its vCPU, NULL for the
 * VMM. */
void play_step(struct actor *actor, struct frame *frame);

#endif
