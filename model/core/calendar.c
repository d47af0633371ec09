#include "core/calendar.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

#define NEVER (~(calendar_key)0)
#define LINE_BYTES 64

/* Up to here an insertion into a sorted array beats a sift. */
#define SORTED_MAX 16

/* Keeps what is rare out of push and pop, which then need not save registers
 * that only the rare part uses. */
#define OUT_OF_LINE __attribute__((noinline))

/* Children of element i are 4i+1 .. 4i+4. The array starts three keys into a
 * line, so that each such group of four fills one line. */
static calendar_key *heap_base(void *storage)
{
    size_t past_line = (uintptr_t)storage % LINE_BYTES;
    size_t to_line = past_line ? LINE_BYTES - past_line : 0;
    return (calendar_key *)(void *)((char *)storage + to_line) + 3;
}

/* Slots past the last element of a heap hold NEVER, so that a group of siblings
 * can always be compared whole, and so does the one before the first, where
 * insertion into a sorted array stops. */
static void *heap_storage(uint32_t capacity)
{
    size_t bytes = ((size_t)capacity + 16) * sizeof(calendar_key) + LINE_BYTES;
    void *storage = malloc(bytes);
    if (storage) {
        return memset(storage, 0xff, bytes);
    }
    error_fatal("out of memory for %u pending events", capacity);
}

void calendar_init(struct calendar *cal, uint32_t capacity)
{
    cal->capacity = capacity < SORTED_MAX ? SORTED_MAX : capacity;
    cal->storage = heap_storage(cal->capacity);
    cal->heap = heap_base(cal->storage);
    cal->count = 0;
    cal->sequence = 0;
    cal->sorted = true;
    cal->hole = false;
}

void calendar_free(struct calendar *cal)
{
    free(cal->storage);
    cal->storage = NULL;
}

static void grow(struct calendar *cal)
{
    void *storage = heap_storage(cal->capacity * 2);
    calendar_key *heap = heap_base(storage);
    memcpy(heap, cal->heap, cal->capacity * sizeof *heap);
    free(cal->storage);
    cal->storage = storage;
    cal->heap = heap;
    cal->capacity *= 2;
}

/* --- the heap --- */

struct candidate {
    uint64_t time, low;
    size_t at;
};

static inline calendar_key key_of(struct candidate candidate)
{
    return (calendar_key)candidate.time << 64 | candidate.low;
}

/* The empty assembly hides from the compiler how `at` came about. Otherwise it
 * moves that sum behind the comparison in `earlier`, and so makes a branch of
 * it, mispredicted every other time. */
static inline struct candidate candidate(const calendar_key *heap, size_t at)
{
    calendar_key key = heap[at];
    __asm__("" : "+r"(at));
    return (struct candidate){(uint64_t)(key >> 64), (uint64_t)key, at};
}

/* One comparison and three conditional moves. */
static inline struct candidate earlier(struct candidate a, struct candidate b)
{
    bool take_b = __builtin_expect_with_probability(key_of(b) < key_of(a), 1, 0.5);
    a.time = take_b ? b.time : a.time;
    a.low = take_b ? b.low : a.low;
    a.at = take_b ? b.at : a.at;
    return a;
}

/* Puts `key` where it belongs, starting from an empty root. */
static void sift_down(calendar_key *heap, calendar_key key, size_t size)
{
    size_t at = 0;
    for (size_t child = 1; child < size; child = 4 * at + 1) {
        struct candidate left = earlier(candidate(heap, child), candidate(heap, child + 1));
        struct candidate right = earlier(candidate(heap, child + 2), candidate(heap, child + 3));
        struct candidate first = earlier(left, right);
        if (key < key_of(first)) {
            break;
        }
        heap[at] = key_of(first);
        at = first.at;
    }
    heap[at] = key;
}

static void sift_up(calendar_key *heap, calendar_key key, size_t at)
{
    while (at > 0) {
        size_t parent = (at - 1) / 4;
        if (heap[parent] < key) {
            break;
        }
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = key;
}

/* An array in ascending order is a heap. */
static void turn_into_heap(struct calendar *cal)
{
    for (uint32_t i = 0, k = cal->count - 1; i < k; i++, k--) {
        calendar_key swapped = cal->heap[i];
        cal->heap[i] = cal->heap[k];
        cal->heap[k] = swapped;
    }
    cal->sorted = false;
}

/* Adds at the end, with no hole to fill. */
OUT_OF_LINE static void append(struct calendar *cal, calendar_key key)
{
    if (cal->count == cal->capacity) {
        grow(cal);
    }
    if (cal->sorted) {
        turn_into_heap(cal);
    }
    sift_up(cal->heap, key, cal->count++);
}

static void fill_hole(struct calendar *cal, calendar_key key)
{
    cal->hole = false;
    sift_down(cal->heap, key, ++cal->count);
}

/* Where no push filled the hole, the last element does. */
static void close_hole(struct calendar *cal)
{
    uint32_t last = cal->count--;
    calendar_key key = cal->heap[last];
    cal->heap[last] = NEVER;
    fill_hole(cal, key);
}

/* --- the sorted array: latest first, so that a pop takes the last one --- */

static void sorted_push(struct calendar *cal, calendar_key key)
{
    calendar_key *at = &cal->heap[cal->count++];
    for (; at[-1] < key; at--) {
        *at = at[-1];
    }
    *at = key;
}

/* --- either --- */

void calendar_push(struct calendar *cal, ps_t time, uint32_t id)
{
    calendar_key low = cal->sequence++ << CALENDAR_ID_BITS | id;
    calendar_key key = (calendar_key)time << 64 | low;
    if (cal->sorted && cal->count < SORTED_MAX) {
        sorted_push(cal, key);
    } else if (cal->hole) {
        fill_hole(cal, key);
    } else {
        append(cal, key);
    }
}

OUT_OF_LINE static bool close_and_pop(struct calendar *cal, ps_t *time, uint32_t *id)
{
    close_hole(cal);
    return calendar_pop(cal, time, id);
}

bool calendar_pop(struct calendar *cal, ps_t *time, uint32_t *id)
{
    if (cal->count == 0) {
        return false;
    }
    if (cal->hole) {
        return close_and_pop(cal, time, id);
    }
    calendar_key key = cal->heap[0];
    cal->count--;
    if (cal->sorted) {
        key = cal->heap[cal->count];
    } else {
        cal->hole = cal->count > 0;
        cal->sorted = cal->count == 0;
    }
    *time = (ps_t)(key >> 64);
    *id = (uint32_t)key & CALENDAR_ID_MAX;
    return true;
}

/* What comes next is one of the root's children; a push may yet fill the hole. */
ps_t calendar_next_behind_hole(const struct calendar *cal)
{
    struct candidate left = earlier(candidate(cal->heap, 1), candidate(cal->heap, 2));
    struct candidate right = earlier(candidate(cal->heap, 3), candidate(cal->heap, 4));
    return earlier(left, right).time;
}
