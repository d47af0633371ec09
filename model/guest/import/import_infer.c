/* Imports: what follows from where and when memory faults: RAM, the size of
 * leaves, re-inits. */
#include "core/alloc.h"
#include "core/error.h"
#include "guest/import/steps.h"

#include "core/units.h"

#include <stdlib.h>

#define RAM_STEP (64 * MIB)
#define FLASH_END (128 * MIB) /* QEMU's two flash chips begin at 0 */

/* Translation faults for each block that has any, and boot. */
#define HUGE_MOST 1.5
#define SMALL_LEAST 4.0

/* Without system events: so many refaults among so many faults. */
#define BURST 16
#define BURST_LEAST 8

/* --- what a fault is --- */

static bool same_thread(const struct import *import, size_t a, size_t b)
{
    return import->events[a].thread == import->events[b].thread;
}

/* Whether a fault is an access that is emulated. */
static bool is_device(const struct import *import, size_t event)
{
    uint64_t ipa = import->events[event].ipa;
    for (size_t i = event + 1; i < import->event_count; i++) {
        const struct import_event *next = &import->events[i];
        if (!same_thread(import, event, i) || next->event == TRACE_NOTIFIER ||
            next->event == TRACE_EXIT) {
            continue;
        }
        if (next->event == TRACE_MMIO) {
            return next->ipa == ipa;
        }
        return next->event == TRACE_USER_EXIT && next->reason == TRACE_REASON_MMIO;
    }
    return false;
}

/* Whether an event is a fault in memory that maps a leaf (translation) or gives one more rights. */
static bool is_fault(const struct import *import, size_t event)
{
    const struct import_event *at = &import->events[event];
    struct trace_abort abort = kvmtrace_abort(at->esr);
    return at->event == TRACE_GUEST_FAULT && (abort.translation || abort.permission);
}

static bool is_map(const struct import *import, size_t event)
{
    return is_fault(import, event) && kvmtrace_abort(import->events[event].esr).translation;
}

static bool in_ram(const struct import *import, uint64_t ipa)
{
    return ipa >= import->ram_start && ipa - import->ram_start < import->ram_bytes;
}

uint64_t import_leaf_bytes(const struct import *import, uint64_t ipa)
{
    if (!in_ram(import, ipa) || import->backing == BACKING_4K ||
        import->backing == BACKING_SHARED) {
        return IMPORT_PAGE;
    }
    return import->backing == BACKING_HUGETLB_1G ? GIB : IMPORT_BLOCK;
}

uint64_t import_leaf(const struct import *import, uint64_t ipa)
{
    return ipa - ipa % import_leaf_bytes(import, ipa);
}

/* Devices' faults and those that map nothing become events without a meaning. */
static void drop_devices(struct import *import)
{
    for (size_t i = 0; i < import->event_count; i++) {
        if (import->events[i].event != TRACE_GUEST_FAULT) {
            continue;
        }
        if (is_device(import, i)) {
            import->counts.devices++;
            import->events[i].event = TRACE_KVM_OTHER;
        } else if (!is_fault(import, i)) {
            import->counts.other_faults++;
            import->events[i].event = TRACE_KVM_OTHER;
        }
    }
}

/* --- RAM --- */

static bool find_ram(struct import *import, struct error *err)
{
    uint64_t lowest = UINT64_MAX, above = UINT64_MAX, highest = 0;
    const struct import_options *options = &import->options;
    for (size_t i = 0; i < import->event_count; i++) {
        uint64_t ipa = import->events[i].ipa;
        if (import->events[i].event == TRACE_GUEST_FAULT) {
            lowest = ipa < lowest ? ipa : lowest;
            above = ipa >= GIB && ipa < above ? ipa : above;
            highest = ipa > highest ? ipa : highest;
            import->uefi |= ipa < FLASH_END && kvmtrace_abort(import->events[i].esr).fetch;
        }
    }
    if (lowest == UINT64_MAX) {
        return error_input(err, &(struct source_location){.file = import->path},
                           "found no fault in memory, %llu are device accesses",
                           (unsigned long long)import->counts.devices);
    }
    uint64_t start = above == UINT64_MAX ? lowest : above;
    import->ram_start = options->ram_ipa != UINT64_MAX ? options->ram_ipa : start - start % GIB;
    uint64_t end = highest < import->ram_start ? import->ram_start : highest;
    end = end - end % RAM_STEP + RAM_STEP;
    import->ram_bytes = options->ram_bytes ? options->ram_bytes : end - import->ram_start;
    import->uefi = import->uefi && import->ram_start >= FLASH_END;
    return true;
}

