#include "vm/host.h"

#include "core/invariant.h"
#include "core/units.h"

void host_init(struct host *host, struct pool *pool, enum huge_zero_write huge_zero_write)
{
    interval_map_init(&host->state, pool);
    host->huge_zero_write = huge_zero_write;
}

static uint64_t round_down(uint64_t value, uint64_t unit)
{
    return value - value % unit;
}

static enum host_state state_at(struct host *host, uint64_t at, uint64_t *end)
{
    return (enum host_state)interval_map_value(&host->state, at, end);
}

static bool huge_state(enum host_state state)
{
    return state == HOST_HUGE || state == HOST_HUGE_ZERO || state == HOST_HUGE_READ;
}

/* Whether the block around `at` lies whole within the area: only then can a
 * huge page back it. */
static bool block_fits(const struct host_area *area, uint64_t at)
{
    uint64_t block = round_down(at, area->block_bytes);
    return block >= area->start && block + area->block_bytes <= area->end;
}

static bool likes_huge(const struct host_area *area)
{
    return backing_is_hugetlb(area->backing) || area->backing == BACKING_THP;
}

static bool huge_possible(const struct host_area *area, uint64_t at)
{
    return likes_huge(area) && block_fits(area, at);
}

/* Where small pages must stop: what was never touched in the next block may be
 * huge. */
static uint64_t small_until(const struct host_area *area, uint64_t at, uint64_t end)
{
    return likes_huge(area) ? u64_min(end, round_down(at, area->block_bytes) + area->block_bytes)
                            : end;
}

/* The first small page of a block puts a table of small pages in place, which
 * stays when the pages go: no huge page comes back on demand. */
static void set_small(struct host *host, const struct host_area *area, uint64_t start, uint64_t end,
                      enum host_state state)
{
    if (area->backing == BACKING_THP) {
        uint64_t first = u64_max(round_down(start, area->block_bytes), area->start);
        uint64_t last =
            u64_min(round_down(end - 1, area->block_bytes) + area->block_bytes, area->end);
        uint64_t stop;
        if (state_at(host, first, &stop) == HOST_EMPTY) {
            interval_map_set(&host->state, first, u64_min(stop, start > first ? start : end),
                             HOST_TABLE);
        }
        if (end < last && state_at(host, end, &stop) == HOST_EMPTY) {
            interval_map_set(&host->state, end, u64_min(stop, last), HOST_TABLE);
        }
    }
    interval_map_set(&host->state, start, end, state);
}

/* How far from `at` the same state goes on, in whole units, up to the limit. */
static uint64_t same_until(uint64_t at, uint64_t end, uint64_t limit, uint64_t unit)
{
    uint64_t stop = round_down(u64_min(end, limit) - round_down(at, unit), unit);
    return round_down(at, unit) + u64_max(stop, unit);
}

static struct host_access small_fresh(struct host *host, const struct host_area *area, uint64_t at,
                                      uint64_t end, uint64_t limit, bool write)
{
    bool own = write || backing_is_shared(area->backing);
    struct host_access access = {
        .start = round_down(at, area->page_bytes), .unit_bytes = area->page_bytes, .writable = own};
    access.end = u64_min(same_until(at, end, limit, area->page_bytes), area->end);
    access.fresh_bytes = own ? access.end - access.start : 0;
    set_small(host, area, access.start, access.end, own ? HOST_SMALL : HOST_ZERO);
    return access;
}

static struct host_access huge_fresh(struct host *host, const struct host_area *area, uint64_t at,
                                     uint64_t end, uint64_t limit, bool write)
{
    uint64_t block = area->block_bytes;
    struct host_access access = {.start = round_down(at, block), .unit_bytes = block};
    uint64_t last = access.start + round_down(area->end - access.start, block);
    access.end = u64_min(same_until(at, end, u64_min(limit, last), block), last);
    bool zero = !write && !backing_is_hugetlb(area->backing);
    /* A private page that was only read is copied when it is written; a shared one is not. */
    bool own = write || backing_is_shared(area->backing);
    enum host_state state = zero ? HOST_HUGE_ZERO : own ? HOST_HUGE : HOST_HUGE_READ;
    access.writable = own;
    access.fresh_bytes = zero ? 0 : access.end - access.start;
    interval_map_set(&host->state, access.start, access.end, state);
    return access;
}

