/*
 * Memory latency, by chasing pointers through a random cycle of lines, and
 * bandwidth, by reading and writing more than caches hold.
 */
#include "cacheops.h"
#include "machine.h"
#include "team.h"

#include <stdlib.h>

static const uint64_t chase_bytes[] = {
    UINT64_C(16) << 10, UINT64_C(256) << 10, UINT64_C(4) << 20,
    UINT64_C(32) << 20, UINT64_C(256) << 20,
};

enum { STREAM_MIB = 64, CHASE_STEPS = 1 << 19 };

/* xorshift64*: the order only has to be one that no prefetcher guesses. */
static uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * UINT64_C(0x2545f4914f6cdd1d)) % limit;
}

static void **line_at(char *buffer, uint64_t index, size_t line)
{
    return (void **)(void *)(buffer + index * line);
}

/* Sattolo's shuffle: one cycle through all lines. */
static void link_cycle(char *buffer, uint64_t lines, size_t line)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    for (uint64_t i = 0; i < lines; i++) {
        *line_at(buffer, i, line) = line_at(buffer, i, line);
    }
    for (uint64_t i = lines - 1; i > 0; i--) {
        void **a = line_at(buffer, i, line);
        void **b = line_at(buffer, random_below(&state, i), line);
        void *kept = *a;
        *a = *b;
        *b = kept;
    }
}

static double chase(void **from)
{
    void **at = from;
    uint64_t begin = now_ns();
    for (int i = 0; i < CHASE_STEPS; i++) {
        at = *(void *volatile *)at;
    }
    uint64_t took = now_ns() - begin;
    __asm__ volatile("" ::"r"(at));
    return (double)took / CHASE_STEPS;
}

static void measure_latency(const struct machine_options *options, FILE *out)
{
    size_t line = line_bytes();
    struct samples ns = {0};
    for (size_t s = 0; s < sizeof chase_bytes / sizeof *chase_bytes; s++) {
        uint64_t bytes = chase_bytes[s];
        char *buffer = machine_buffer(bytes);
        link_cycle(buffer, bytes / line, line);
        (void)chase(line_at(buffer, 0, line));
        for (size_t i = 0; i < options->samples; i++) {
            samples_add(&ns, chase(line_at(buffer, 0, line)));
        }
        machine_row(out, &(struct row){"mem_latency", "chase", "ns", 1, bytes}, &ns);
        machine_release(buffer, bytes);
    }
    samples_free(&ns);
}

struct stream {
    char **buffers;
    uint64_t bytes;
    bool write;
    uint64_t *sums; /* so that no read can be left out */
};

/* Four sums, so that the additions don't wait for each other. */
static uint64_t read_all(const char *buffer, uint64_t bytes)
{
    const uint64_t *words = (const uint64_t *)(const void *)buffer;
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t c = 0;
    uint64_t d = 0;
    for (uint64_t i = 0; i + 4 <= bytes / sizeof *words; i += 4) {
        a += words[i];
        b += words[i + 1];
        c += words[i + 2];
        d += words[i + 3];
    }
    return a + b + c + d;
}

static void write_all(char *buffer, uint64_t bytes)
{
    volatile uint64_t *words = (volatile uint64_t *)(void *)buffer;
    for (uint64_t i = 0; i < bytes / sizeof *words; i++) {
        words[i] = i;
    }
}

static void stream_step(size_t member, void *context)
{
    struct stream *stream = context;
    if (stream->write) {
        write_all(stream->buffers[member], stream->bytes);
    } else {
        stream->sums[member] += read_all(stream->buffers[member], stream->bytes);
    }
}

static void measure_stream(struct stream *stream, size_t cores,
                           const struct machine_options *options, FILE *out)
{
    struct team *team = team_start(cores);
    struct samples rate = {0};
    for (int write = 0; write < 2; write++) {
        stream->write = write;
        team_run(team, stream_step, stream);
        for (size_t i = 0; i < options->samples; i++) {
            uint64_t begin = now_ns();
            team_run(team, stream_step, stream);
            double ns = (double)(now_ns() - begin);
            samples_add(&rate, (double)stream->bytes * (double)cores / ns);
        }
        const char *state = write ? "write" : "read";
        machine_row(out,
                    &(struct row){"mem_bandwidth", state, "bytes_per_ns", cores, stream->bytes},
                    &rate);
    }
    samples_free(&rate);
    team_stop(team);
}

static void measure_bandwidth(const struct machine_options *options, FILE *out)
{
    struct stream stream = {.bytes = (uint64_t)STREAM_MIB << 20};
    stream.buffers = must_alloc(options->cores * sizeof *stream.buffers);
    stream.sums = must_alloc(options->cores * sizeof *stream.sums);
    for (size_t i = 0; i < options->cores; i++) {
        stream.buffers[i] = machine_buffer(stream.bytes);
    }
    for (size_t cores = 1; cores <= options->cores; cores = machine_more(cores, options->cores)) {
        measure_stream(&stream, cores, options, out);
    }
    for (size_t i = 0; i < options->cores; i++) {
        machine_release(stream.buffers[i], stream.bytes);
    }
    free(stream.buffers);
    free(stream.sums);
}

size_t memory_rows(const struct machine_options *options)
{
    size_t rows = sizeof chase_bytes / sizeof *chase_bytes;
    for (size_t cores = 1; cores <= options->cores; cores = machine_more(cores, options->cores)) {
        rows += 2; /* read and write */
    }
    return rows;
}

void memory_measure(const struct machine_options *options, FILE *out)
{
    measure_latency(options, out);
    measure_bandwidth(options, out);
}
