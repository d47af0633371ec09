/*
 * parts - small parts of the program alone.
 *
 *   parts intervals|host|caches|numbers|logs|quantiles TIMES
 *
 * intervals: a map of ranges in many places, looked up, changed, looked up; host: what the host
 * backs memory with, touched and dropped; caches: two sockets' caches, fast and exact; numbers:
 * read and spelled; logs: logarithms, exponentials, sums; quantiles: histograms. The check value is
 * made of what comes out.
 */
#include "bench.h"

#include <string.h>

#include "core/histogram.h"
#include "core/interval_map.h"
#include "core/portable_math.h"
#include "core/rng.h"
#include "core/units.h"
#include "machine/sockets.h"
#include "vm/host.h"

/* Vcpus that each go through a place of their own, piece by piece. */
static uint64_t intervals(uint64_t times)
{
    static struct interval_map map;
    struct pool pool;
    uint64_t sum = 0;
    interval_map_pool_init(&pool, 4096);
    for (uint64_t k = 0; k < times; k++) {
        interval_map_init(&map, &pool);
        for (uint64_t i = 0; i < 512; i++) {
            uint64_t at = (rng_mix64(i) % 4096) * 8 * MIB;
            interval_map_set(&map, at, at + 4 * KIB * (1 + i % 7), 1 + i % 5);
        }
        for (uint64_t i = 0; i < 4096; i++) {
            uint64_t end, place = (rng_mix64(i % 16) % 4096) * 8 * MIB + i / 16 * 4 * KIB;
            sum += interval_map_value(&map, place, &end) + end;
            interval_map_set(&map, place, place + 4 * KIB, 6 + i % 16);
        }
        interval_map_set(&map, 0, TIB, 0);
    }
    pool_free(&pool);
    return sum;
}

static uint64_t host(uint64_t times)
{
    static struct host mapped;
    struct pool pool;
    uint64_t sum = 0;
    interval_map_pool_init(&pool, 4096);
    for (uint64_t k = 0; k < times; k++) {
        host_init(&mapped, &pool, HUGE_ZERO_SPLITS);
        for (uint64_t i = 0; i < 64; i++) {
            struct host_area area = {.start = i * GIB,
                                     .end = i * GIB + 64 * MIB,
                                     .backing = i % 2 ? BACKING_THP : BACKING_4K,
                                     .page_bytes = 4 * KIB,
                                     .block_bytes = 2 * MIB};
            for (uint64_t n = 0; n < 32; n++) {
                uint64_t at = area.start + (rng_mix64(n) % 64) * MIB;
                struct host_access access = host_touch(&mapped, &area, at, at + MIB, n % 4 != 0);
                sum += access.end + access.fresh_bytes;
            }
            host_drop(&mapped, &area, area.start + 16 * MIB, area.end);
        }
        interval_map_set(&mapped.state, 0, TIB, 0);
    }
    pool_free(&pool);
    return sum;
}

static uint64_t caches(uint64_t times)
{
    uint64_t sum = 0;
    for (uint64_t k = 0; k < 2 * times; k++) {
        struct cache *cache[2];
        static struct sockets sockets;
        struct pool pool;
        bool exact = k % 2;
        interval_map_pool_init(&pool, 4096);
        for (size_t i = 0; i < 2; i++) {
            cache[i] = cache_new(exact, 2 * MIB, 16, 64, 512);
        }
        sockets_init(&sockets, 2, cache, &pool);
        for (uint32_t i = 0; i < (exact ? 128 : 1024); i++) {
            uint64_t first = rng_mix64(i) % 1024 * CACHE_PAGE_BYTES;
            struct socket_range range = {first, first + (1 + i % 16) * CACHE_PAGE_BYTES};
            struct line_counts found = {0};
            switch (i % 4) {
            case 0:
                sum += sockets_touch(&sockets, i / 4 % 2, range, 64, i % 8 == 0).misses;
                break;
            case 1:
                sum += sockets_touch(&sockets, i / 4 % 2, range, 16, false).misses;
                break;
            case 2:
                sum += sockets_clean_then_access(&sockets, i / 4 % 2, range, 32, true, &found).hits;
                break;
            default:
                found = sockets_flush(&sockets, range);
            }
            sum += found.dirty;
        }
        for (size_t i = 0; i < 2; i++) {
            cache_free(cache[i]);
        }
        pool_free(&pool);
    }
    return sum;
}

static uint64_t numbers(uint64_t times)
{
    static const enum unit units[] = {UNIT_NONE,  UNIT_BYTES, UNIT_ADDRESS, UNIT_NS,
                                      UNIT_RATIO, UNIT_GBPS,  UNIT_GHZ,     UNIT_INSNS};
    uint64_t sum = 0;
    for (uint64_t i = 0; i < times; i++) {
        char text[40];
        double back;
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            enum unit unit = units[u];
            double value = (double)(rng_mix64(i) >> (i * 7 % 60));
            bool whole = unit == UNIT_BYTES || unit == UNIT_ADDRESS || unit == UNIT_INSNS || i % 2;
            unit_format(whole ? value : value / 4096, unit, text, sizeof text);
            sum += unit_parse(text, unit, &back) ? strlen(text) : 0;
        }
        sum += strlen(unit_format_real((double)(i % 64) / 3, text, sizeof text));
        sum += strlen(unit_format_ps(rng_mix64(i) >> (i % 60), text, sizeof text));
        sum += strlen(unit_format_bytes(rng_mix64(i) >> (i % 60), text, sizeof text));
    }
    return sum;
}

static uint64_t logs(uint64_t times)
{
    static double value[64];
    double sum = 0;
    for (uint64_t i = 0; i < times; i++) {
        double x = 1e-3 + (double)(rng_mix64(i) >> 40) / 1e3;
        value[i % 64] = portable_log(x) + portable_exp(x / 100) + portable_pow(x, 0.3);
        sum += i % 64 == 63 ? portable_sum(value, 64) : 0;
    }
    return (uint64_t)sum;
}

static uint64_t quantiles(uint64_t times)
{
    static struct histogram histogram;
    uint64_t sum = 0;
    histogram_init(&histogram);
    for (uint64_t i = 0; i < times; i++) {
        for (uint64_t n = 0; n < 256; n++) {
            histogram_add(&histogram, rng_mix64(n + i) >> (n % 3 ? 40 : 52), 1 + n % 3);
        }
        sum += histogram_quantile(&histogram, 0.5) + histogram_quantile(&histogram, 0.99);
        histogram_clear(&histogram);
    }
    histogram_free(&histogram);
    return sum;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint64_t (*run)(uint64_t times);
    } parts[] = {{"intervals", intervals}, {"host", host}, {"caches", caches},
                 {"numbers", numbers},     {"logs", logs}, {"quantiles", quantiles}};
    for (size_t i = 0; argc == 3 && i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(argv[1], parts[i].name) == 0) {
            uint64_t times = bench_number(argv[2]), started = bench_clock_ns();
            bench_report(started, parts[i].run(times));
            return 0;
        }
    }
    error_fatal("usage: parts intervals|host|caches|numbers|logs|quantiles TIMES");
}
