#include "guest/generate/generate_plan.h"

#include "core/alloc.h"
#include "core/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what the second boot touches --- */

uint64_t plan_draw(struct plan *plan)
{
    return rng_mix64(rng_mix64(plan->values->seed) + plan->drawn++);
}

/* Which of `count` steps of a share this one is: share * count of them say yes,
 * evenly spread. */
static bool falls_on(double share, uint64_t step, double phase)
{
    return floor(share * (double)(step + 1) + phase) > floor(share * (double)step + phase);
}

/* Pieces i of n, as near to an even spread as whole units allow: behind the
 * piece before, and with room for those that follow. */
static void place_pieces(struct plan *plan, uint64_t units, uint64_t all_units)
{
    const struct workload_values *values = plan->values;
    uint64_t done = 0, end = 0, unit = plan->unit_bytes;
    for (uint64_t i = 0; i < plan->count; i++) {
        uint64_t until = (uint64_t)((__uint128_t)units * (i + 1) / plan->count);
        uint64_t start = (uint64_t)((__uint128_t)all_units * i / plan->count);
        uint64_t latest = all_units - (units - done);
        start = start < end ? end : start;
        start = start > latest ? latest : start;
        plan->pieces[i] = (struct piece){.ipa = values->ram_ipa + start * unit,
                                         .bytes = (until - done) * unit,
                                         .write = falls_on(values->write_share, i, 0)};
        end = start + until - done;
        done = until;
    }
}

/* What is executed lies in a few places, evenly among the pieces. */
static void place_code(struct plan *plan)
{
    const struct workload_values *values = plan->values;
    uint64_t places = values->execute_places < plan->count ? values->execute_places : plan->count;
    for (uint64_t i = 0; i < places; i++) {
        struct piece *piece = &plan->pieces[plan->count * i / places];
        uint64_t bytes = values->execute / places;
        bytes -= bytes % WORKLOAD_PAGE;
        piece->execute_bytes = bytes < piece->bytes ? bytes : piece->bytes;
    }
}

static void make_pieces(struct plan *plan)
{
    const struct workload_values *values = plan->values;
    double touched = values->touched * (double)values->footprint;
    uint64_t unit = touched >= (double)PLAN_UNIT_BYTES ? PLAN_UNIT_BYTES : WORKLOAD_PAGE;
    plan->unit_bytes = unit;
    uint64_t all_units = values->footprint / unit;
    uint64_t units = (uint64_t)llround(touched / (double)unit);
    units = units < all_units ? units : all_units;
    /* Less than one unit is one piece: spread out, it would be more leaves than a
     * larger share is. */
    uint64_t max = unit == WORKLOAD_PAGE && units > 0 ? 1 : units;
    plan->count = max < values->extents ? max : values->extents;
    /* One may be cut in two. */
    plan->pieces = alloc_checked(calloc(plan->count + 1, sizeof *plan->pieces), "a workload");
    place_pieces(plan, units, all_units);
    place_code(plan);
}

/* --- in which order --- */

/* A recorded direct boot (n1-q-256m-c1-4k-f128): its pages by address in 64
 * equal parts, and when the median page of each was first touched, in 256ths. */
static const uint8_t recorded_order[64] = {
    79,  82,  86,  88,  92,  96,  100, 104, 108, 111, 115, 119, 123, 127, 3,   9,
    132, 142, 229, 239, 250, 231, 249, 66,  18,  5,   15,  20,  29,  38,  25,  32,
    41,  181, 130, 134, 139, 161, 164, 169, 174, 194, 202, 221, 228, 242, 207, 208,
    212, 216, 219, 187, 193, 47,  175, 153, 156, 56,  59,  63,  147, 72,  187, 53};

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b > 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A stride that visits all, about 0.38 of the way round each time. */
static uint64_t stride_of(uint64_t count)
{
    uint64_t stride = count * 382 / 1000 + 1;
    while (common_divisor(stride, count) != 1) {
        stride++;
    }
    return stride;
}

static int by_key(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->ipa < b->ipa ? -1 : a->ipa > b->ipa;
}

static void order_pieces(struct plan *plan)
{
    uint64_t stride = plan->count > 0 ? stride_of(plan->count) : 1;
    for (uint64_t i = 0; i < plan->count; i++) {
        uint64_t *key = &plan->pieces[i].key;
        switch ((enum boot_order)plan->values->order) {
        case ORDER_SEQUENTIAL:
            *key = i;
            break;
        case ORDER_STRIDED:
            plan->pieces[i * stride % plan->count].key = i;
            break;
        case ORDER_RANDOM:
        case ORDER_ZIPF:
            *key = plan_draw(plan);
            break;
        case ORDER_RECORDED:
            *key = recorded_order[i * 64 / plan->count];
            break;
        }
    }
    qsort(plan->pieces, plan->count, sizeof *plan->pieces, by_key);
}

/* Cuts a piece in two; what of it is executed is so with the first part. */
static void cut_piece(struct plan *plan, uint64_t index, uint64_t bytes)
{
    struct piece *first = &plan->pieces[index], *rest = first + 1;
    memmove(rest, first, (plan->count - index) * sizeof *first);
    plan->count++;
    first->bytes = bytes;
    first->execute_bytes = first->execute_bytes < bytes ? first->execute_bytes : bytes;
    *rest = (struct piece){
        .ipa = first->ipa + bytes, .bytes = rest->bytes - bytes, .write = first->write};
}

/* The first vCPU touches so much of it, in whole units, before it brings others up. */
static void divide(struct plan *plan)
{
    const struct workload_values *values = plan->values;
    uint64_t unit = plan->unit_bytes, left = UINT64_MAX;
    if (values->vcpus > 1) {
        left = (values->secondaries_after + unit - 1) / unit * unit;
    }
    for (plan->alone = 0; plan->alone < plan->count && left > 0; plan->alone++) {
        if (plan->pieces[plan->alone].bytes > left) {
            cut_piece(plan, plan->alone, left);
        }
        left -= plan->pieces[plan->alone].bytes;
    }
}

void plan_make(struct plan *plan)
{
    make_pieces(plan);
    order_pieces(plan);
    divide(plan);
}

void plan_free(struct plan *plan)
{
    free(plan->pieces);
}
