#include "machine.h"

#include "cacheops.h"
#include "team.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- how far it is, on a terminal --- */

static struct {
    size_t done, total;
    uint64_t begin_ns;
} progress;

/* Rows differ in what they take: what is left is a guess. */
static void show_progress(void)
{
    if (!isatty(STDERR_FILENO) || progress.total == 0) {
        return;
    }
    double seconds = (double)(now_ns() - progress.begin_ns) * 1e-9;
    if (++progress.done >= progress.total) {
        fputs("\r\033[K", stderr);
    } else {
        fprintf(stderr, "\r\033[K%zu of %zu rows, about %.0f s left", progress.done, progress.total,
                seconds * (double)(progress.total - progress.done) / (double)progress.done);
    }
    fflush(stderr);
}

/* --- rows --- */

void machine_row(FILE *out, const struct row *row, struct samples *samples)
{
    struct summary s = samples_summary(samples);
    fprintf(out, "%s,%s,%zu,%llu,%.6g,%s,%zu,%.6g,%.6g,%.6g\n", row->quantity, row->state,
            row->cores, (unsigned long long)row->bytes, s.mean, row->unit, s.n, s.median, s.p10,
            s.p90);
    fflush(out);
    samples_clear(samples);
    show_progress();
}

char *machine_buffer(uint64_t bytes)
{
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        die(PROBE_FAILED, "no %llu bytes of memory: %s", (unsigned long long)bytes,
            strerror(errno));
    }
    madvise(at, bytes, MADV_HUGEPAGE);
    memset(at, 1, bytes);
    return at;
}

void machine_release(char *buffer, uint64_t bytes)
{
    munmap(buffer, bytes);
}

size_t machine_more(size_t cores, size_t most)
{
    if (cores >= most) {
        return most + 1;
    }
    return 2 * cores < most ? 2 * cores : most;
}

/* A fact that is known, not sampled. */
static void fact(FILE *out, const char *quantity, double value, const char *unit)
{
    struct samples one = {0};
    samples_add(&one, value);
    machine_row(out, &(struct row){quantity, "", unit, 1, 0}, &one);
    samples_free(&one);
}

/* Long enough for the governor to raise the clock before the samples that count. */
static void measure_clock(const struct machine_options *options, FILE *out)
{
    const uint64_t additions = UINT64_C(16) << 20;
    struct samples hz = {0};
    for (int i = 0; i < 8; i++) {
        add_chain(additions);
    }
    for (size_t i = 0; i < options->samples; i++) {
        uint64_t begin = now_ns();
        add_chain(additions);
        samples_add(&hz, (double)additions * 1e9 / (double)(now_ns() - begin));
    }
    machine_row(out, &(struct row){"clock", "", "hz", 1, 0}, &hz);
    samples_free(&hz);
}

void machine_measure(const struct machine_options *options, FILE *out)
{
    fprintf(out, "quantity,state,cores,bytes,value,unit,n,median,p10,p90\n");
    fact(out, "cores", (double)team_cores(), "count");
    fact(out, "line_bytes", (double)line_bytes(), "bytes");
    fact(out, "clock_read", clock_ns(), "ns");
    if (timer_hz()) {
        fact(out, "timer", (double)timer_hz(), "hz");
    }
    progress.total = 1 + memory_rows(options) + flush_rows(options);
    progress.begin_ns = now_ns();
    team_pin(0);
    measure_clock(options, out);
    memory_measure(options, out);
    flush_measure(options, out);
}
