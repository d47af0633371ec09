/*
 * What the VMM and the guest's code agree on; also read by the assembler.
 */
#ifndef PROBE_GUEST_H
#define PROBE_GUEST_H

#define GUEST_EXIT 0
#define GUEST_WRITE 1
#define GUEST_READ 2
#define GUEST_CALL 3
#define GUEST_MMU_ON 4
#define GUEST_MMU_OFF 5
#define GUEST_SETWAY 6

/* From the exit's address, where the guest stores ESR_EL1 of an exception. */
#define GUEST_TROUBLE 8

/* SCTLR_EL1: M, C and I. */
#define GUEST_SCTLR_ON 0x1005

#endif
