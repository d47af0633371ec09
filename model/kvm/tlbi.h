/*
 * tlbi - TLB invalidation of a range by range instructions, as
 * kvm_tlb_flush_vmid_range does it (Linux 6.6 and later).
 */
#ifndef S2FLUSH_KVM_TLBI_H
#define S2FLUSH_KVM_TLBI_H

#include "kvm/kvm.h"

/* A range takes a call for each 2,097,152 pages (MAX_TLBI_RANGE_PAGES), in these so
 * many range instructions and so many for one page each. */
struct range_tlbi {
    uint64_t calls, ranges, singles;
};

/* What `pages` pages of `page_bytes` from an IPA on take. With LPA2 a range
 * instruction begins at a multiple of 64 KiB only (__flush_tlb_range_op). */
struct range_tlbi kvm_range_tlbi(uint64_t start, uint64_t pages, uint64_t page_bytes, bool lpa2);

/* Adds what [start, end) of a VM takes, so many times. */
void kvm_add_range_tlbi(const struct kvm *kvm, uint64_t start, uint64_t end, uint64_t times,
                        struct range_tlbi *sum);

#endif
