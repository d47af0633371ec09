/* A host at EL2 without an operating system: start, entry of a guest, the guest's exits. */
#define SAVED 31 * 8

    .section .text.start, "ax"
    .global _start
_start:
    ldr x0, =vectors
    msr vbar_el2, x0
    ldr x0, =0x4ff /* MAIR: 0 Write-Back, 1 Device-nGnRE */
    msr mair_el2, x0
    ldr x0, =0x80823519 /* TCR: 39 bits, Write-Back and Inner Shareable walks, 40 bits out */
    msr tcr_el2, x0
    ldr x0, =host_table
    msr ttbr0_el2, x0
    isb
    mrs x0, sctlr_el2
    mov x1, #0x1005 /* I, C, M */
    orr x0, x0, x1
    msr sctlr_el2, x0
    isb
    ldr x0, =stack_end
    mov sp, x0
    bl host_main
    ldr x0, =0x84000008 /* PSCI SYSTEM_OFF */
    smc #0
1:  b 1b

/* uint64_t enter(uint64_t *registers): runs the guest until it exits, returns ESR_EL2. */
    .text
    .global enter
enter:
    stp x19, x20, [sp, #-96]!
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    msr tpidr_el2, x0
    ldp x2, x3, [x0, #16]
    ldp x4, x5, [x0, #32]
    ldp x6, x7, [x0, #48]
    ldp x8, x9, [x0, #64]
    ldp x10, x11, [x0, #80]
    ldp x12, x13, [x0, #96]
    ldp x14, x15, [x0, #112]
    ldp x16, x17, [x0, #128]
    ldp x18, x19, [x0, #144]
    ldp x20, x21, [x0, #160]
    ldp x22, x23, [x0, #176]
    ldp x24, x25, [x0, #192]
    ldp x26, x27, [x0, #208]
    ldp x28, x29, [x0, #224]
    ldr x30, [x0, #240]
    ldp x0, x1, [x0]
    eret

guest_exit:
    msr tpidr_el1, x0 /* the guest has no use for it */
    mrs x0, tpidr_el2
    stp x2, x3, [x0, #16]
    stp x4, x5, [x0, #32]
    stp x6, x7, [x0, #48]
    stp x8, x9, [x0, #64]
    stp x10, x11, [x0, #80]
    stp x12, x13, [x0, #96]
    stp x14, x15, [x0, #112]
    stp x16, x17, [x0, #128]
    stp x18, x19, [x0, #144]
    stp x20, x21, [x0, #160]
    stp x22, x23, [x0, #176]
    stp x24, x25, [x0, #192]
    stp x26, x27, [x0, #208]
    stp x28, x29, [x0, #224]
    str x30, [x0, #240]
    mrs x2, tpidr_el1
    stp x2, x1, [x0]
    mrs x0, esr_el2
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp x19, x20, [sp], #96
    ret

    .balign 2048
vectors:
    .rept 8
    b failed
    .balign 128
    .endr
    b guest_exit
    .balign 128
    .rept 7
    b failed
    .balign 128
    .endr

failed:
    mrs x0, esr_el2
    mrs x1, elr_el2
    mrs x2, far_el2
    bl host_failed
1:  b 1b

    .data
    .balign 4096
host_table: /* the first GiB: devices; the second: memory */
    .quad 0x0000000000000405
    .quad 0x0000000040000701
    .fill 510, 8, 0

    .bss
    .balign 16
    .skip 16384
stack_end:
