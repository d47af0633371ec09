/*
 * The first and only process of an emulated machine: how many instructions the kernel
 * needs to give memory back, by kind of page.
 *
 * The emulator's clock goes on by one nanosecond for each instruction (-icount shift=0),
 * so that a time is a number of instructions; what a page takes is the difference of
 * two sizes. Timer ticks fall into some of the samples: the least one counts.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLES 9
#define NS_PER_S UINT64_C(1000000000)
#define BLOCK ((size_t)2 << 20)

static const struct kind {
    const char *name;
    size_t page_bytes, pages; /* the smaller size; the larger is twice as much */
    int flags;
    int dropped; /* madvise(MADV_DONTNEED) in place of munmap */
} kinds[] = {
    {"small_munmap", 4096, 2048, 0, 0},
    {"small_dontneed", 4096, 2048, 0, 1},
    {"hugetlb_munmap", BLOCK, 64, MAP_HUGETLB, 0},
    {"hugetlb_dontneed", BLOCK, 64, MAP_HUGETLB, 1},
};

static uint64_t now_ns(void)
{
    uint64_t ticks, per_second;
    __asm__ volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(ticks)::"memory");
    __asm__("mrs %0, cntfrq_el0" : "=r"(per_second));
    return ticks * (NS_PER_S / per_second);
}

/* Instructions to give `pages` pages back, each written once before. */
static uint64_t give_back(const struct kind *kind, size_t pages)
{
    size_t bytes = pages * kind->page_bytes;
    char *memory = mmap(NULL, bytes + BLOCK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | kind->flags, -1, 0);
    if (memory == MAP_FAILED) {
        printf("zap: no memory of kind %s\n", kind->name);
        return 0;
    }
    madvise(memory, bytes, MADV_NOHUGEPAGE); /* of no effect on hugetlb */
    for (size_t i = 0; i < pages; i++) {
        memory[i * kind->page_bytes] = 1;
    }
    uint64_t start = now_ns();
    if (kind->dropped) {
        madvise(memory, bytes, MADV_DONTNEED);
    } else {
        munmap(memory, bytes);
    }
    uint64_t took = now_ns() - start;
    munmap(memory, bytes + BLOCK);
    return took;
}

static uint64_t least(const struct kind *kind, size_t pages)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < SAMPLES; i++) {
        uint64_t took = give_back(kind, pages);
        best = took < best ? took : best;
    }
    return best;
}

static void reserve(const char *pages)
{
    mkdir("/proc", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    FILE *out = fopen("/proc/sys/vm/nr_hugepages", "w");
    if (!out || fputs(pages, out) < 0 || fclose(out) != 0) {
        printf("zap: no huge pages can be reserved\n");
    }
}

int main(void)
{
    reserve("160");
    printf("\n=== zap\nkind,page_bytes,insns_per_page\n");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t pages = kinds[i].pages;
        double more = (double)least(&kinds[i], 2 * pages) - (double)least(&kinds[i], pages);
        printf("%s,%zu,%.0f\n", kinds[i].name, kinds[i].page_bytes, more / (double)pages);
    }
    printf("=== end\n");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 1;
}