/* A page of its own takes the place of the (small) zero page. */
static struct host_access copy_zero_page(struct host *host, const struct host_area *area,
                                         uint64_t at)
{
    uint64_t page = round_down(at, area->page_bytes);
    struct host_access access = {.start = page,
                                 .end = page + area->page_bytes,
                                 .unit_bytes = area->page_bytes,
                                 .writable = true,
                                 .fresh_bytes = area->page_bytes,
                                 .notified = 1,
                                 .notify = {{page, page + area->page_bytes}},
                                 .replaced = true};
    interval_map_set(&host->state, page, page + area->page_bytes, HOST_SMALL);
    return access;
}

static struct host_access write_huge_zero(struct host *host, const struct host_area *area,
                                          uint64_t at)
{
    uint64_t block = round_down(at, area->block_bytes);
    struct host_range whole = {block, block + area->block_bytes};
    if (host->huge_zero_write == HUGE_ZERO_ALLOCATES) {
        interval_map_set(&host->state, whole.start, whole.end, HOST_HUGE);
        return (struct host_access){.start = whole.start,
                                    .end = whole.end,
                                    .unit_bytes = area->block_bytes,
                                    .writable = true,
                                    .fresh_bytes = area->block_bytes,
                                    .notified = 1,
                                    .notify = {whole}};
    }
    interval_map_set(&host->state, whole.start, whole.end, HOST_ZERO);
    struct host_access access = copy_zero_page(host, area, at);
    access.notify[1] = access.notify[0];
    access.notify[0] = whole;
    access.notified = 2;
    return access;
}

/* Memory that is mapped as it is and may be used so. */
static struct host_access as_it_is(const struct host_area *area, enum host_state state, uint64_t at,
                                   uint64_t end, uint64_t limit)
{
    uint64_t unit = huge_state(state) ? area->block_bytes : area->page_bytes;
    return (struct host_access){.start = round_down(at, unit),
                                .end = same_until(at, end, limit, unit),
                                .unit_bytes = unit,
                                .writable = state == HOST_SMALL || state == HOST_HUGE};
}

struct host_access host_touch(struct host *host, const struct host_area *area, uint64_t at,
                              uint64_t limit, bool write)
{
    INVARIANT(at >= area->start && at < area->end && limit > at, "host access at %#llx",
              (unsigned long long)at);
    uint64_t end;
    enum host_state state = state_at(host, at, &end);
    end = u64_min(end, area->end);
    if (state == HOST_EMPTY && huge_possible(area, at)) {
        return huge_fresh(host, area, at, end, limit, write);
    }
    if (state == HOST_EMPTY) {
        return small_fresh(host, area, at, small_until(area, at, end), limit, write);
    }
    if (state == HOST_TABLE) {
        return small_fresh(host, area, at, end, limit, write);
    }
    if (write && state == HOST_ZERO) {
        return copy_zero_page(host, area, at);
    }
    if (write && state == HOST_HUGE_ZERO) {
        return write_huge_zero(host, area, at);
    }
    if (write && state == HOST_HUGE_READ) {
        /* The only owner of a private huge page takes it over in place. */
        uint64_t block = round_down(at, area->block_bytes);
        interval_map_set(&host->state, block, block + area->block_bytes, HOST_HUGE);
        state = HOST_HUGE;
        end = block + area->block_bytes;
    }
    return as_it_is(area, state, at, end, limit);
}

void host_drop(struct host *host, const struct host_area *area, uint64_t start, uint64_t end)
{
    while (start < end) {
        uint64_t stop;
        enum host_state state = state_at(host, start, &stop);
        stop = u64_min(stop, end);
        bool table = area->backing == BACKING_THP && !huge_state(state);
        if (state != HOST_EMPTY && state != HOST_TABLE) {
            interval_map_set(&host->state, start, stop, table ? HOST_TABLE : HOST_EMPTY);
        }
        start = stop;
    }
}
