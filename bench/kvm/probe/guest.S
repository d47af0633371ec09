/*
 * What the VM executes: one page at 0x50000000, position independent.
 *
 * The VMM sets the registers, the guest does what x0 says, stores to x5 and so
 * exits to the VMM, and goes back to the start.
 *
 *   x0  what: one of GUEST_* in guest.h
 *   x1  first address      x2  bytes from one to the next      x3  how many
 *   x4  what is written    x5  where a store exits
 *
 * for GUEST_MMU_ON: x1 MAIR, x2 TCR, x3 TTBR0.
 */
#include "guest.h"

    .section .rodata
    .balign 4096
    .global guest_code, guest_code_bytes
guest_code:
    /* The VMM sets the address of this instruction where the exit's store may
     * still be pending, and KVM then goes on one instruction later. */
    nop
    adr     x9, vectors
    msr     vbar_el1, x9
    isb
    cmp     x0, #GUEST_WRITE
    b.eq    write
    cmp     x0, #GUEST_READ
    b.eq    read
    cmp     x0, #GUEST_CALL
    b.eq    call
    cmp     x0, #GUEST_MMU_ON
    b.eq    mmu_on
    cmp     x0, #GUEST_MMU_OFF
    b.eq    mmu_off
    cmp     x0, #GUEST_SETWAY
    b.eq    setway
exit:
    dsb     sy
    str     x0, [x5]
    b       guest_code

write:
    cbz     x3, exit
    str     x4, [x1]
    add     x1, x1, x2
    sub     x3, x3, #1
    b       write

read:
    cbz     x3, exit
    ldr     x9, [x1]
    add     x1, x1, x2
    sub     x3, x3, #1
    b       read

    /* Another run of the guest may have written what is now executed. */
call:
    dsb     sy
    ic      iallu
    dsb     sy
    isb
1:  cbz     x3, exit
    blr     x1
    add     x1, x1, x2
    sub     x3, x3, #1
    b       1b

mmu_on:
    msr     mair_el1, x1
    msr     tcr_el1, x2
    msr     ttbr0_el1, x3
    isb
    mrs     x9, sctlr_el1
    mov     x10, #GUEST_SCTLR_ON
    orr     x9, x9, x10
    msr     sctlr_el1, x9
    isb
    b       exit

mmu_off:
    mrs     x9, sctlr_el1
    mov     x10, #GUEST_SCTLR_ON
    bic     x9, x9, x10
    msr     sctlr_el1, x9
    isb
    b       exit

    /* Set 0, way 0, level 1: KVM looks only at the instruction. */
setway:
    cbz     x3, exit
    dc      cisw, xzr
    sub     x3, x3, #1
    b       setway

    /* A page that nobody wrote holds zeroes, which is no instruction: go on after
     * the call. Any other exception is told to the VMM by another address. */
    .balign 2048
vectors:
    .fill   128, 4, 0xd503201f
    /* Current EL with its own stack pointer, synchronous: vectors + 0x200. */
    cmp     x0, #GUEST_CALL
    b.ne    2f
    msr     elr_el1, x30
    eret
2:  mrs     x9, esr_el1
    str     x9, [x5, #GUEST_TROUBLE]
    b       2b
guest_code_end:
    .balign 8
guest_code_bytes:
    .quad   guest_code_end - guest_code

    .section .note.GNU-stack, "", %progbits
