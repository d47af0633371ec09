#include "memory_slot.h"

#include "common.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE (UINT64_C(2) << 20)

/* Whether the host gives huge pages to those who ask. */
static bool host_has_thp(void)
{
    char mode[64] = "";
    FILE *in = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (in) {
        (void)!fgets(mode, sizeof mode, in);
        fclose(in);
    }
    return in && !strstr(mode, "[never]");
}

/* A piece of address space with a hole on either side, so that no neighbour is
 * merged with what goes into it, begun at a huge page's boundary. */
static bool reserve(struct memory_slot *slot)
{
    slot->reserved_bytes = slot->bytes + 3 * HUGE;
    slot->reserved = mmap(NULL, slot->reserved_bytes, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slot->reserved == MAP_FAILED) {
        return false;
    }
    uint64_t first = (uint64_t)(uintptr_t)slot->reserved + HUGE;
    slot->at = slot->reserved + HUGE + (HUGE - first % HUGE) % HUGE;
    return true;
}

static bool map(struct memory_slot *slot, int flags, int fd)
{
    void *at = mmap(slot->at, slot->bytes, PROT_READ | PROT_WRITE,
                    flags | MAP_FIXED | MAP_NORESERVE, fd, 0);
    return at != MAP_FAILED;
}

static bool map_shm(struct memory_slot *slot)
{
    int fd = memfd_create("probe", MFD_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool mapped = ftruncate(fd, (off_t)slot->bytes) == 0 && map(slot, MAP_SHARED, fd);
    close(fd);
    return mapped;
}

/* Reserved huge pages: without MAP_NORESERVE's promise being kept the guest would
 * die in the middle, so they are asked for at once. */
static bool map_hugetlb(struct memory_slot *slot)
{
    void *at = mmap(slot->at, slot->bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED, -1, 0);
    return at != MAP_FAILED;
}

static bool map_backing(struct memory_slot *slot)
{
    switch (slot->backing) {
    case BACKING_4K:
        /* Without huge pages in the kernel the advice fails, and isn't needed. */
        return map(slot, MAP_PRIVATE | MAP_ANONYMOUS, -1) &&
               (madvise(slot->at, slot->bytes, MADV_NOHUGEPAGE) == 0 || errno == EINVAL);
    case BACKING_THP:
        return host_has_thp() && map(slot, MAP_PRIVATE | MAP_ANONYMOUS, -1) &&
               madvise(slot->at, slot->bytes, MADV_HUGEPAGE) == 0;
    case BACKING_HUGETLB:
        return map_hugetlb(slot);
    case BACKING_SHM:
        return map_shm(slot);
    }
    return false;
}

static const char *advice(enum backing backing)
{
    switch (backing) {
    case BACKING_THP:
        return "transparent huge pages are off (/sys/kernel/mm/transparent_hugepage/enabled)";
    case BACKING_HUGETLB:
        return "too few huge pages are reserved (/proc/sys/vm/nr_hugepages)";
    case BACKING_4K:
    case BACKING_SHM:
        break;
    }
    return strerror(errno);
}

bool memory_slot_open(struct memory_slot *slot, enum backing backing, uint64_t bytes)
{
    *slot = (struct memory_slot){.bytes = bytes, .backing = backing};
    if (!reserve(slot)) {
        note("no address space for %llu bytes", (unsigned long long)bytes);
        return false;
    }
    if (!map_backing(slot)) {
        note("no such memory: %s", advice(backing));
        memory_slot_close(slot);
        return false;
    }
    return true;
}

void memory_slot_close(struct memory_slot *slot)
{
    munmap(slot->reserved, slot->reserved_bytes);
}

void memory_slot_fill(struct memory_slot *slot, uint64_t word)
{
    uint64_t *words = (uint64_t *)(void *)slot->at;
    for (uint64_t i = 0; i < slot->bytes / sizeof word; i++) {
        words[i] = word;
    }
}

void memory_slot_drop(struct memory_slot *slot)
{
    int how = slot->backing == BACKING_SHM ? MADV_REMOVE : MADV_DONTNEED;
    if (madvise(slot->at, slot->bytes, how) != 0) {
        die(PROBE_FAILED, "the host takes the memory not back: %s", strerror(errno));
    }
}
