#include "guest/recording/recording_linux.h"

#include "core/units.h"
#include "guest/linux_guest.h"

#define PAGE (4 * KIB)
#define EVERYTHING UINT64_C(1) << 52

void recording_linux_init(struct recording_linux *linux_guest, struct timeline *timeline,
                          uint16_t density, bool played)
{
    *linux_guest =
        (struct recording_linux){.timeline = timeline, .density = density, .played = played};
    interval_map_pool_init(&linux_guest->pool, 64);
    interval_map_init(&linux_guest->written, &linux_guest->pool);
    interval_map_init(&linux_guest->off_written, &linux_guest->pool);
}

void recording_linux_free(struct recording_linux *linux_guest)
{
    pool_free(&linux_guest->pool);
}

void recording_linux_boot(struct recording_linux *linux_guest)
{
    interval_map_set(&linux_guest->written, 0, EVERYTHING, 0);
    interval_map_set(&linux_guest->off_written, 0, EVERYTHING, 0);
    linux_guest->has_text = linux_guest->has_data = false;
}

void recording_linux_before(struct recording_linux *linux_guest, uint32_t vcpu, bool mmu_on,
                            enum touch_access access, uint64_t ipa, uint64_t bytes)
{
    if (linux_guest->played && mmu_on && access == TOUCH_FETCH &&
        interval_map_any(&linux_guest->written, ipa, ipa + bytes)) {
        linux_sync_code(linux_guest->timeline, vcpu, ipa, bytes);
        interval_map_set(&linux_guest->written, ipa, ipa + bytes, 0);
    }
}

/* The first code that a boot runs is the VMM's, in RAM. Firmware in flash has no literals before
 * its MMU is on (EDK II, as bench/kvm/proof saw it run). */
static void after_fetch_off(struct recording_linux *linux_guest, uint64_t ipa, uint64_t bytes)
{
    const struct slot_shape *ram = &linux_guest->timeline->vm.slots[0];
    if (!linux_guest->has_text && ipa - ram->ipa < ram->bytes) {
        linux_read_literals(linux_guest->timeline, 0, ipa, bytes, linux_guest->density);
    }
    linux_guest->text = ipa;
    linux_guest->has_text = true;
}

void recording_linux_after(struct recording_linux *linux_guest, uint32_t vcpu, bool mmu_on,
                           enum touch_access access, uint64_t ipa, uint64_t bytes)
{
    if (!linux_guest->played || bytes < PAGE) {
        return;
    }
    if (access == TOUCH_WRITE) {
        interval_map_set(&linux_guest->written, ipa, ipa + bytes, 1);
    }
    if (mmu_on || vcpu != 0) {
        return;
    }
    if (access == TOUCH_FETCH) {
        after_fetch_off(linux_guest, ipa, bytes);
    } else if (access == TOUCH_WRITE) {
        interval_map_set(&linux_guest->off_written, ipa, ipa + bytes, 1);
        linux_guest->data = linux_guest->has_data ? linux_guest->data : ipa;
        linux_guest->has_data = true;
    }
}

void recording_linux_turns_on(struct recording_linux *linux_guest, uint32_t vcpu)
{
    struct interval *range = interval_map_find(&linux_guest->off_written, 0);
    if (vcpu != 0) {
        if (linux_guest->has_text && linux_guest->has_data) {
            linux_prepare_secondary(linux_guest->timeline, linux_guest->data, linux_guest->density);
            linux_start_secondary(linux_guest->timeline, vcpu, linux_guest->text, linux_guest->data,
                                  linux_guest->density);
        }
        return;
    }
    for (; range; range = range->after) {
        linux_invalidate(linux_guest->timeline, 0, range->start, range->end - range->start);
    }
}

void recording_linux_is_on(struct recording_linux *linux_guest, uint32_t vcpu)
{
    if (linux_guest->played) {
        linux_mmu_on(linux_guest->timeline, vcpu);
    }
    if (vcpu != 0 && linux_guest->has_data) {
        linux_secondary_on(linux_guest->timeline, vcpu, linux_guest->data, linux_guest->density);
    }
}
