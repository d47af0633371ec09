/*
 * Cost of a line's clean and invalidate by where the line was: nowhere, here and
 * equal to memory, here and changed, in another core's caches and equal or
 * changed there.
 *
 * All samples of a row are taken one after the other: a cache that adapts to its use, as
 * large ones do, is then as it is for this size, and not as other sizes left it.
 *
 * A buffer larger than the caches can't be wholly in them: its rows tell what
 * flushing it costs after so large a read or write, which is what a kernel meets.
 */
#include "cacheops.h"
#include "machine.h"
#include "team.h"

#include <stdlib.h>

enum touch { TOUCH_NONE, TOUCH_READ, TOUCH_WRITE };

struct state {
    const char *name;
    enum touch touch;
    size_t away; /* who touches: 0 the flushing core, 1 the next one */
};

static const struct state states[] = {
    {"absent", TOUCH_NONE, 0},       {"clean", TOUCH_READ, 0},         {"dirty", TOUCH_WRITE, 0},
    {"remote_clean", TOUCH_READ, 1}, {"remote_dirty", TOUCH_WRITE, 1},
};

/* One row while it is measured. */
struct trial {
    const struct flusher *flusher;
    const struct state *state;
    size_t cores, members; /* a member without memory of its own may touch another's */
    uint64_t bytes;
    size_t line;
    char **buffers;
    double clock_ns; /* of reading the clock, which is part of what it tells */
    double *ns; /* per line, of each core */
};

static void touch_lines(const struct trial *trial, char *buffer)
{
    for (uint64_t at = 0; at < trial->bytes; at += trial->line) {
        volatile uint64_t *word = (volatile uint64_t *)(void *)(buffer + at);
        if (trial->state->touch == TOUCH_WRITE) {
            *word = *word + 1;
        } else {
            (void)*word;
        }
    }
}

static void empty(size_t member, void *context)
{
    const struct trial *trial = context;
    if (member < trial->cores) {
        char *buffer = trial->buffers[member];
        trial->flusher->flush(buffer, buffer + trial->bytes, trial->line);
    }
}

/* Member m touches the buffer of the member `away` before it. */
static void prepare(size_t member, void *context)
{
    const struct trial *trial = context;
    size_t whose = (member + trial->members - trial->state->away) % trial->members;
    if (trial->state->touch != TOUCH_NONE && whose < trial->cores) {
        touch_lines(trial, trial->buffers[whose]);
    }
}

static void flush_timed(size_t member, void *context)
{
    struct trial *trial = context;
    if (member >= trial->cores) {
        return;
    }
    char *buffer = trial->buffers[member];
    uint64_t begin = now_ns();
    trial->flusher->flush(buffer, buffer + trial->bytes, trial->line);
    double took = (double)(now_ns() - begin) - trial->clock_ns;
    /* A clock of coarse steps may say that no time went by. */
    trial->ns[member] = (took > 1 ? took : 1) / ((double)trial->bytes / (double)trial->line);
}

/* A sample is the mean over the cores: they wait for the same memory. */
static double sample(struct team *team, struct trial *trial)
{
    team_run(team, empty, trial);
    team_run(team, prepare, trial);
    team_run(team, flush_timed, trial);
    double sum = 0;
    for (size_t i = 0; i < trial->cores; i++) {
        sum += trial->ns[i];
    }
    return sum / (double)trial->cores;
}

static void measure_row(struct team *team, struct trial *trial, size_t count, FILE *out)
{
    struct samples ns = {0};
    /* The first run pays for cold instructions and sleeping threads. */
    (void)sample(team, trial);
    for (size_t i = 0; i < count; i++) {
        samples_add(&ns, sample(team, trial));
    }
    machine_row(
        out,
        &(struct row){trial->flusher->name, trial->state->name, "ns", trial->cores, trial->bytes},
        &ns);
    samples_free(&ns);
}

/* Members of a team of so many cores: one more where the machine has it, for a lone core's remote
 * lines. */
static size_t members_of(size_t cores)
{
    return cores < 2 && team_cores() > 1 ? 2 : cores;
}

/* All states and sizes of one instruction by so many cores. */
static void measure_cores(struct trial *trial, const struct machine_options *options, FILE *out)
{
    trial->members = members_of(trial->cores);
    struct team *team = team_start(trial->members);
    for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
        trial->state = &states[s];
        if (trial->state->away >= trial->members) {
            continue;
        }
        for (size_t i = 0; i < options->sizes; i++) {
            trial->bytes = options->bytes[i];
            /* What is over fast is sampled more often: it varies more. */
            size_t count = options->samples * (trial->bytes <= UINT64_C(1) << 20 ? 8 : 1);
            measure_row(team, trial, count, out);
        }
    }
    team_stop(team);
}

size_t flush_rows(const struct machine_options *options)
{
    size_t rows = 0;
    for (const struct flusher *flusher = flushers; flusher->name; flusher++) {
        for (size_t cores = 1; flusher->usable() && cores <= options->cores;
             cores = machine_more(cores, options->cores)) {
            for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
                rows += states[s].away < members_of(cores) ? options->sizes : 0;
            }
        }
    }
    return rows;
}

static uint64_t largest(const struct machine_options *options)
{
    uint64_t most = 0;
    for (size_t i = 0; i < options->sizes; i++) {
        most = options->bytes[i] > most ? options->bytes[i] : most;
    }
    return most;
}

void flush_measure(const struct machine_options *options, FILE *out)
{
    uint64_t room = largest(options);
    struct trial trial = {.line = line_bytes(), .clock_ns = clock_ns()};
    trial.buffers = must_alloc(options->cores * sizeof *trial.buffers);
    trial.ns = must_alloc(options->cores * sizeof *trial.ns);
    for (size_t i = 0; i < options->cores; i++) {
        trial.buffers[i] = machine_buffer(room);
    }
    for (const struct flusher *flusher = flushers; flusher->name; flusher++) {
        trial.flusher = flusher;
        for (size_t cores = 1; flusher->usable() && cores <= options->cores;
             cores = machine_more(cores, options->cores)) {
            trial.cores = cores;
            measure_cores(&trial, options, out);
        }
    }
    for (size_t i = 0; i < options->cores; i++) {
        machine_release(trial.buffers[i], room);
    }
    free(trial.buffers);
    free(trial.ns);
}
