#include "check.h"

#include "core/units.h"
#include "vm/host.h"

/* The reference keeps a state for every page and takes one unit at a time. */
#define PAGE (4 * KIB)
#define BLOCK_PAGES 8
#define BLOCK (BLOCK_PAGES * PAGE)
#define PAGES 96
#define ENDS 16 /* the area may begin and end so many pages inside */
#define BASE (UINT64_C(1) << 40)

struct naive {
    enum backing backing;
    enum huge_zero_write how;
    int first, last; /* the area's pages [first, last) */
    enum host_state state[PAGES];
};

struct piece {
    int first, last;
    bool huge, writable, replaced;
    uint64_t fresh; /* pages */
    uint32_t notified;
    struct {
        int first, last;
    } notify[2];
};

static bool is_hugetlb(const struct naive *naive)
{
    return naive->backing == BACKING_HUGETLB || naive->backing == BACKING_HUGETLB_1G ||
           naive->backing == BACKING_HUGETLB_SHARED;
}

static bool is_shared(const struct naive *naive)
{
    return naive->backing == BACKING_SHARED || naive->backing == BACKING_HUGETLB_SHARED;
}

static bool can_be_huge(const struct naive *naive, int page)
{
    int block = page - page % BLOCK_PAGES;
    return (is_hugetlb(naive) || naive->backing == BACKING_THP) && block >= naive->first &&
           block + BLOCK_PAGES <= naive->last;
}

static void set_states(struct naive *naive, int first, int last, enum host_state state)
{
    for (int page = first; page < last; page++) {
        naive->state[page] = state;
    }
}

/* A small page's table covers what its block has of the area. */
static void put_table(struct naive *naive, int page)
{
    int block = page - page % BLOCK_PAGES;
    for (int i = block; i < block + BLOCK_PAGES && naive->backing == BACKING_THP; i++) {
        if (i >= naive->first && i < naive->last && naive->state[i] == HOST_EMPTY) {
            naive->state[i] = HOST_TABLE;
        }
    }
}

static struct piece small_unit(int page, bool writable, uint64_t fresh)
{
    return (struct piece){.first = page, .last = page + 1, .writable = writable, .fresh = fresh};
}

static struct piece huge_unit(int page, bool writable, uint64_t fresh)
{
    int block = page - page % BLOCK_PAGES;
    return (struct piece){.first = block,
                          .last = block + BLOCK_PAGES,
                          .huge = true,
                          .writable = writable,
                          .fresh = fresh};
}

static struct piece naive_fresh(struct naive *naive, int page, bool write)
{
    int block = page - page % BLOCK_PAGES;
    if (naive->state[page] == HOST_EMPTY && can_be_huge(naive, page)) {
        bool own = write || is_shared(naive);
        enum host_state state = own                 ? HOST_HUGE
                                : is_hugetlb(naive) ? HOST_HUGE_READ
                                                    : HOST_HUGE_ZERO;
        set_states(naive, block, block + BLOCK_PAGES, state);
        return huge_unit(page, own, state == HOST_HUGE_ZERO ? 0 : BLOCK_PAGES);
    }
    bool own = write || is_shared(naive);
    put_table(naive, page);
    naive->state[page] = own ? HOST_SMALL : HOST_ZERO;
    return small_unit(page, own, own);
}

static struct piece naive_copy(struct naive *naive, int page, bool huge)
{
    int block = page - page % BLOCK_PAGES;
    struct piece unit = small_unit(page, true, 1);
    if (huge && naive->how == HUGE_ZERO_ALLOCATES) {
        set_states(naive, block, block + BLOCK_PAGES, HOST_HUGE);
        unit = huge_unit(page, true, BLOCK_PAGES);
    } else {
        if (huge) {
            set_states(naive, block, block + BLOCK_PAGES, HOST_ZERO);
        }
        naive->state[page] = HOST_SMALL;
        unit.replaced = true;
        unit.notify[huge].first = page;
        unit.notify[huge].last = page + 1;
    }
    if (huge) {
        unit.notify[0].first = block;
        unit.notify[0].last = block + BLOCK_PAGES;
    }
    unit.notified = unit.replaced && huge ? 2 : 1;
    return unit;
}

static struct piece naive_touch(struct naive *naive, int page, bool write)
{
    int block = page - page % BLOCK_PAGES;
    switch (naive->state[page]) {
    case HOST_EMPTY:
    case HOST_TABLE:
        return naive_fresh(naive, page, write);
    case HOST_ZERO:
        return write ? naive_copy(naive, page, false) : small_unit(page, false, 0);
    case HOST_HUGE_ZERO:
        return write ? naive_copy(naive, page, true) : huge_unit(page, false, 0);
    case HOST_HUGE_READ:
        if (write) {
            set_states(naive, block, block + BLOCK_PAGES, HOST_HUGE);
        }
        return huge_unit(page, write, 0);
    case HOST_HUGE:
        return huge_unit(page, true, 0);
    default:
        return small_unit(page, true, 0);
    }
}

static uint64_t naive_held(const struct naive *naive)
{
    uint64_t held = 0;
    for (int i = 0; i < PAGES; i++) {
        enum host_state state = naive->state[i];
        held += state == HOST_SMALL || state == HOST_HUGE || state == HOST_HUGE_READ;
    }
    return held;
}

static void naive_drop(struct naive *naive, int first, int last)
{
    for (int i = first; i < last; i++) {
        enum host_state state = naive->state[i];
        bool small = state == HOST_SMALL || state == HOST_ZERO || state == HOST_TABLE;
        naive->state[i] = small && naive->backing == BACKING_THP ? HOST_TABLE : HOST_EMPTY;
    }
}

/* --- both side by side --- */