/* --- leaves --- */

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t count_different(uint64_t *numbers, size_t count)
{
    uint64_t different = 0;
    qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; i < count; i++) {
        different += i == 0 || numbers[i] != numbers[i - 1];
    }
    return different;
}

/* Different pages for each block that was touched: about one a boot where a
 * fault maps the whole block. */
static double pages_per_block(const struct import *import)
{
    uint64_t *pages = alloc_checked(calloc(import->event_count + 1, sizeof *pages), "a trace");
    size_t count = 0;
    for (size_t i = 0; i < import->event_count; i++) {
        if (is_map(import, i) && in_ram(import, import->events[i].ipa)) {
            pages[count++] = import->events[i].ipa / IMPORT_PAGE;
        }
    }
    uint64_t different = count_different(pages, count);
    for (size_t i = 0; i < count; i++) {
        pages[i] /= IMPORT_BLOCK / IMPORT_PAGE;
    }
    uint64_t blocks = count_different(pages, count);
    free(pages);
    return blocks ? (double)different / (double)blocks : 0;
}

static uint64_t count_boots(const struct import *import)
{
    uint64_t boots = 1 + import->options.reinit_count;
    for (size_t i = 0; i < import->event_count && import->options.reinit_count == 0; i++) {
        const struct import_event *event = &import->events[i];
        boots += event->event == TRACE_USER_EXIT && event->reason == TRACE_REASON_SYSTEM_EVENT;
    }
    return boots;
}

static bool find_backing(struct import *import, struct error *err)
{
    import->per_block = pages_per_block(import) / (double)count_boots(import);
    if (import->options.backing != BACKINGS) {
        import->backing = (enum backing)import->options.backing;
    } else if (import->per_block <= HUGE_MOST) {
        import->backing = BACKING_THP;
    } else if (import->per_block >= SMALL_LEAST) {
        import->backing = BACKING_4K;
    } else {
        return error_input(
            err, &(struct source_location){.file = import->path},
            "found %.1f faults for each block of 2 MiB and boot, which tells neither "
            "4 KiB nor 2 MiB leaves: expected --backing",
            import->per_block);
    }
    return true;
}

bool import_memory(struct import *import, struct error *err)
{
    drop_devices(import);
    return find_ram(import, err) && find_backing(import, err);
}

/* --- faults on one leaf --- */

struct on_leaf {
    uint64_t leaf;
    size_t event;
};

static int by_leaf(const void *a, const void *b)
{
    const struct on_leaf *x = a, *y = b;
    if (x->leaf != y->leaf) {
        return x->leaf < y->leaf ? -1 : 1;
    }
    return x->event < y->event ? -1 : x->event > y->event;
}

size_t *import_previous(const struct import *import)
{
    struct on_leaf *faults =
        alloc_checked(calloc(import->event_count + 1, sizeof *faults), "a trace");
    size_t *previous = alloc_checked(calloc(import->event_count + 1, sizeof *previous), "a trace");
    size_t count = 0;
    for (size_t i = 0; i < import->event_count; i++) {
        previous[i] = SIZE_MAX;
        if (is_map(import, i)) {
            faults[count++] = (struct on_leaf){import_leaf(import, import->events[i].ipa), i};
        }
    }
    qsort(faults, count, sizeof *faults, by_leaf);
    for (size_t i = 1; i < count; i++) {
        if (faults[i].leaf == faults[i - 1].leaf) {
            previous[faults[i].event] = faults[i - 1].event;
        }
    }
    free(faults);
    return previous;
}

/* --- re-inits --- */

struct search {
    struct import *import;
    const size_t *previous;
    size_t since; /* the event with which this boot begins */
    bool reset; /* a system event was seen in it */
    size_t recent[BURST]; /* memory faults, as a ring; SIZE_MAX: no refault */
    size_t seen; /* since the boot began */
    uint64_t notifiers; /* since the oldest of those */
};

static bool keep_reinit(struct search *search, size_t event, struct error *err)
{
    struct import *import = search->import;
    if (import->reinit_count == IMPORT_REINITS) {
        return error_input(err, &(struct source_location){.file = import->path},
                           "found more than %d reboots", IMPORT_REINITS);
    }
    import->reinits[import->reinit_count++] = event;
    search->since = event;
    search->reset = false;
    search->seen = 0;
    search->notifiers = 0;
    return true;
}

