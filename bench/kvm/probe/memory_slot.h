/*
 * Host memory behind one of the VM's slots, backed as the table's `page` says.
 */
#ifndef PROBE_MEMORY_SLOT_H
#define PROBE_MEMORY_SLOT_H

#include "cases.h"

struct memory_slot {
    char *at; /* 2 MiB aligned */
    uint64_t bytes;
    enum backing backing;
    char *reserved; /* the address range that `at` was cut from */
    uint64_t reserved_bytes;
};

/* False, with one line that says why, where the host has no such memory. */
bool memory_slot_open(struct memory_slot *slot, enum backing backing, uint64_t bytes);
void memory_slot_close(struct memory_slot *slot);

/* Writes every word, through the VMM's own mapping. */
void memory_slot_fill(struct memory_slot *slot, uint64_t word);

/* Gives the memory back to the host, which then holds none. */
void memory_slot_drop(struct memory_slot *slot);

#endif
