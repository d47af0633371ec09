/* Imports: events to the rows of a recording. */
#include "core/alloc.h"
#include "core/error.h"
#include "guest/import/steps.h"

#include "core/units.h"

#include <stdlib.h>

struct rowing {
    struct import *import;
    const size_t *previous;
    uint64_t *notifiers; /* by event: how many there were up to it */
    size_t since; /* the event with which this boot begins */
    size_t next_reinit;
    uint32_t last_vcpu; /* that did something */
    uint64_t writes; /* of VM registers by all vCPUs, since an MMU-on */
    bool *cached; /* by vCPU: its caches are on */
};

static void add(struct rowing *rowing, size_t event, uint32_t actor, enum import_op op,
                uint64_t ipa, uint64_t bytes)
{
    struct import *import = rowing->import;
    const struct import_event *at = &import->events[event];
    import->rows =
        import_grown(import->rows, import->row_count, &import->row_room, sizeof *import->rows);
    import->rows[import->row_count++] =
        (struct import_row){.time_ns = at->time_ns - import->events[0].time_ns,
                            .ipa = ipa,
                            .bytes = bytes,
                            .actor = actor,
                            .op = op};
}

/* The VMM puts kernel and initial file system into RAM. */
static void add_rewrite(struct rowing *rowing, size_t event)
{
    const struct import *import = rowing->import;
    if (import->options.rewrite_bytes > 0) {
        add(rowing, event, IMPORT_VMM, IMPORT_VMM_WRITE, import->ram_start,
            import->options.rewrite_bytes);
    }
}

static void add_reinit(struct rowing *rowing, size_t event)
{
    const struct import *import = rowing->import;
    add(rowing, event, rowing->last_vcpu, IMPORT_SYSTEM_EVENT, 0, 0);
    for (uint32_t i = 0; i < import->vcpus; i++) {
        add(rowing, event, IMPORT_VMM, IMPORT_REINIT, 0, 0);
        rowing->cached[i] = false;
    }
    if (!import->options.restored || event > 0) {
        add_rewrite(rowing, event); /* an image was there before the vCPUs were */
    }
    rowing->since = event;
    rowing->next_reinit++;
}

/* A leaf that is mapped as far as faults tell, and faults again: the host took
 * it back, or two vCPUs met at it. False where it is no touch of its own. */
static bool again(struct rowing *rowing, size_t event)
{
    struct import *import = rowing->import;
    struct import_counts *counts = &import->counts;
    size_t before = rowing->previous[event];
    uint64_t ipa = import->events[event].ipa;
    if (before == SIZE_MAX || before < rowing->since) {
        return true;
    }
    if (rowing->notifiers[event] > rowing->notifiers[before]) {
        add(rowing, event, IMPORT_VMM, IMPORT_NOTIFIER, import_leaf(import, ipa),
            import_leaf_bytes(import, ipa));
        counts->taken_back++;
        return true;
    }
    counts->races += import->events[before].ipa == ipa;
    counts->inside += import->events[before].ipa != ipa;
    return false;
}

static void add_fault(struct rowing *rowing, size_t event, uint32_t vcpu)
{
    const struct import *import = rowing->import;
    const struct import_event *at = &import->events[event];
    struct trace_abort abort = kvmtrace_abort(at->esr);
    enum import_op op = abort.fetch   ? IMPORT_FAULT_X
                        : abort.write ? IMPORT_FAULT_W
                                      : IMPORT_FAULT_R;
    if (abort.permission && (abort.fetch || abort.write)) {
        op = abort.fetch ? IMPORT_PERM_X : IMPORT_PERM_W;
    }
    if (abort.permission || again(rowing, event)) {
        add(rowing, event, vcpu, op, import_leaf(import, at->ipa),
            import_leaf_bytes(import, at->ipa));
    }
}

static bool add_toggle(struct rowing *rowing, size_t event, uint32_t vcpu, struct error *err)
{
    struct import *import = rowing->import;
    const struct import_event *at = &import->events[event];
    rowing->writes += !at->was;
    if (!at->was && at->now) {
        if (rowing->cached[vcpu]) {
            return error_input(
                err, &(struct source_location){.file = import->path},
                "vCPU %u turns its caches on at %llu ns and had them on already: it "
                "was initialised again where nothing shows it; --reinit-at TIME says "
                "when",
                vcpu, (unsigned long long)at->time_ns);
        }
        import->counts.vm_registers += rowing->writes - 1;
        import->counts.mmu_on++;
        rowing->writes = 0;
    }
    if (at->was != at->now) {
        rowing->cached[vcpu] = at->now;
        add(rowing, event, vcpu, at->now ? IMPORT_MMU_ON : IMPORT_MMU_OFF, 0, 0);
    }
    return true;
}

/* A restored vCPU has its MMU on; nothing shows it but that no write turns it on. */
static void enter_restored(struct rowing *rowing, size_t event, uint32_t vcpu)
{
    const struct import_event *at = &rowing->import->events[event];
    bool turns_on = at->event == TRACE_TOGGLE && !at->was;
    bool first = rowing->import->options.restored && rowing->next_reinit == 1;
    if (first && !rowing->cached[vcpu] && !turns_on &&
        (at->event == TRACE_GUEST_FAULT || at->event == TRACE_TOGGLE ||
         at->event == TRACE_SETWAY)) {
        rowing->cached[vcpu] = true;
        add(rowing, event, vcpu, IMPORT_MMU_ON, 0, 0);
    }
}

static bool add_event(struct rowing *rowing, size_t event, struct error *err)
{
    const struct import *import = rowing->import;
    const struct import_event *at = &import->events[event];
    uint32_t vcpu = import->threads[at->thread].vcpu;
    enter_restored(rowing, event, vcpu);
    switch ((enum trace_event)at->event) {
    case TRACE_GUEST_FAULT:
        rowing->last_vcpu = vcpu;
        add_fault(rowing, event, vcpu);
        return true;
    case TRACE_TOGGLE:
        rowing->last_vcpu = vcpu;
        return add_toggle(rowing, event, vcpu, err);
    case TRACE_SETWAY:
        rowing->last_vcpu = vcpu;
        add(rowing, event, vcpu, IMPORT_SETWAY, 0, 0);
        return true;
    case TRACE_ENTRY:
    case TRACE_EXIT:
    case TRACE_MMIO:
    case TRACE_NOTIFIER:
    case TRACE_USER_EXIT:
    case TRACE_KVM_OTHER:
    case TRACE_EVENTS:
        break;
    }
    return true;
}

static void count_notifiers(struct rowing *rowing)
{
    const struct import *import = rowing->import;
    uint64_t seen = 0;
    for (size_t i = 0; i < import->event_count; i++) {
        seen += import->events[i].event == TRACE_NOTIFIER;
        rowing->notifiers[i] = seen;
    }
}

bool import_rows(struct import *import, struct error *err)
{
    size_t *previous = import_previous(import);
    struct rowing rowing = {
        .import = import,
        .previous = previous,
        .notifiers = alloc_zeroed(import->event_count, sizeof(uint64_t), "events of a trace"),
        .cached = alloc_zeroed(import->vcpus, sizeof(bool), "vCPUs of a trace")};
    bool good = true;
    count_notifiers(&rowing);
    add_rewrite(&rowing, 0);
    for (size_t i = 0; good && i < import->event_count; i++) {
        if (rowing.next_reinit < import->reinit_count && import->reinits[rowing.next_reinit] == i) {
            add_reinit(&rowing, i);
        }
        good = add_event(&rowing, i, err);
    }
    free(previous);
    free(rowing.notifiers);
    free(rowing.cached);
    return good;
}
