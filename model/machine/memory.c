#include "machine/memory.h"

#include "core/alloc.h"
#include "core/invariant.h"
#include "machine/price.h"

#include <math.h>
#include <stdlib.h>

void memory_init(struct memory *memory, const struct platform *platform, const double *value,
                 struct cache *const cache[], struct pool *pool, struct engine *engine)
{
    *memory =
        (struct memory){.platform = platform, .value = value, .past_bytes = platform->line_bytes};
    sockets_init(&memory->sockets, (uint32_t)platform->sockets, cache, pool);
    struct oracle_traits traits = {.line_bytes = platform->line_bytes,
                                   .dic = platform->dic,
                                   .idc = platform->idc,
                                   .vipt = platform->vipt,
                                   .still = true};
    oracle_init(&memory->oracle, pool, traits);
    flow_init(&memory->cmo_path, engine, "CMO path", RESOURCE_CMO_PATH);
    flow_init(&memory->zero_path, engine, "zeroing path", RESOURCE_ZERO_PATH);
    memory->dvm = (struct server){.name = "DVM", .resource = RESOURCE_DVM};
    memory->actors = engine->actor_count;
    memory->fetching = alloc_zeroed(memory->actors, sizeof *memory->fetching, "fetches");
    memory->socket = alloc_zeroed(memory->actors, sizeof *memory->socket, "places of actors");
}

void memory_free(struct memory *memory)
{
    flow_free(&memory->cmo_path);
    flow_free(&memory->zero_path);
    free(memory->fetching);
    free(memory->socket);
}

