#include "kvm/tlbi.h"

#define MOST_PAGES (UINT64_C(32) << 16) /* MAX_TLBI_RANGE_PAGES */
#define LPA2_ALIGN (64 * KIB)

static void one_call(uint64_t start, uint64_t pages, uint64_t page_bytes, bool lpa2,
                     struct range_tlbi *sum)
{
    int scale = 3;
    while (pages > 0) {
        if (pages == 1 || (lpa2 && start % LPA2_ALIGN != 0)) {
            sum->singles++;
            start += page_bytes;
            pages--;
            continue;
        }
        uint64_t covers = pages >> (5 * scale + 1) << (5 * scale + 1);
        sum->ranges += covers > 0;
        pages -= covers; /* whole 64 KiB, or all but the last page: `start` may stay behind */
        scale--;
    }
}

struct range_tlbi kvm_range_tlbi(uint64_t start, uint64_t pages, uint64_t page_bytes, bool lpa2)
{
    struct range_tlbi sum = {0};
    while (pages > 0) {
        uint64_t some = pages < MOST_PAGES ? pages : MOST_PAGES;
        one_call(start, some, page_bytes, lpa2, &sum);
        sum.calls++;
        start += some * page_bytes;
        pages -= some;
    }
    return sum;
}

void kvm_add_range_tlbi(const struct kvm *kvm, uint64_t start, uint64_t end, uint64_t times,
                        struct range_tlbi *sum)
{
    uint64_t page = kvm->stage2.geometry.page_bytes;
    bool lpa2 = kvm->memory->platform->lpa2 && kvm->kernel->value[SWITCH_LPA2];
    struct range_tlbi one = kvm_range_tlbi(start, (end - start) / page, page, lpa2);
    sum->calls += times * one.calls;
    sum->ranges += times * one.ranges;
    sum->singles += times * one.singles;
}
