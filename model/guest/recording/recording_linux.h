/*
 * recording_linux - what a Linux guest did about caches in a recorded boot, as far as
 * its rows say where: declared operations beside the touches (guest/linux_guest.h).
 */
#ifndef S2FLUSH_GUEST_RECORDING_RECORDING_LINUX_H
#define S2FLUSH_GUEST_RECORDING_RECORDING_LINUX_H

#include "core/interval_map.h"
#include "guest/timeline.h"

struct recording_linux {
    struct timeline *timeline;
    uint16_t density;
    bool played; /* the guest is taken to be Linux */
    struct pool pool;
    struct interval_map written; /* by the guest, and not made executable since */
    struct interval_map off_written; /* with the first vCPU's MMU off */
    uint64_t text, data; /* the last page that it fetched so, the first that it wrote; where
                            there are any */
    bool has_text, has_data;
};

void recording_linux_init(struct recording_linux *linux_guest, struct timeline *timeline,
                          uint16_t density, bool played);
void recording_linux_free(struct recording_linux *linux_guest);

/* A boot begins: nothing of the one before counts. */
void recording_linux_boot(struct recording_linux *linux_guest);

/* Around a touch by the guest: before it is added, and after. */
void recording_linux_before(struct recording_linux *linux_guest, uint32_t vcpu, bool mmu_on,
                            enum touch_access access, uint64_t ipa, uint64_t bytes);
void recording_linux_after(struct recording_linux *linux_guest, uint32_t vcpu, bool mmu_on,
                           enum touch_access access, uint64_t ipa, uint64_t bytes);

/* Around a vCPU's MMU on. */
void recording_linux_turns_on(struct recording_linux *linux_guest, uint32_t vcpu);
void recording_linux_is_on(struct recording_linux *linux_guest, uint32_t vcpu);

#endif
