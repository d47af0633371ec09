#include "guest/linux_guest.h"

#define PAGE UINT64_C(4096)

static void access(struct timeline *timeline, uint32_t vcpu, enum touch_access what, uint64_t ipa,
                   uint64_t bytes, uint16_t density)
{
    timeline_add(timeline, vcpu,
                 (struct op){.kind = OP_TOUCH,
                             .access = (uint8_t)what,
                             .declared = true,
                             .density = density,
                             .ipa = ipa,
                             .bytes = bytes,
                             .count = 1});
}

static void maintain(struct timeline *timeline, uint32_t vcpu, enum guest_maintenance what,
                     uint64_t ipa, uint64_t bytes)
{
    timeline_add(timeline, vcpu,
                 (struct op){.kind = OP_MAINTAIN,
                             .access = (uint8_t)what,
                             .declared = true,
                             .ipa = ipa,
                             .bytes = bytes,
                             .count = 1});
}

void linux_read_literals(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes,
                         uint16_t density)
{
    access(timeline, vcpu, TOUCH_READ, ipa, bytes, density);
}

void linux_invalidate(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes)
{
    maintain(timeline, vcpu, MAINTAIN_INVALIDATE, ipa, bytes);
}

void linux_mmu_on(struct timeline *timeline, uint32_t vcpu)
{
    maintain(timeline, vcpu, MAINTAIN_ICACHE_ALL, 0, 0);
}

void linux_read_tables(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes,
                       uint16_t density)
{
    access(timeline, vcpu, TOUCH_READ, ipa, bytes, density);
}

void linux_sync_code(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes)
{
    maintain(timeline, vcpu, MAINTAIN_CLEAN_POU, ipa, bytes);
    maintain(timeline, vcpu, MAINTAIN_ICACHE, ipa, bytes);
}

void linux_prepare_secondary(struct timeline *timeline, uint64_t data, uint16_t density)
{
    access(timeline, 0, TOUCH_WRITE, data, PAGE, density);
    maintain(timeline, 0, MAINTAIN_CLEAN_INVALIDATE, data, PAGE);
}

void linux_start_secondary(struct timeline *timeline, uint32_t vcpu, uint64_t text, uint64_t data,
                           uint16_t density)
{
    access(timeline, vcpu, TOUCH_FETCH, text, PAGE, density);
    access(timeline, vcpu, TOUCH_READ, data, PAGE, density);
    access(timeline, vcpu, TOUCH_WRITE, data, PAGE, density);
    maintain(timeline, vcpu, MAINTAIN_INVALIDATE, data, PAGE);
}

void linux_secondary_on(struct timeline *timeline, uint32_t vcpu, uint64_t data, uint16_t density)
{
    access(timeline, vcpu, TOUCH_READ, data, PAGE, density);
}
