#include "core/calendar.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

#define NEVER (~(calendar_key)0)
#define LINE_BYTES 64

/* Children of element i are 4i+1 .. 4i+4. The array starts three keys into a
 * line, so that each such group of four fills one line. */
static calendar_key *heap_base(void *storage)
{
    uintptr_t line = ((uintptr_t)storage + LINE_BYTES - 1) & ~(uintptr_t)(LINE_BYTES - 1);
    return (calendar_key *)line + 3;
}

/* Slots past the last element hold NEVER, so that a group of siblings can
 * always be compared whole. */
static void *heap_storage(uint32_t capacity)
{
    size_t keys = (size_t)capacity + 16;
    void *storage = malloc(keys * sizeof(calendar_key) + LINE_BYTES);
    if (!storage) {
        die("out of memory for %u pending events", capacity);
    }
    memset(storage, 0xff, keys * sizeof(calendar_key) + LINE_BYTES);
    return storage;
}

void calendar_init(struct calendar *cal, uint32_t capacity)
{
    cal->capacity = capacity < 16 ? 16 : capacity;
    cal->storage = heap_storage(cal->capacity);
    cal->heap = heap_base(cal->storage);
    cal->count = 0;
    cal->sequence = 0;
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

static calendar_key smaller(calendar_key a, calendar_key b, uint32_t *index, uint32_t of_b)
{
    bool take_b = b < a;
    *index = take_b ? of_b : *index;
    return take_b ? b : a;
}

/* Puts `key` where it belongs, starting from an empty root. */
static void sift_down(struct calendar *cal, calendar_key key, uint32_t size)
{
    calendar_key *heap = cal->heap;
    uint32_t at = 0;
    for (uint32_t child = 1; child < size; child = 4 * at + 1) {
        uint32_t left = child, right = child + 2;
        calendar_key low = smaller(heap[child], heap[child + 1], &left, child + 1);
        calendar_key high = smaller(heap[child + 2], heap[child + 3], &right, child + 3);
        low = smaller(low, high, &left, right);
        if (key < low) {
            break;
        }
        heap[at] = low;
        at = left;
    }
    heap[at] = key;
}

static void sift_up(struct calendar *cal, calendar_key key, uint32_t at)
{
    calendar_key *heap = cal->heap;
    while (at > 0) {
        uint32_t parent = (at - 1) / 4;
        if (heap[parent] < key) {
            break;
        }
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = key;
}

/* Fills the hole that a pop left with the last element. */
static void close_hole(struct calendar *cal)
{
    cal->hole = false;
    calendar_key last = cal->heap[cal->count];
    cal->heap[cal->count] = NEVER;
    if (cal->count > 0) {
        sift_down(cal, last, cal->count);
    }
}

void calendar_push(struct calendar *cal, ps_t time, uint32_t id)
{
    calendar_key low = cal->sequence++ << CALENDAR_ID_BITS | id;
    calendar_key key = (calendar_key)time << 64 | low;
    if (cal->hole) {
        cal->hole = false;
        cal->count++;
        sift_down(cal, key, cal->count);
        return;
    }
    if (cal->count == cal->capacity) {
        grow(cal);
    }
    sift_up(cal, key, cal->count++);
}

bool calendar_pop(struct calendar *cal, ps_t *time, uint32_t *id)
{
    if (cal->hole) {
        close_hole(cal);
    }
    if (cal->count == 0) {
        return false;
    }
    calendar_key key = cal->heap[0];
    *time = (ps_t)(key >> 64);
    *id = (uint32_t)key & CALENDAR_ID_MAX;
    cal->count--;
    cal->hole = true;
    return true;
}

ps_t calendar_next(struct calendar *cal)
{
    if (cal->hole) {
        close_hole(cal);
    }
    return cal->count == 0 ? UINT64_MAX : (ps_t)(cal->heap[0] >> 64);
}