static uint64_t pages_in(uint64_t start, uint64_t end)
{
    return (end - start + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES;
}

static void see(struct memory *memory, struct line_counts found)
{
    memory->seen.found.absent += found.absent;
    memory->seen.found.clean += found.clean;
    memory->seen.found.dirty += found.dirty;
}

/* The time of a clean that found this, on the path that all share (a request). */
static void charge_clean(struct actor *actor, struct memory *memory, struct line_counts found,
                         uint64_t bytes, uint64_t ranges)
{
    uint64_t lines = found.absent + found.clean + found.dirty;
    INVARIANT(lines * memory->platform->line_bytes == bytes, "%llu lines for %llu bytes",
              (unsigned long long)lines, (unsigned long long)bytes);
    uint64_t written = found.dirty * memory->platform->line_bytes;
    ps_t alone = actor_count(actor, EV_line_absent, found.absent) +
                 actor_count(actor, EV_line_clean, found.clean) +
                 actor_count(actor, EV_line_dirty, found.dirty);
    alone += actor_count(actor, EV_cmo_calls, ranges);
    /* With the barriers in the time, what the work takes from the path is its lines' part. */
    double weight = price_cmo_weight(memory->value, lines, written, alone);
    actor_count(actor, EV_writeback_bytes, written);
    see(memory, found);
    actor_flow(actor, &memory->cmo_path, alone, weight);
}

static struct line_counts flush(struct memory *memory, uint64_t start, uint64_t end)
{
    return sockets_flush(&memory->sockets, (struct socket_range){start, end});
}

void memory_clean(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                  uint64_t ranges)
{
    struct line_counts found = flush(memory, start, end);
    oracle_maintain(&memory->oracle, start, end, CLEAN_INVALIDATE, true);
    charge_clean(actor, memory, found, end - start, ranges);
}

bool memory_clean_fills_path(const struct actor *actor, const struct memory *memory)
{
    const ps_t *price = actor->engine->ledger->price;
    uint64_t line_bytes = memory->platform->line_bytes;
    return price_cmo_weight(memory->value, 1, 0, price[EV_line_absent]) > 1 ||
           price_cmo_weight(memory->value, 1, 0, price[EV_line_clean]) > 1 ||
           price_cmo_weight(memory->value, 1, line_bytes, price[EV_line_dirty]) > 1;
}

uint64_t memory_alike(const struct memory *memory, uint64_t start, uint64_t end, uint64_t unit)
{
    uint64_t empty = sockets_next(&memory->sockets, start, end) - start;
    return empty >= unit ? empty - empty % unit : unit;
}

void memory_clean_by_range(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                           uint64_t commands)
{
    struct line_counts found = flush(memory, start, end);
    oracle_maintain(&memory->oracle, start, end, CLEAN_INVALIDATE, true);
    see(memory, found);
    actor_charge(actor, EV_writeback_bytes, found.dirty * memory->platform->line_bytes);
    actor_charge(actor, EV_range_cmo_calls, commands);
    actor_charge(actor, EV_range_cmo_kib, (end - start) / KIB);
}

void memory_icache_range(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                         uint64_t calls)
{
    actor_charge(actor, EV_icache_calls, calls);
    if (!memory->platform->dic) {
        actor_charge(actor, EV_icache_lines, (end - start) / memory->platform->line_bytes);
    }
    oracle_maintain(&memory->oracle, start, end, ICACHE_ALIAS, true);
}

void memory_icache_all(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                       uint64_t calls)
{
    if (!memory->platform->dic) {
        actor_charge(actor, EV_ic_ialluis, calls);
    }
    if (start < end) {
        oracle_maintain(&memory->oracle, start, end, ICACHE_ALL, true);
    }
}

static bool cleans_to_pou(const struct memory *memory)
{
    return !memory->platform->idc && !memory->oracle.traits.fwb;
}

static void charge_maintenance(struct actor *actor, struct memory *memory, uint64_t start,
                               uint64_t end, enum maintenance maintenance)
{
    const struct platform *platform = memory->platform;
    uint64_t lines = (end - start) / platform->line_bytes;
    switch (maintenance) {
    case CLEAN_POU:
        if (cleans_to_pou(memory)) {
            charge_clean(actor, memory, (struct line_counts){.clean = lines}, end - start, 0);
        }
        return;
    case CLEAN_POC:
    case CLEAN_INVALIDATE:
    case INVALIDATE:
    case GUEST_INVALIDATE:
        charge_clean(actor, memory, flush(memory, start, end), end - start, 0);
        return;
    case ICACHE_VA:
    case ICACHE_ALIAS:
        actor_charge(actor, EV_icache_lines, platform->dic ? 0 : lines);
        return;
    case ICACHE_ALL:
        actor_charge(actor, EV_ic_ialluis, platform->dic ? 0 : 1);
        return;
    }
}

void memory_maintain(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                     enum maintenance maintenance, bool dsb)
{
    oracle_maintain(&memory->oracle, start, end, maintenance, dsb);
    charge_maintenance(actor, memory, start, end, maintenance);
}

void memory_maintain_end(struct actor *actor, const struct memory *memory,
                         enum maintenance maintenance)
{
    bool icache =
        maintenance == ICACHE_VA || maintenance == ICACHE_ALIAS || maintenance == ICACHE_ALL;
    bool loops = maintenance == CLEAN_POU ? cleans_to_pou(memory) : !icache;
    actor_charge(actor, EV_cmo_calls, loops ? 1 : 0);
}

static void call_el2(struct actor *actor, const struct memory *memory, uint64_t n)
{
    if (!memory->platform->vhe) {
        actor_charge(actor, EV_hyp_calls, n);
    }
}

void memory_tlbi(struct actor *actor, struct memory *memory, enum event_kind kind, uint64_t n)
{
    memory->invalidations += n;
    memory->invalidated_all += kind == EV_tlbi_vmid ? n : 0;
    call_el2(actor, memory, n);
    ps_t alone = actor_count(actor, kind, n);
    alone += actor_count(actor, EV_tlbi_third, memory->third_broadcast ? n : 0);
    actor_serve(actor, &memory->dvm, alone, price_tlbi_path(memory->value, alone), n);
}

void memory_tlbi_ranges(struct actor *actor, struct memory *memory, uint64_t calls, uint64_t ranges,
                        uint64_t singles)
{
    memory->invalidations += calls;
    call_el2(actor, memory, calls);
    ps_t alone = actor_count(actor, EV_tlbi_range, ranges);
    alone += actor_count(actor, EV_tlbi_calls, singles);
    alone += actor_count(actor, EV_tlbi_third, memory->third_broadcast ? ranges + singles : 0);
    actor_serve(actor, &memory->dvm, alone, price_tlbi_path(memory->value, alone), 1);
}

void memory_tlbi_local(struct actor *actor, struct memory *memory, uint64_t n)
{
    call_el2(actor, memory, n);
    actor_charge(actor, EV_tlbi_local, n);
}

static struct touch_counts touch(const struct actor *actor, struct memory *memory, uint64_t start,
                                 uint64_t end, uint32_t density, bool write)
{
    struct touch_counts met = sockets_touch(&memory->sockets, memory->socket[actor->id],
                                            (struct socket_range){start, end}, density, write);
    memory->seen.evicted_dirty += met.evicted_dirty;
    return met;
}

static uint32_t page_lines(const struct memory *memory)
{
    return (uint32_t)(CACHE_PAGE_BYTES / memory->platform->line_bytes);
}

void memory_zero(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                 uint64_t skip_start, uint64_t skip_end)
{
    ps_t alone = actor_count(actor, EV_zero_bytes, (end - start) / KIB);
    sockets_allocate(&memory->sockets, memory->socket[actor->id],
                     (struct socket_range){start, end});
    touch(actor, memory, start, skip_start, page_lines(memory), true);
    touch(actor, memory, skip_end, end, page_lines(memory), true);
    oracle_write(&memory->oracle, start, end, PATH_CACHED, false);
    actor_flow(actor, &memory->zero_path, alone,
               price_zero_weight(memory->value, end - start, alone));
}

static bool is_guest(enum reader reader)
{
    return reader != READER_HOST && reader != READER_DEVICE;
}

/* Of the lines of an access, those that another actor of the same socket is still fetching. */
static uint64_t lines_under_way(const struct actor *actor, const struct memory *memory,
                                const struct access *access)
{
    uint64_t max = 0;
    for (uint32_t i = 0; i < memory->actors; i++) {
        const struct fetch *fetch = &memory->fetching[i];
        if (fetch->until <= actor->now || i == actor->id || fetch->start >= access->end ||
            access->start >= fetch->end || memory->socket[i] != memory->socket[actor->id]) {
            continue;
        }
        uint64_t start = fetch->start > access->start ? fetch->start : access->start;
        uint64_t end = fetch->end < access->end ? fetch->end : access->end;
        double left = (double)(fetch->until - actor->now) / (double)(fetch->until - fetch->from);
        double lines = (double)(pages_in(start, end) * access->density) * fmin(left, 1);
        max = u64_max((uint64_t)lines, max);
    }
    return max;
}

/* Books what a guest's access found and fetched. */
static void charge_guest(struct actor *actor, struct memory *memory, const struct access *access,
                         struct touch_counts touch)
{
    uint64_t late = touch.hits > 0 ? lines_under_way(actor, memory, access) : 0;
    late = late < touch.hits ? late : touch.hits;
    ps_t from = actor->now;
    /* Whoever fetches them is on the same socket and fetches them from as far. */
    bool far = late > 0 && sockets_far(&memory->sockets, memory->socket[actor->id], access->start);
    uint64_t remote = touch.remote + (far ? late : 0);
    actor_charge(actor, EV_guest_hits, touch.hits - late);
    actor_charge(actor, EV_guest_misses, touch.misses + late - remote);
    actor_charge(actor, EV_guest_remote, remote);
    if (touch.misses > 0) {
        memory->fetching[actor->id] = (struct fetch){access->start, access->end, from, actor->now};
    }
}

/* Moves lines through the cache and charges the guest for what it missed. */
static void through_cache(struct actor *actor, struct memory *memory, const struct access *access)
{
    struct touch_counts met = access->met ? *access->met
                                          : touch(actor, memory, access->start, access->end,
                                                  access->density, access->write);
    if (is_guest(access->reader)) {
        charge_guest(actor, memory, access, met);
    }
}

void memory_access(struct actor *actor, struct memory *memory, const struct access *access)
{
    uint64_t lines = pages_in(access->start, access->end) * access->density;
    if (access->path == PATH_CACHED) {
        through_cache(actor, memory, access);
    } else if (is_guest(access->reader)) {
        uint64_t line_bytes = memory->platform->line_bytes;
        actor_charge(actor, EV_uncached,
                     lines * ((line_bytes + memory->past_bytes - 1) / memory->past_bytes));
    }
    if (access->write && access->reader == READER_DEVICE) {
        oracle_device_write(&memory->oracle, access->start, access->end,
                            access->path == PATH_CACHED);
    } else if (access->write) {
        oracle_write(&memory->oracle, access->start, access->end, access->path,
                     is_guest(access->reader));
    } else {
        oracle_read(&memory->oracle, access->start, access->end, lines, access->reader,
                    access->path);
    }
}

/* --- one page after the other --- */

static void add_found(struct line_counts *sum, struct line_counts found, uint64_t times)
{
    sum->absent += times * found.absent;
    sum->clean += times * found.clean;
    sum->dirty += times * found.dirty;
}

/* What was found in one unit that was just cleared (so that no line is clean), for a
 * part of one. */
static struct line_counts part_of(struct line_counts found, uint64_t part, uint64_t unit)
{
    uint64_t lines = (found.absent + found.dirty) * part / unit;
    uint64_t dirty = found.dirty * part / unit;
    return (struct line_counts){.absent = lines - dirty, .dirty = dirty};
}

static void add_touch(struct touch_counts *sum, struct touch_counts met)
{
    sum->hits += met.hits;
    sum->misses += met.misses;
    sum->remote += met.remote;
}

/* Each unit is cleared, cleaned and accessed before the next one is. All of
 * them find what the first one does; the room that clearing takes is there
 * once more before the last one is accessed. */
static struct touch_counts clear_clean_then_access(const struct actor *actor, struct memory *memory,
                                                   uint64_t start, uint64_t end, uint64_t unit,
                                                   const struct access *access,
                                                   struct line_counts *found)
{
    uint64_t last = end - unit > access->start ? end - unit : access->start;
    last = last < access->end ? last : access->end;
    touch(actor, memory, start, start + unit, page_lines(memory), true);
    struct line_counts first = flush(memory, start, start + unit);
    add_found(found, first, (end - start) / unit);
    add_found(found, part_of(first, (end - start) % unit, unit), 1);
    flush(memory, start + unit, end); /* of pages that were here before */
    struct touch_counts met =
        touch(actor, memory, access->start, last, access->density, access->write);
    if (last < access->end) {
        touch(actor, memory, end - unit, end, page_lines(memory), true);
        flush(memory, end - unit, end);
        struct touch_counts more =
            touch(actor, memory, last, access->end, access->density, access->write);
        add_touch(&met, more);
    }
    return met;
}

static uint64_t within(uint64_t at, const struct access *access)
{
    return at < access->start ? access->start : at > access->end ? access->end : at;
}

/* Leaves [start, end) of small pages, or of any size with nothing of them in
 * the cache: page by page is then the same as leaf by leaf. */
static void clean_then_access_pages(const struct actor *actor, struct memory *memory,
                                    uint64_t start, uint64_t end, const struct access *access,
                                    struct line_counts *found, struct touch_counts *met)
{
    uint64_t from = within(start, access), to = within(end, access);
    struct line_counts flushed;
    add_found(found, flush(memory, start, from), 1);
    struct touch_counts touched = sockets_clean_then_access(
        &memory->sockets, memory->socket[actor->id], (struct socket_range){from, to},
        access->density, access->write, &flushed);
    add_found(found, flushed, 1);
    add_found(found, flush(memory, to, end), 1);
    memory->seen.evicted_dirty += touched.evicted_dirty;
    add_touch(met, touched);
}

/* A large leaf is cleaned as a whole before it is accessed. Only those that
 * have lines in the cache must be distinguished. */
static void clean_then_access_blocks(const struct actor *actor, struct memory *memory,
                                     uint64_t start, uint64_t end, uint64_t size,
                                     const struct access *access, struct line_counts *found,
                                     struct touch_counts *met)
{
    for (uint64_t at = start; at < end;) {
        uint64_t empty = (sockets_next(&memory->sockets, at, end) - at) / size * size;
        if (empty > 0) {
            clean_then_access_pages(actor, memory, at, at + empty, access, found, met);
            at += empty;
            continue;
        }
        add_found(found, flush(memory, at, at + size), 1);
        add_touch(met, touch(actor, memory, within(at, access), within(at + size, access),
                             access->density, access->write));
        at += size;
    }
}

struct touch_counts memory_clean_each(struct actor *actor, struct memory *memory, uint64_t start,
                                      uint64_t end, uint64_t ranges, uint64_t fresh_unit,
                                      const struct access *access)
{
    uint64_t size = (end - start) / ranges;
    struct line_counts found = {0};
    struct touch_counts met = {0};
    if (fresh_unit) {
        met = clear_clean_then_access(actor, memory, start, end, fresh_unit, access, &found);
    } else if (size == CACHE_PAGE_BYTES) {
        clean_then_access_pages(actor, memory, start, end, access, &found, &met);
    } else {
        clean_then_access_blocks(actor, memory, start, end, size, access, &found, &met);
    }
    oracle_maintain(&memory->oracle, start, end, CLEAN_INVALIDATE, true);
    charge_clean(actor, memory, found, end - start, ranges);
    return met;
}
