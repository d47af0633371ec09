/* Guests, each an image of its own: code at its start, data 64 KiB behind that. x20: the host's
 * policy. They end a part by HVC or, in a VM of KVM, by a store to what no memory is at (x28); x0
 * then is a sum. */
#define DATA 0x10000
#define CLEARED 0x18000
#define OWN 0x380000
#define SHARED 0x3a0000
#define TABLE 0x300000
#define MOVED 0x200000
#define LINES 64

    .macro part number
#ifdef UNDER_KVM
    str x0, [x28, #8 * \number]
#else
    hvc #\number
#endif
    .endm

    .macro mmu_on
    adr x1, guest_start_\@
guest_start_\@:
    and x1, x1, #~0x3fffff
    mov x2, #TABLE
    add x2, x2, x1
    mov x3, #0xff
    msr mair_el1, x3
    ldr x3, =0x200803519 /* TCR: 39 bits, Write-Back and Inner Shareable walks, no TTBR1 */
    msr tcr_el1, x3
    msr ttbr0_el1, x2
    isb
    mrs x3, sctlr_el1
    mov x4, #0x1005 /* I, C, M */
    orr x3, x3, x4
    msr sctlr_el1, x3
    isb
    .endm

    .section .rodata.guest, "a"
    .balign 4096
    .global relocated_start, relocated_end, aliased_start, aliased_end, several_start, several_end

/* The note's story. It reads its data with the MMU off, turns that on, moves on to another place and
 * overwrites its image's own. */
relocated_start:
    nop /* KVM may begin behind it: it completes the store that the former boot ended with */
    adr x9, relocated_start
    mov x10, #TABLE
    add x10, x9, x10
    ldr x2, [x10]
    mov x10, #DATA
    add x10, x9, x10
    add x11, x10, #CLEARED - DATA
    mov x1, #LINES
    mov x0, #0
1:  ldr x2, [x11], #64 /* nothing */
    add x0, x0, x2
    ldr x2, [x10], #64
    add x0, x0, x2
    subs x1, x1, #1
    b.ne 1b
    part 1 /* the sum */
    mov x10, #OWN
    add x10, x9, x10
    mov x1, #LINES
7:  str x1, [x10], #64 /* its own data, with the MMU off */
    subs x1, x1, #1
    b.ne 7b
    tbnz w20, #12, 8f
    dmb sy
    mov x10, #OWN
    add x10, x9, x10
    mov x1, #LINES
7:  dc ivac, x10
    add x10, x10, #64
    subs x1, x1, #1
    b.ne 7b
    dsb sy
8:  mmu_on
    mov x10, #OWN
    add x10, x9, x10
    mov x1, #LINES
7:  ldr x2, [x10], #64
    subs x1, x1, #1
    b.ne 7b
    tbz w20, #15, 7f
    adr x1, patched
    ldr w2, =0xd503201f /* NOP, which is there already */
    str w2, [x1]
    dc cvau, x1
    dsb ish
    isb
    b patched
    .balign 64
    .skip 64
patched:
    nop
7:  mov x11, #MOVED
    add x11, x9, x11
    mov x12, x11
    adr x1, 5f
    adr x2, 9f
2:  ldr x3, [x1], #8
    str x3, [x12], #8
    cmp x1, x2
    b.lo 2b
    mov x12, x11
    add x13, x11, #512
    tbnz w20, #13, 7f
3:  dc cvau, x12
    add x12, x12, #64
    cmp x12, x13
    b.lo 3b
    dsb ish
7:  mov x12, x11
4:  ic ivau, x12
    add x12, x12, #64
    cmp x12, x13
    b.lo 4b
    dsb ish
    isb
    br x11
5:  mov x1, #2048 /* 128 KiB: code and data of the image */
    mov x2, #0xdead
6:  str x2, [x9], #64
    subs x1, x1, #1
    b.ne 6b
    part 2
9:  part 3
    b 9b
    .ltorg
    .balign 64
relocated_end:

/* The note's worry: host and guest write the same lines by turns, each through an address of its
 * own. */
    .balign 4096
aliased_start:
    nop
#ifdef UNDER_KVM
    part 4
#endif
    adr x9, aliased_start
    mov x10, #TABLE
    add x10, x9, x10
    ldr x2, [x10]
    mov x10, #DATA
    add x9, x9, x10
    mmu_on
1:  mov x10, x9
    mov x1, #LINES
2:  str x1, [x10], #64
    subs x1, x1, #1
    b.ne 2b
    part 1 /* the host reads and writes */
    mov x10, x9
    mov x1, #LINES
    mov x0, #0
3:  ldr x2, [x10], #64
    add x0, x0, x2
    subs x1, x1, #1
    b.ne 3b
    part 2
    b 1b
    .ltorg
    .balign 64
aliased_end:

/* Two vCPUs (x21: which). All enter the image with their MMU off, and the second waits there. The
 * first reads its data, turns its MMU on, and leaves data for the second, which it cleans. The
 * second reads those with its MMU off, then on. */
    .balign 4096
several_start:
    nop
    adr x9, several_start
    mov x13, #DATA
    add x13, x9, x13
    mov x12, #SHARED
    add x12, x9, x12
    cbnz x21, 5f
    mov x10, #TABLE
    add x10, x9, x10
    ldr x2, [x10]
    mov x10, x13
    mov x1, #LINES
    mov x0, #0
1:  ldr x2, [x10], #64
    add x0, x0, x2
    subs x1, x1, #1
    b.ne 1b
    part 1
    mmu_on
    mov x10, x12
    mov x1, #LINES
2:  str x1, [x10], #64
    subs x1, x1, #1
    b.ne 2b
    mov x10, x12
    mov x1, #LINES
3:  dc cvac, x10
    add x10, x10, #64
    subs x1, x1, #1
    b.ne 3b
    dsb ish
    part 2
5:  part 3 /* the second waits */
    mov x10, x12
    mov x1, #LINES
    mov x0, #0
6:  ldr x2, [x10], #64
    add x0, x0, x2
    subs x1, x1, #1
    b.ne 6b
    part 4
    mmu_on
    mov x10, x13
    mov x11, x12
    mov x1, #LINES
    mov x0, #0
7:  ldr x2, [x10], #64
    add x0, x0, x2
    ldr x2, [x11], #64
    add x0, x0, x2
    subs x1, x1, #1
    b.ne 7b
    part 5
    .ltorg
    .balign 64
several_end:
