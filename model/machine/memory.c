#include "machine/memory.h"

#include "core/alloc.h"
#include "machine/price.h"

#include <math.h>
#include <stdlib.h>

void memory_init(struct memory *memory, const struct platform *platform, const double *value,
                 struct cache *cache, struct run_pool *pool, struct engine *engine)
{
    *memory = (struct memory){.platform = platform, .value = value, .cache = cache};
    oracle_init(&memory->oracle, pool, platform->line_bytes, platform->dic);
    flow_init(&memory->cmo_path, engine, "CMO path", RESOURCE_CMO_PATH);
    flow_init(&memory->zero_path, engine, "zeroing path", RESOURCE_ZERO_PATH);
    memory->dvm = (struct server){.name = "DVM", .resource = RESOURCE_DVM};
    memory->actors = engine->actor_count;
    memory->fetching = alloc_zeroed(memory->actors, sizeof *memory->fetching, "fetches");
}

void memory_free(struct memory *memory)
{
    flow_free(&memory->cmo_path);
    flow_free(&memory->zero_path);
    free(memory->fetching);
}

static uint64_t pages_in(uint64_t start, uint64_t end)
{
    return (end - start + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES;
}

void memory_clean(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                  uint64_t ranges)
{
    struct line_counts found =
        cache_flush(memory->cache, start / CACHE_PAGE_BYTES, pages_in(start, end));
    uint64_t lines = found.absent + found.clean + found.dirty;
    INVARIANT(lines * memory->platform->line_bytes == end - start, "%llu lines for %llu bytes",
              (unsigned long long)lines, (unsigned long long)(end - start));
    uint64_t written = found.dirty * memory->platform->line_bytes;
    ps_t alone = actor_count(actor, EV_line_absent, found.absent) +
                 actor_count(actor, EV_line_clean, found.clean) +
                 actor_count(actor, EV_line_dirty, found.dirty);
    alone += actor_count(actor, EV_cmo_calls, ranges);
    /* With the barriers in the time, what the work takes from the path is its lines' part. */
    double weight = price_cmo_weight(memory->value, lines, written, alone);
    actor_count(actor, EV_writeback_bytes, written);
    memory->seen.found.absent += found.absent;
    memory->seen.found.clean += found.clean;
    memory->seen.found.dirty += found.dirty;
    oracle_flush(&memory->oracle, start, end);
    actor_flow(actor, &memory->cmo_path, alone, weight);
}

void memory_icache_range(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                         uint64_t calls)
{
    actor_charge(actor, EV_icache_calls, calls);
    if (!memory->platform->dic) {
        actor_charge(actor, EV_icache_lines, (end - start) / memory->platform->line_bytes);
    }
    oracle_icache(&memory->oracle, start, end);
}

void memory_icache_all(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                       uint64_t calls)
{
    if (!memory->platform->dic) {
        actor_charge(actor, EV_ic_ialluis, calls);
    }
    if (start < end) {
        oracle_icache(&memory->oracle, start, end);
    }
}

void memory_tlbi(struct actor *actor, struct memory *memory, enum event_kind kind, uint64_t n)
{
    ps_t alone = actor_count(actor, kind, n);
    memory->invalidations += n;
    if (!memory->platform->vhe) {
        alone += actor_count(actor, EV_hyp_calls, n);
    }
    actor_serve(actor, &memory->dvm, alone);
}

void memory_zero(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end)
{
    uint32_t all = (uint32_t)(CACHE_PAGE_BYTES / memory->platform->line_bytes);
    ps_t alone = actor_count(actor, EV_zero_bytes, (end - start) / KIB);
    struct touch_counts touch =
        cache_touch(memory->cache, start / CACHE_PAGE_BYTES, pages_in(start, end), all, true);
    memory->seen.evicted_dirty += touch.evicted_dirty;
    oracle_write(&memory->oracle, start, end, PATH_CACHED, false);
    actor_flow(actor, &memory->zero_path, alone,
               price_zero_weight(memory->value, end - start, alone));
}

static bool is_guest(enum reader reader)
{
    return reader != READER_HOST && reader != READER_DEVICE;
}

/* Of the lines of an access, those that another actor is still fetching. */
static uint64_t lines_under_way(const struct actor *actor, const struct memory *memory,
                                const struct access *access)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < memory->actors; i++) {
        const struct fetch *fetch = &memory->fetching[i];
        if (fetch->until <= actor->now || i == actor->id || fetch->start >= access->end ||
            access->start >= fetch->end) {
            continue;
        }
        uint64_t start = fetch->start > access->start ? fetch->start : access->start;
        uint64_t end = fetch->end < access->end ? fetch->end : access->end;
        double left = (double)(fetch->until - actor->now) / (double)(fetch->until - fetch->from);
        double lines = (double)(pages_in(start, end) * access->density) * fmin(left, 1);
        most = (uint64_t)lines > most ? (uint64_t)lines : most;
    }
    return most;
}

/* Books what a guest's access found and fetched. */
static void charge_guest(struct actor *actor, struct memory *memory, const struct access *access,
                         struct touch_counts touch)
{
    uint64_t late = touch.hits > 0 ? lines_under_way(actor, memory, access) : 0;
    late = late < touch.hits ? late : touch.hits;
    ps_t from = actor->now;
    actor_charge(actor, EV_guest_hits, touch.hits - late);
    actor_charge(actor, EV_guest_misses, touch.misses + late);
    if (touch.misses > 0) {
        memory->fetching[actor->id] = (struct fetch){access->start, access->end, from, actor->now};
    }
}

/* Moves lines through the cache and charges the guest for what it missed. */
static void through_cache(struct actor *actor, struct memory *memory, const struct access *access)
{
    struct touch_counts touch =
        cache_touch(memory->cache, access->start / CACHE_PAGE_BYTES,
                    pages_in(access->start, access->end), access->density, access->write);
    memory->seen.evicted_dirty += touch.evicted_dirty;
    if (is_guest(access->reader)) {
        charge_guest(actor, memory, access, touch);
    }
}

void memory_access(struct actor *actor, struct memory *memory, const struct access *access)
{
    uint64_t lines = pages_in(access->start, access->end) * access->density;
    if (access->path == PATH_CACHED) {
        through_cache(actor, memory, access);
    } else if (is_guest(access->reader)) {
        actor_charge(actor, EV_uncached, lines);
    }
    if (access->write) {
        oracle_write(&memory->oracle, access->start, access->end, access->path,
                     is_guest(access->reader));
    } else {
        oracle_read(&memory->oracle, access->start, access->end, lines, access->reader,
                    access->path);
    }
}
