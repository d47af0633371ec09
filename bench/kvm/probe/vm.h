/*
 * The VM of the counts' table: two slots, vCPUs, and its operations. arm64 only.
 */
#ifndef PROBE_VM_H
#define PROBE_VM_H

#include "cases.h"

struct vm;

/* Ends the program with one line where this machine has no KVM to use. */
void vm_require(void);

/* Builds the VM and initialises its vCPUs, as the table does before its first
 * row. NULL, with the reason in one line, where the host has no such backing. */
struct vm *vm_open(const struct vm_case *shape);

/* Does one operation; returns how long it took, without what it takes to set it
 * up, in nanoseconds. */
uint64_t vm_do(struct vm *vm, const struct op *op);

void vm_close(struct vm *vm);

/* An ID register's 4-bit field as a vCPU of this host shows it, -1 if it doesn't. */
int vm_id_field(struct vm *vm, unsigned op2, unsigned crm, unsigned shift);

#endif