static bool is_refault(const struct search *search, size_t event)
{
    size_t before = search->previous[event];
    return before != SIZE_MAX && before >= search->since;
}

/* The first refault of a burst, or SIZE_MAX. */
static size_t burst(struct search *search, size_t event)
{
    size_t refaults = 0, first = SIZE_MAX;
    search->recent[search->seen++ % BURST] = is_refault(search, event) ? event : SIZE_MAX;
    size_t kept = search->seen < BURST ? search->seen : BURST;
    for (size_t i = 0; i < kept; i++) {
        refaults += search->recent[i] != SIZE_MAX;
        first = search->recent[i] < first ? search->recent[i] : first;
    }
    return refaults >= BURST_LEAST && search->notifiers < refaults ? first : SIZE_MAX;
}

static bool find_reinits(struct search *search, bool system_events, struct error *err)
{
    const struct import *import = search->import;
    for (size_t i = 0; i < import->event_count; i++) {
        const struct import_event *event = &import->events[i];
        search->reset |=
            event->event == TRACE_USER_EXIT && event->reason == TRACE_REASON_SYSTEM_EVENT;
        search->notifiers += event->event == TRACE_NOTIFIER;
        if (!is_map(import, i)) {
            continue;
        }
        size_t at = !system_events                           ? burst(search, i)
                    : search->reset && is_refault(search, i) ? i
                                                             : SIZE_MAX;
        if (at != SIZE_MAX && !keep_reinit(search, at, err)) {
            return false;
        }
    }
    return true;
}

static bool take_reinits(struct search *search, struct error *err)
{
    const struct import *import = search->import;
    size_t event = 0;
    for (size_t i = 0; i < import->options.reinit_count; i++) {
        while (event < import->event_count &&
               import->events[event].time_ns < import->options.reinit_ns[i]) {
            event++;
        }
        if (event == import->event_count) {
            return error_input(err, NULL, "--reinit-at: no event of the VM is that late");
        }
        if (!keep_reinit(search, event, err)) {
            return false;
        }
    }
    return true;
}

/* Where nothing that was mapped faults again, nothing was unmapped: a host with
 * FWB, whose trace does not tell what the boot touches. */
static bool check_refaults(const struct search *search, struct error *err)
{
    const struct import *import = search->import;
    for (size_t i = import->options.restored; i < import->reinit_count; i++) {
        size_t begin = import->reinits[i];
        size_t end = i + 1 < import->reinit_count ? import->reinits[i + 1] : import->event_count;
        bool again = false;
        for (size_t k = begin; k < end && !again; k++) {
            again = search->previous[k] != SIZE_MAX && search->previous[k] < begin;
        }
        if (!again) {
            return error_input(
                err, &(struct source_location){.file = import->path},
                "after the re-init at %llu ns nothing faults that was mapped before: "
                "a host with FWB unmaps nothing, and its trace does not show what a "
                "boot touches",
                (unsigned long long)import->events[begin].time_ns);
        }
    }
    return true;
}

static bool check_found(const struct import *import, struct error *err)
{
    struct source_location at = {.file = import->path};
    if (import->options.restored) {
        return true;
    }
    if (import->counts.events[TRACE_TOGGLE] == 0) {
        return error_input(
            err, &at,
            "found no kvm_toggle_cache, so that it is not known when vCPUs turned their "
            "caches on: expected all events of KVM (-e kvm), of a host without FWB");
    }
    return import->reinit_count > 0 ||
           error_input(err, &at,
                       "found no reboot: no memory that was mapped faults again after a system "
                       "event, or without one in a burst; expected one, --reinit-at TIME, or "
                       "--restored where the VM comes from a snapshot or another host");
}

bool import_reinits(struct import *import, struct error *err)
{
    size_t *previous = import_previous(import);
    struct search search = {.import = import, .previous = previous};
    const struct import_options *options = &import->options;
    bool system_events = count_boots(import) > 1;
    bool good = !options->restored || keep_reinit(&search, 0, err);
    if (good && options->reinit_count > 0) {
        good = take_reinits(&search, err);
    } else if (good && (system_events || !options->restored)) {
        good = find_reinits(&search, system_events, err);
    }
    good = good && check_found(import, err) && check_refaults(&search, err);
    free(previous);
    return good;
}