struct pair {
    struct naive naive;
    struct host host;
    struct host_area area;
    struct pool pool;
    struct dice dice;
    uint64_t fresh, dropped; /* pages so far */
};

static uint64_t address(int page)
{
    return BASE + (uint64_t)page * PAGE;
}

static void expect_same_states(struct pair *pair)
{
    for (int i = 0; i < PAGES; i++) {
        uint64_t end;
        assert_int_equal(interval_map_value(&pair->host.state, address(i), &end),
                         pair->naive.state[i]);
    }
    assert_int_equal(pair->fresh - pair->dropped, naive_held(&pair->naive));
}

static void expect_same_notices(const struct host_access *got, const struct piece *unit)
{
    assert_int_equal(got->notified, unit->notified);
    assert_int_equal(got->replaced, unit->replaced);
    for (uint32_t i = 0; i < got->notified; i++) {
        assert_int_equal(got->notify[i].start, address(unit->notify[i].first));
        assert_int_equal(got->notify[i].end, address(unit->notify[i].last));
    }
}

/* One access of several units against as many accesses of one unit each. */
static void pair_touch(struct pair *pair)
{
    struct naive *naive = &pair->naive;
    int page = naive->first + (int)roll(&pair->dice, naive->last - naive->first);
    uint64_t at = address(page) + roll(&pair->dice, PAGE);
    uint64_t limit = chance(&pair->dice, 40) ? at + 1 : at + 1 + roll(&pair->dice, 5 * BLOCK);
    bool write = chance(&pair->dice, 50);
    struct host_access got = host_touch(&pair->host, &pair->area, at, limit, write);
    uint64_t fresh = 0;
    struct piece unit = {.last = page};
    do {
        bool first = unit.last == page;
        unit = naive_touch(naive, unit.last, write);
        fresh += unit.fresh;
        assert_int_equal(got.unit_bytes, unit.huge ? BLOCK : PAGE);
        assert_int_equal(got.writable, unit.writable);
        assert_true(first ? got.start == address(unit.first) : unit.notified == 0);
        expect_same_notices(&got, &unit);
        assert_true(first || address(unit.last) <= limit);
    } while (address(unit.last) < got.end);
    assert_int_equal(got.end, address(unit.last));
    assert_int_equal(got.fresh_bytes, fresh * PAGE);
    pair->fresh += fresh;
}

/* What was fresh; counts the ranges that notifiers were told of. */
static uint64_t write_all(struct pair *pair, uint64_t at, uint64_t end, uint64_t *notices)
{
    uint64_t fresh = 0;
    while (at < end) {
        struct host_access access = host_touch(&pair->host, &pair->area, at, end, true);
        for (uint32_t i = 0; i < access.notified; i++) {
            assert_true(access.notify[i].start < access.notify[i].end);
        }
        *notices += access.notified;
        fresh += access.fresh_bytes;
        at = access.end;
    }
    return fresh;
}

static void pair_fill(struct pair *pair)
{
    struct naive *naive = &pair->naive;
    int first = naive->first + (int)roll(&pair->dice, naive->last - naive->first);
    int last = first + 1 + (int)roll(&pair->dice, naive->last - first);
    uint64_t fresh = 0, notices = 0;
    int wanted = 0;
    for (int page = first; page < last;) {
        struct piece unit = naive_touch(naive, page, true);
        fresh += unit.fresh;
        wanted += (int)unit.notified;
        page = unit.last;
    }
    assert_int_equal(write_all(pair, address(first), address(last), &notices), fresh * PAGE);
    assert_int_equal(notices, wanted);
    pair->fresh += fresh;
}

/* Whole blocks: a range that ends inside a huge page would split it. */
static void pair_drop(struct pair *pair)
{
    struct naive *naive = &pair->naive;
    int first = naive->first, last = naive->last;
    if (chance(&pair->dice, 70)) {
        int block = (int)roll(&pair->dice, PAGES / BLOCK_PAGES) * BLOCK_PAGES;
        int end = block + (1 + (int)roll(&pair->dice, 3)) * BLOCK_PAGES;
        first = block > first ? block : first;
        last = end < last ? end : last;
    }
    if (first < last) {
        uint64_t held = naive_held(naive);
        naive_drop(naive, first, last);
        host_drop(&pair->host, &pair->area, address(first), address(last));
        pair->dropped += held - naive_held(naive);
    }
}

static void play(enum backing backing, enum huge_zero_write how, uint64_t seed)
{
    struct pair pair = {.dice = dice_of(seed)};
    struct naive *naive = &pair.naive;
    naive->backing = backing;
    naive->how = how;
    naive->first = (int)roll(&pair.dice, ENDS);
    naive->last = PAGES - (int)roll(&pair.dice, ENDS);
    pair.area =
        (struct host_area){address(naive->first), address(naive->last), backing, PAGE, BLOCK};
    interval_map_pool_init(&pair.pool, 512);
    host_init(&pair.host, &pair.pool, how);
    for (int i = 0; i < 120; i++) {
        uint64_t what = roll(&pair.dice, 20);
        if (what < 17) {
            pair_touch(&pair);
        } else if (what < 18) {
            pair_fill(&pair);
        } else {
            pair_drop(&pair);
        }
        expect_same_states(&pair);
    }
    pool_free(&pair.pool);
}

static void ranges_do_what_single_pages_do(void **state)
{
    (void)state;
    for (int backing = 0; backing < BACKINGS; backing++) {
        for (uint64_t seed = 0; seed < 120; seed++) {
            play((enum backing)backing, seed % 2 ? HUGE_ZERO_SPLITS : HUGE_ZERO_ALLOCATES,
                 seed * BACKINGS + (uint64_t)backing);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_do_what_single_pages_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
