/*
 * steps - the steps of an import, in the order in which import_read
 * takes them; for the files that share them alone.
 */
#ifndef S2FLUSH_GUEST_IMPORT_STEPS_H
#define S2FLUSH_GUEST_IMPORT_STEPS_H

#include "guest/import/import.h"

struct error;

#define IMPORT_PAGE UINT64_C(4096)
#define IMPORT_BLOCK (UINT64_C(2) << 20)

/* Keeps the events of one VM, in order of time, and numbers its vCPUs. */
bool import_vm(struct import *import, struct error *err);

/* RAM and the size of its leaves. */
bool import_memory(struct import *import, struct error *err);

/* Where vCPUs were initialised again. */
bool import_reinits(struct import *import, struct error *err);

/* Events to rows. */
bool import_rows(struct import *import, struct error *err);

/* The leaf that a fault maps. */
uint64_t import_leaf_bytes(const struct import *import, uint64_t ipa);
uint64_t import_leaf(const struct import *import, uint64_t ipa);

/* For each event the translation fault before it on the same leaf, or
 * SIZE_MAX; the caller frees it. */
size_t *import_previous(const struct import *import);

/* An array with room for one more. */
void *import_grown(void *array, size_t count, size_t *room, size_t size);

#endif
