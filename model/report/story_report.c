#include "report/story_report.h"

#include "core/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const old_text[] = {
    [OLD_IN_MEMORY] = "memory, while the newest bytes are dirty in a cache",
    [OLD_IN_CACHE] = "a copy in a data cache, while the newest bytes are in memory",
    [OLD_AT_POU] = "the PoU, which the newest bytes have not reached",
    [OLD_IN_ICACHE] = "a copy in an I-cache",
    [OLD_EVERYWHERE] = "memory, where the newest bytes were lost",
};

/* What a step does. A write on behalf of a vCPU that is not the guest's own is the host's,
 * which clears a page that it hands out. */
static const char *step_text(const struct story_step *step)
{
    const struct oracle_call *call = &step->call;
    bool cached = call->path == PATH_CACHED, vmm = step->actor && !step->actor->owner;
    switch (call->operation) {
    case DO_WRITE:
        return call->by_guest ? "writes it: the newest bytes are dirty in a cache"
               : vmm ? "writes it through its own mapping: the newest bytes are dirty in a "
                       "cache"
                     : "has the host clear the page: the zeros are dirty in a cache";
    case DO_WRITE_PAST:
        return "writes it past the caches: the newest bytes are in memory alone";
    case DO_DEVICE_WRITE:
        return "has a device write it";
    case DO_READ:
        return call->reader == READER_FETCH
                   ? cached ? "fetches it through the caches" : "fetches it past the data caches"
               : cached ? "reads it through the caches"
                        : "reads it past the caches";
    case DO_SHARED:
        return "it is read through the page cache, whenever its readers like";
    case DO_CLEAN_POC:
        return "cleans it to the PoC: what is dirty goes to memory";
    case DO_CLEAN_POU:
        return "cleans it to the PoU";
    case DO_CLEAN_INVALIDATE:
        return "cleans and invalidates it: what is dirty goes to memory";
    case DO_INVALIDATE:
        return "invalidates it: what is dirty may be dropped";
    case DO_ICACHE:
        return "invalidates it in the I-caches";
    case DO_MAP:
        return call->executable ? "has stage 2 map it executable: fetches may run ahead"
                                : "has stage 2 map it";
    case DO_UNMAP:
        return "has stage 2 unmap it: TLBs may still hold it";
    case DO_TLBI:
        return "invalidates its TLB entries";
    case DO_RUN:
        return "changes which vCPUs run, and with which caches on";
    case DO_FORGET:
        return "gives its page up";
    }
    return "";
}

/* Where the guest has a line; false where it has none by now. */
static bool guest_address(struct sim *sim, uint64_t line, uint64_t *ipa)
{
    for (uint32_t vm = 0; vm < sim->point->timeline->vm.copies; vm++) {
        const struct kvm *kvm = sim_vm(sim, vm);
        for (uint32_t i = 0; i < kvm->slot_count; i++) {
            const struct memslot *slot = &kvm->slots[i];
            if (line >= slot->area.start && line - slot->area.start < slot->bytes) {
                *ipa = slot->ipa + (line - slot->area.start);
                return true;
            }
        }
    }
    return false;
}

/* The step whose bytes are read: the first that wrote, where another one did behind it;
 * 0: none of them. */
static size_t step_read(const struct story *story)
{
    size_t first = 0, writes = 0;
    for (size_t i = story->count; i-- > 0;) {
        writes += story_writes(&story->steps[i]);
        first = story_writes(&story->steps[i]) ? i + 1 : first;
    }
    return writes > 1 ? first : 0;
}

static void write_steps(FILE *out, const struct sim *sim, const struct story *story)
{
    char name[32], time[32];
    for (size_t i = 0; i < story->count; i++) {
        const struct story_step *step = &story->steps[i];
        fprintf(out, "    %zu  %-10s %-10.10s %-9s %s\n", i + 1,
                unit_format_ps(step->at_ps, time, sizeof time),
                sim->point->timeline->phases[step->phase],
                sim_actor_name(sim, step->actor->id, name, sizeof name), step_text(step));
    }
}

static void write_story(FILE *out, struct sim *sim, enum reader reader, const struct story *story)
{
    uint64_t ipa;
    fprintf(out, "  %s: %s", reader_name[reader], outcome_name[story->outcome]);
    if (guest_address(sim, story->line, &ipa)) {
        fprintf(out, " at %#" PRIx64, ipa);
    }
    fprintf(out, "%s%s\n", story->conditions ? ", right with " : "",
            oracle_conditions_text(story->conditions));
    write_steps(out, sim, story);
    size_t from = step_read(story);
    if (from > 0) {
        fprintf(out, "       It may get the bytes of step %zu", from);
    } else {
        fprintf(out, "       It may get what was there before");
    }
    fprintf(out, ", from %s.\n", old_text[story->old]);
}

bool story_report_write(FILE *out, const struct point *point, struct stories *stories,
                        struct error *err)
{
    bool any = false;
    for (int i = 0; i < READERS; i++) {
        any |= story_is(&stories->of[i]);
    }
    if (!any) {
        return true;
    }
    struct sim *sim = alloc_raw(1, sizeof *sim, "a simulation");
    sim_init(sim, point);
    stories_watch(stories, &sim->memory.oracle, &sim->engine);
    bool good = sim_run(sim, err);
    if (good) {
        stories_reduce(stories);
        fprintf(out, "\nHow old bytes come to be read: the first line of each reader, as few steps "
                     "as it takes\n");
    }
    for (int i = 0; good && i < READERS; i++) {
        if (story_is(&stories->of[i])) {
            write_story(out, sim, (enum reader)i, &stories->of[i]);
        }
    }
    sim_free(sim);
    free(sim);
    return good;
}
