/*
 * ending - what it takes to make a VM, to change its slots and to end it.
 */
#ifndef S2FLUSH_EMULATE_ENDING_H
#define S2FLUSH_EMULATE_ENDING_H

/* Prints a line for each step of VMs of some sizes, each `samples` times. */
void ending_print(int samples);

#endif
