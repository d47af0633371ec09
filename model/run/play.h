/*
 * play - an actor's script, operation by operation, on one VM of a simulation.
 */
#ifndef S2FLUSH_RUN_PLAY_H
#define S2FLUSH_RUN_PLAY_H

#include "run/sim.h"

/* Plays a script on one VM, whose signals these are, to its end. The actor's owner is its
 * vCPU, NULL for the VMM. */
void play_script(struct actor *actor, struct sim *sim, struct kvm *kvm, struct signal *signals,
                 const struct script *script);

#endif
