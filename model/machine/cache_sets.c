#include "machine/cache_sets.h"

#include "core/error.h"
#include "core/invariant.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#else
#include <endian.h>
#endif

#define NO_WAY UINT32_MAX

enum { MARKS_PER_WORD = 16, MARK_DIRTY = 0x80, MARK_TAG = 0x7f };

typedef uint8_t marks_word __attribute__((vector_size(MARKS_PER_WORD)));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Makes a function of a stretch out of one that is given the words of marks of
 * a set: for up to 16 ways that is a constant, which shortens the loop a lot.
 * They are kept apart to leave each the registers it needs. */
#define BY_WORDS(name, constness, result)                                                       \
    static __attribute__((noinline)) void name##_short(constness struct cache_sets *cache,      \
                                                       const struct stretch *stretch, result)   \
    {                                                                                           \
        name##_words(cache, stretch, 1, sum);                                                   \
    }                                                                                           \
    static __attribute__((noinline)) void name##_long(constness struct cache_sets *cache,       \
                                                      const struct stretch *stretch, result)    \
    {                                                                                           \
        name##_words(cache, stretch, cache->words, sum);                                        \
    }                                                                                           \
    static void name(constness struct cache_sets *cache, const struct stretch *stretch, result) \
    {                                                                                           \
        (cache->words == 1 ? name##_short : name##_long)(cache, stretch, sum);                  \
    }

/* ---- Set-up ---- */

static void *allocate(uint64_t count, size_t size)
{
    void *array = calloc(count > 0 ? count : 1, size);
    if (!array) {
        error_fatal("out of memory for an exact cache of %llu entries", (unsigned long long)count);
    }
    return array;
}

/* A step by the golden ratio, of the sets in whole pages and of a page's lines. */
static uint64_t turn_of(uint64_t sets, uint32_t page_lines)
{
    const double golden = 0.6180339887498949;
    uint64_t pages = (uint64_t)((double)sets * golden) / page_lines;
    return pages * page_lines + (uint64_t)((double)page_lines * golden);
}

uint64_t cache_sets_turned(const struct cache_sets *cache, uint64_t tag)
{
    return (tag % cache->ways * cache->turn + tag / cache->ways) % cache->sets;
}

void cache_sets_init(struct cache_sets *cache, uint64_t lines, uint64_t ways, uint32_t page_lines)
{
    INVARIANT(ways >= 1 && ways <= UINT16_MAX, "a cache of %llu ways", (unsigned long long)ways);
    if (lines > 0 && lines < ways) {
        ways = lines;
    }
    *cache = (struct cache_sets){
        .sets = lines / ways,
        .ways = (uint32_t)ways,
        .words = (uint32_t)((ways + MARKS_PER_WORD - 1) / MARKS_PER_WORD),
        .page_lines = page_lines,
        .turn = turn_of(lines / ways, page_lines),
    };
    cache->marks = allocate(cache->sets * cache->words, MARKS_PER_WORD);
    cache->tags = allocate(cache->sets * ways, sizeof *cache->tags);
    cache->links = allocate(cache->sets * ways, sizeof *cache->links);
    cache->newest = allocate(cache->sets, sizeof *cache->newest);
}

void cache_sets_free(struct cache_sets *cache)
{
    free(cache->marks);
    free(cache->tags);
    free(cache->links);
    free(cache->newest);
}

/* ---- One set ---- */

/* What touches did. */
struct change {
    uint8_t dirty; /* what they make of a mark: MARK_DIRTY or 0 */
    uint64_t misses;
    uint64_t filled; /* of these, those that found an empty way */
    uint64_t written; /* and those that evicted a dirty line */
    uint64_t dirtied; /* clean lines that were hit and became dirty */
};

/* Consecutive lines in consecutive sets, which have one tag in common. */
struct stretch {
    uint64_t set, count, tag;
    uint8_t mark; /* of a clean line */
};

static inline struct stretch stretch_at(const struct cache_sets *cache, uint64_t line, uint64_t end)
{
    struct stretch stretch = {.tag = line / cache->sets};
    uint64_t left = cache->sets - (line - stretch.tag * cache->sets); /* under this tag */
    uint64_t turned = cache_sets_turned(cache, stretch.tag);
    stretch.set = turned < left ? turned + cache->sets - left : turned - left;
    uint64_t room = cache->sets - stretch.set < left ? cache->sets - stretch.set : left;
    stretch.count = end - line < room ? end - line : room;
    stretch.mark = (uint8_t)(stretch.tag % MARK_TAG + 1);
    return stretch;
}

/* One bit for each mark that agrees with the stretch's. The multiplication of
 * the general form gathers the lowest bits of eight bytes in the top byte. */
ALWAYS_INLINE uint32_t agreeing(marks_word word, uint8_t mark)
{
    marks_word same = (marks_word)((word & MARK_TAG) == mark);
#ifdef __SSE2__
    return (uint32_t)_mm_movemask_epi8((__m128i)same);
#else
    const uint64_t lowest = UINT64_C(0x0101010101010101), gather = UINT64_C(0x0102040810204080);
    typedef uint64_t marks_halves __attribute__((vector_size(MARKS_PER_WORD)));
    marks_halves half = (marks_halves)same;
    uint64_t low = (le64toh(half[0]) & lowest) * gather >> 56;
    uint64_t high = (le64toh(half[1]) & lowest) * gather >> 56;
    return (uint32_t)(low | high << 8);
#endif
}

/* The way that holds the stretch's tag, or NO_WAY. */
ALWAYS_INLINE uint32_t find_way(const struct cache_sets *cache, uint64_t set, uint32_t words,
                                const struct stretch *stretch)
{
    const uint8_t *marks = &cache->marks[set * words * MARKS_PER_WORD];
    for (uint32_t first = 0; first < words * MARKS_PER_WORD; first += MARKS_PER_WORD) {
        marks_word word;
        memcpy(&word, marks + first, sizeof word);
        for (uint32_t same = agreeing(word, stretch->mark); same; same &= same - 1) {
            uint32_t way = first + (uint32_t)__builtin_ctz(same);
            if (cache->tags[set * cache->ways + way] == stretch->tag) {
                return way;
            }
        }
    }
    return NO_WAY;
}

/* Way 0 is the newest. Before that, all links are 0, and way 0 is next to
 * itself: so it is as well where there is no other. */
static void make_ring(struct way_link *ring, uint32_t ways)
{
    for (uint32_t way = 0; way < ways; way++) {
        ring[way].newer = (uint16_t)(way > 0 ? way - 1 : ways - 1);
        ring[way].older = (uint16_t)(way + 1 < ways ? way + 1 : 0);
    }
}

/* Moves a way to the place between the newest and the oldest. Where the ring
 * then begins decides which of the two it becomes. */
static inline void move_between(struct way_link *ring, uint32_t newest, uint32_t way)
{
    uint32_t older = ring[way].older, newer = ring[way].newer;
    ring[older].newer = (uint16_t)newer;
    ring[newer].older = (uint16_t)older;
    uint32_t oldest = ring[newest].newer;
    ring[way].newer = (uint16_t)oldest;
    ring[way].older = (uint16_t)newest;
    ring[oldest].older = (uint16_t)way;
    ring[newest].newer = (uint16_t)way;
}

/* ---- Touch ---- */

/* Gives the oldest way of a set to the stretch's line. */
ALWAYS_INLINE void fill(const struct cache_sets *cache, uint64_t set, uint32_t words,
                        const struct stretch *stretch, uint8_t mark, struct change *change)
{
    struct way_link *ring = &cache->links[set * cache->ways];
    uint32_t way = ring[cache->newest[set]].newer;
    if (way == cache->newest[set]) {
        make_ring(ring, cache->ways); /* of empty ways: any may be the first */
    }
    uint8_t *place = &cache->marks[set * words * MARKS_PER_WORD + way];
    change->misses++;
    change->filled += *place == 0;
    change->written += *place / MARK_DIRTY;
    *place = mark;
    cache->tags[set * cache->ways + way] = stretch->tag;
    cache->newest[set] = (uint16_t)way;
}

/* Makes a way the newest and its line as dirty as `dirty`, which is MARK_DIRTY
 * or 0, if it is not yet. */
ALWAYS_INLINE void renew(const struct cache_sets *cache, uint64_t set, uint32_t words, uint32_t way,
                         uint8_t dirty, struct change *change)
{
    uint32_t newest = cache->newest[set];
    if (way != newest) {
        move_between(&cache->links[set * cache->ways], newest, way);
        cache->newest[set] = (uint16_t)way;
    }
    uint8_t *place = &cache->marks[set * words * MARKS_PER_WORD + way];
    if (dirty & ~*place) {
        *place |= dirty;
        change->dirtied++;
    }
}

ALWAYS_INLINE void touch_stretch_words(const struct cache_sets *cache,
                                       const struct stretch *stretch, uint32_t words,
                                       struct change *sum)
{
    const struct cache_sets fixed = *cache; /* which no store to a mark can change */
    const struct stretch lines = *stretch;
    uint8_t dirty = sum->dirty;
    struct change change = {0};
    for (uint64_t set = lines.set; set < lines.set + lines.count; set++) {
        uint32_t way = find_way(&fixed, set, words, &lines);
        if (way == NO_WAY) {
            fill(&fixed, set, words, &lines, lines.mark | dirty, &change);
        } else {
            renew(&fixed, set, words, way, dirty, &change);
        }
    }
    sum->misses += change.misses;
    sum->filled += change.filled;
    sum->written += change.written;
    sum->dirtied += change.dirtied;
}

BY_WORDS(touch_stretch, const, struct change *sum)

struct touch_counts cache_sets_touch(struct cache_sets *cache, uint64_t first_page, uint64_t pages,
                                     uint32_t density, bool write)
{
    uint64_t touched = pages * density;
    if (cache->sets == 0) {
        return (struct touch_counts){.misses = touched, .evicted_dirty = write ? touched : 0};
    }
    struct change change = {.dirty = write ? MARK_DIRTY : 0};
    for (uint64_t page = first_page; page < first_page + pages; page++) {
        uint64_t line = page * cache->page_lines, end = line + density;
        while (line < end) {
            struct stretch stretch = stretch_at(cache, line, end);
            touch_stretch(cache, &stretch, &change);
            line += stretch.count;
        }
    }
    cache->lines += change.filled;
    cache->dirty += change.dirtied + (write ? change.misses : 0) - change.written;
    return (struct touch_counts){
        .hits = touched - change.misses,
        .misses = change.misses,
        .evicted_dirty = change.written,
    };
}

/* ---- Flush and look ---- */

/* Makes a way that is about to be empty the oldest. */
static inline void retire(const struct cache_sets *cache, uint64_t set, uint32_t way)
{
    struct way_link *ring = &cache->links[set * cache->ways];
    uint32_t newest = cache->newest[set];
    if (way == newest) {
        cache->newest[set] = ring[way].older;
    } else {
        move_between(ring, newest, way);
    }
}

ALWAYS_INLINE void flush_stretch_words(struct cache_sets *cache, const struct stretch *stretch,
                                       uint32_t words, struct line_counts *sum)
{
    const struct cache_sets fixed = *cache;
    const struct stretch lines = *stretch;
    uint64_t found = 0, dirty = 0;
    for (uint64_t set = lines.set; set < lines.set + lines.count; set++) {
        uint32_t way = find_way(&fixed, set, words, &lines);
        if (way != NO_WAY) {
            uint8_t *place = &fixed.marks[set * words * MARKS_PER_WORD + way];
            found++;
            dirty += *place / MARK_DIRTY;
            *place = 0;
            retire(&fixed, set, way);
        }
    }
    cache->lines -= found;
    cache->dirty -= dirty;
    sum->clean += found - dirty;
    sum->dirty += dirty;
}

BY_WORDS(flush_stretch, , struct line_counts *sum)

ALWAYS_INLINE void look_stretch_words(const struct cache_sets *cache, const struct stretch *stretch,
                                      uint32_t words, struct line_counts *sum)
{
    for (uint64_t set = stretch->set; set < stretch->set + stretch->count; set++) {
        uint32_t way = find_way(cache, set, words, stretch);
        if (way != NO_WAY) {
            uint64_t dirty = cache->marks[set * words * MARKS_PER_WORD + way] / MARK_DIRTY;
            sum->dirty += dirty;
            sum->clean += 1 - dirty;
        }
    }
}

BY_WORDS(look_stretch, const, struct line_counts *sum)

/* Stops where nothing is left in the cache that could be found. */
struct line_counts cache_sets_flush(struct cache_sets *cache, uint64_t first_page, uint64_t pages)
{
    struct line_counts found = {0};
    uint64_t line = first_page * cache->page_lines;
    uint64_t end = line + pages * cache->page_lines;
    while (line < end && cache->lines > 0) {
        struct stretch stretch = stretch_at(cache, line, end);
        flush_stretch(cache, &stretch, &found);
        line += stretch.count;
    }
    return found;
}

struct line_counts cache_sets_look(const struct cache_sets *cache, uint64_t first_page,
                                   uint64_t pages)
{
    struct line_counts found = {0};
    uint64_t line = first_page * cache->page_lines;
    uint64_t end = line + pages * cache->page_lines;
    while (line < end && found.clean + found.dirty < cache->lines) {
        struct stretch stretch = stretch_at(cache, line, end);
        look_stretch(cache, &stretch, &found);
        line += stretch.count;
    }
    return found;
}

uint64_t cache_sets_next(const struct cache_sets *cache, uint64_t page, uint64_t end)
{
    for (; page < end && cache->lines > 0; page++) {
        struct line_counts found = cache_sets_look(cache, page, 1);
        if (found.clean + found.dirty > 0) {
            return page;
        }
    }
    return end;
}
