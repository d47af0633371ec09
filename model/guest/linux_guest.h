/*
 * linux_guest - what Linux as a guest reads and maintains while it boots, beyond the
 * touches that a recording shows or a generated boot plays.
 *
 * No fault shows any of it, for the pages are mapped, and its instructions are among
 * those that the boots count. So the operations are declared: they are judged and cost
 * nothing (struct op).
 */
#ifndef S2FLUSH_GUEST_LINUX_GUEST_H
#define S2FLUSH_GUEST_LINUX_GUEST_H

#include "guest/timeline.h"

/* Data among the code that it runs with its MMU off: the literals of the VMM's boot code
 * (QEMU, hw/arm/boot.c, bootloader_aarch64: ldr x0, arg; ldr x4, entry). */
void linux_read_literals(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes,
                         uint16_t density);

/* What it wrote with its MMU off (boot_args, page tables) it invalidates before it turns
 * the MMU on: "remove any speculatively loaded cache lines" (head.S, preserve_boot_args and
 * create_idmap, 6.1; __create_page_tables before, primary_entry since 6.9). */
void linux_invalidate(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes);

/* Once its MMU is on it invalidates its I-cache, "so that any instructions fetched
 * speculatively from the PoC are discarded" (set_sctlr, assembler.h). */
void linux_mmu_on(struct timeline *timeline, uint32_t vcpu);

/* Since 6.9 it also reads the tables that it builds with its MMU off (map_range, pte_none). */
void linux_read_tables(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes,
                       uint16_t density);

/* Pages that it wrote and is about to execute it cleans to the PoU, and invalidates in the
 * I-caches (__sync_icache_dcache; flush_icache_range for modules and patched code). */
void linux_sync_code(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes);

/* For a further vCPU: what the first one does before it starts it, and what it does itself
 * before its MMU on, and after it. It begins in a page of the kernel's text
 * (secondary_entry, .idmap.text) and reads from a page of data what the first one left
 * there for it and cleaned (secondary_holding_pen_release with spin tables, vabits_actual
 * with 52-bit addresses; .mmuoff.data.read). Older kernels also have it write
 * __boot_cpu_mode, which it invalidates (set_cpu_boot_mode_flag; .mmuoff.data.write). Both
 * pages are mapped. */
void linux_prepare_secondary(struct timeline *timeline, uint64_t data, uint16_t density);
void linux_start_secondary(struct timeline *timeline, uint32_t vcpu, uint64_t text, uint64_t data,
                           uint16_t density);
void linux_secondary_on(struct timeline *timeline, uint32_t vcpu, uint64_t data, uint16_t density);

#endif
