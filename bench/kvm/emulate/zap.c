/*
 * The first and only process of an emulated machine: how many instructions the kernel needs to
 * give memory back, by kind of page, and to change and end a VM; how many lines of its data it
 * touches. It prints windows (window.h); zap.sh makes differences of two sizes of them.
 */
#include "ending.h"
#include "window.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLES 5
#define BLOCK ((size_t)2 << 20)

static const struct kind {
    const char *name;
    size_t page_bytes, pages; /* the smaller size; the larger is twice as much */
    int flags;
    int advice;
    int dropped; /* madvise(MADV_DONTNEED) in place of munmap */
} kinds[] = {
    {"small_munmap", 4096, 2048, 0, MADV_NOHUGEPAGE, 0},
    {"small_dontneed", 4096, 2048, 0, MADV_NOHUGEPAGE, 1},
    {"hugetlb_munmap", BLOCK, 64, MAP_HUGETLB, MADV_NORMAL, 0},
    {"hugetlb_dontneed", BLOCK, 64, MAP_HUGETLB, MADV_NORMAL, 1},
};

static void give_back(const struct kind *kind, size_t pages)
{
    size_t bytes = pages * kind->page_bytes;
    char *memory = mmap(NULL, bytes + BLOCK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | kind->flags, -1, 0);
    if (memory == MAP_FAILED) {
        printf("zap: no memory of kind %s\n", kind->name);
        return;
    }
    madvise(memory, bytes, kind->advice);
    for (size_t i = 0; i < pages; i++) {
        memory[i * kind->page_bytes] = 1;
    }
    if (kind->dropped) {
        WINDOW(kind->name, pages, madvise(memory, bytes, MADV_DONTNEED));
    } else {
        WINDOW(kind->name, pages, munmap(memory, bytes));
    }
    munmap(memory, bytes + BLOCK);
}

static void reserve(const char *pages)
{
    mkdir("/proc", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mkdir("/dev", 0755);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    FILE *out = fopen("/proc/sys/vm/nr_hugepages", "w");
    if (!out || fputs(pages, out) < 0 || fclose(out) != 0) {
        printf("zap: no huge pages can be reserved\n");
    }
}

int main(void)
{
    reserve("160");
    void *page = mmap((void *)(uintptr_t)WINDOW_AT, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *(volatile uint64_t *)page = 0; /* it is there before a window opens */
    printf("\n=== zap\n");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (int k = 0; k < SAMPLES; k++) {
            give_back(&kinds[i], kinds[i].pages);
            give_back(&kinds[i], 2 * kinds[i].pages);
        }
    }
    ending_print(SAMPLES);
    printf("=== end\n");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 1;
}
