/* One run over time: Chrome trace JSON. */
#include "core/alloc.h"
#include "report/json.h"
#include "report/timeline/tracks.h"

#include <inttypes.h>
#include <stdlib.h>

/* Tracks of one process: its phases and the window first, then two for each
 * actor, what it does and what it holds. */
enum { TID_PHASES = 1, TID_WINDOW = 2, TID_ACTORS = 10 };

struct writer {
    FILE *out;
    const struct sim *sim;
    const struct timeline *timeline;
    bool more; /* there is an event already */
};

static uint32_t pid_of(const struct writer *writer, uint32_t actor)
{
    return sim_actor_vm(writer->sim, actor) + 1;
}

static uint32_t tid_of(uint32_t actor, bool holds)
{
    return TID_ACTORS + 2 * actor + holds;
}

/* Each event is a line of its own. */
static struct json begin_event(struct writer *writer)
{
    if (writer->more) {
        fputs(",", writer->out);
    }
    writer->more = true;
    struct json json = {.out = writer->out, .one_line = true};
    json_open(&json, NULL, '{');
    return json;
}

static void put_place(struct json *json, const char *kind, uint32_t pid, uint32_t tid)
{
    json_text(json, "ph", kind);
    json_whole(json, "pid", pid);
    json_whole(json, "tid", tid);
}

/* --- names of tracks --- */

static void put_name(struct writer *writer, const char *what, uint32_t pid, uint32_t tid,
                     const char *name)
{
    struct json json = begin_event(writer);
    json_text(&json, "name", what);
    put_place(&json, "M", pid, tid);
    json_open(&json, "args", '{');
    json_text(&json, "name", name);
    json_close(&json, '}');
    json_close(&json, '}');
}

static void put_order(struct writer *writer, uint32_t pid, uint32_t tid)
{
    struct json json = begin_event(writer);
    json_text(&json, "name", "thread_sort_index");
    put_place(&json, "M", pid, tid);
    json_open(&json, "args", '{');
    json_whole(&json, "sort_index", tid);
    json_close(&json, '}');
    json_close(&json, '}');
}

static void name_track(struct writer *writer, uint32_t pid, uint32_t tid, const char *name)
{
    put_name(writer, "thread_name", pid, tid, name);
    put_order(writer, pid, tid);
}

static void name_tracks(struct writer *writer)
{
    const struct sim *sim = writer->sim;
    const struct watch *seen = sim_seen(sim);
    char name[64], longer[96];
    for (uint32_t vm = 0; vm < writer->timeline->vm.copies; vm++) {
        snprintf(name, sizeof name, "VM %" PRIu32, vm);
        put_name(writer, "process_name", vm + 1, 0, name);
    }
    name_track(writer, 1, TID_PHASES, "phases");
    name_track(writer, 1, TID_WINDOW, "window that counts");
    for (uint32_t i = 0; i < sim->engine.actor_count; i++) {
        sim_actor_name(sim, i, name, sizeof name);
        name_track(writer, pid_of(writer, i), tid_of(i, false), name);
        if (seen->held.lanes[i].now > 0) {
            snprintf(longer, sizeof longer, "%s holds", name);
            name_track(writer, pid_of(writer, i), tid_of(i, true), longer);
        }
    }
}

/* --- slices --- */

/* Its class, or the two of which it has most. */
static const char *slice_name(const struct span *span, char *buf, size_t size)
{
    struct span rest = *span;
    uint32_t most = span_class(span);
    rest.part[most] = rest.part[CLASS_IDLE] = 0;
    uint32_t next = span_class(&rest);
    if (rest.part[next] == 0) {
        snprintf(buf, size, "%s", class_name(most));
    } else {
        snprintf(buf, size, "%s + %s", class_name(most), class_name(next));
    }
    return buf;
}

static struct json begin_slice(struct writer *writer, const char *name, uint32_t pid, uint32_t tid,
                               ps_t start, ps_t ps)
{
    struct json json = begin_event(writer);
    json_text(&json, "name", name);
    put_place(&json, "X", pid, tid);
    json_millionths(&json, "ts", start);
    json_millionths(&json, "dur", ps);
    return json;
}

static void end_slice(struct json *json)
{
    json_close(json, '}');
    json_close(json, '}');
}

/* What a slice that stands for several is made of. */
static void put_parts(struct json *json, const struct span *span)
{
    json_whole(json, "stands_for", span->stands_for);
    json_open(json, "parts_ps", '{');
    for (uint32_t i = 0; i <= CLASS_IDLE; i++) {
        if (span->part[i] > 0) {
            json_whole(json, class_name(i), span->part[i]);
        }
    }
    json_close(json, '}');
}

static void put_span(struct writer *writer, const struct span *span)
{
    char name[96];
    uint32_t class = span_class(span);
    if (span->part[CLASS_IDLE] == span->ps) {
        return; /* a gap in the track says as much */
    }
    struct json json =
        begin_slice(writer, slice_name(span, name, sizeof name), pid_of(writer, span->lane),
                    tid_of(span->lane, false), span->start, span->ps);
    json_text(&json, "cat",
              span->stands_for > 1 ? "several"
              : class < CLASS_WAIT ? "busy"
                                   : "wait");
    json_open(&json, "args", '{');
    json_text(&json, "phase", writer->timeline->phases[span->phase]);
    json_whole(&json, "ps", span->ps);
    for (uint32_t i = 0; i < TALLIES; i++) {
        if (span->tally[i] > 0) {
            json_whole(&json, tally_name[i], span->tally[i]);
        }
    }
    if (span->stands_for > 1) {
        put_parts(&json, span);
    }
    end_slice(&json);
}

static void put_hold(struct writer *writer, const struct span *span)
{
    char name[64];
    struct span held = *span;
    held.part[0] = 0;
    uint32_t class = span_class(&held);
    if (span->part[0] == span->ps) {
        return;
    }
    struct json json =
        begin_slice(writer, hold_name(class, name, sizeof name), pid_of(writer, span->lane),
                    tid_of(span->lane, true), span->start, span->ps);
    json_text(&json, "cat", "hold");
    json_open(&json, "args", '{');
    json_whole(&json, "ps", span->ps);
    if (span->stands_for > 1) {
        json_whole(&json, "stands_for", span->stands_for);
        json_whole(&json, "held_ps", span->ps - span->part[0]);
    }
    end_slice(&json);
}

static void put_mark(struct writer *writer, const struct span_mark *mark)
{
    char name[64];
    if (mark->what == MARK_REINIT) {
        snprintf(name, sizeof name, "%s %" PRIu64, mark_name[mark->what], mark->n);
    } else {
        snprintf(name, sizeof name, "%s", mark_name[mark->what]);
    }
    struct json json = begin_event(writer);
    json_text(&json, "name", name);
    put_place(&json, "i", pid_of(writer, mark->lane), tid_of(mark->lane, false));
    json_millionths(&json, "ts", mark->at);
    json_text(&json, "s", "t");
    json_close(&json, '}');
}

/* When somebody first did something in each phase; UINT64_MAX: never. */
static ps_t *phase_starts(const struct writer *writer)
{
    const struct spans *did = &sim_seen(writer->sim)->did;
    uint32_t count = writer->timeline->phase_count;
    ps_t *start = alloc_raw(count, sizeof *start, "the timeline");
    for (uint32_t i = 0; i < count; i++) {
        start[i] = UINT64_MAX;
    }
    for (size_t i = 0; i < did->count; i++) {
        const struct span *span = &did->span[i];
        if (span->part[CLASS_IDLE] < span->ps && span->start < start[span->phase]) {
            start[span->phase] = span->start;
        }
    }
    return start;
}

/* A phase lasts to where the next one begins. */
static void put_phases(struct writer *writer)
{
    ps_t end = writer->sim->end_ps;
    ps_t *start = phase_starts(writer);
    for (uint32_t phase = writer->timeline->phase_count; phase-- > 0;) {
        if (start[phase] < end) {
            struct json json = begin_slice(writer, writer->timeline->phases[phase], 1, TID_PHASES,
                                           start[phase], end - start[phase]);
            json_close(&json, '}');
            end = start[phase];
        }
    }
    free(start);
    if (writer->sim->reinit_ps != UINT64_MAX) {
        struct json json = begin_slice(writer, "first re-init to the end", 1, TID_WINDOW,
                                       writer->sim->reinit_ps, sim_window_ps(writer->sim));
        json_close(&json, '}');
    }
}

/* --- all of it --- */

static void put_heading(struct json *json, const struct setup *setup, const struct sim *sim)
{
    const struct spans *did = &sim_seen(sim)->did;
    json_text(json, "displayTimeUnit", "ns");
    json_open(json, "otherData", '{');
    json_text(json, "workload", workload_name(setup->workload));
    json_text(json, "strategy", setup->strategy->name);
    json_text(json, "machine", setup->platform.name);
    json_text(json, "kernel", setup->kernel.name);
    json_text(json, "fidelity", setup->exact ? "exact" : "fast");
    json_whole(json, "put_together_up_to_ps", did->grain);
    json_whole(json, "holds_put_together_up_to_ps", sim_seen(sim)->held.grain);
    json_whole(json, "marks_left_out", did->marks_left_out);
    json_close(json, '}');
}

void tracks_json(FILE *out, const struct setup *setup, const struct sim *sim)
{
    const struct watch *seen = sim_seen(sim);
    struct json json = {.out = out, .one_line = true};
    struct writer writer = {.out = out, .sim = sim, .timeline = sim->point->timeline};
    json_open(&json, NULL, '{');
    put_heading(&json, setup, sim);
    json_open(&json, "traceEvents", '[');
    fputc('\n', out);
    name_tracks(&writer);
    put_phases(&writer);
    for (size_t i = 0; i < seen->did.count; i++) {
        put_span(&writer, &seen->did.span[i]);
    }
    for (size_t i = 0; i < seen->held.count; i++) {
        put_hold(&writer, &seen->held.span[i]);
    }
    for (size_t i = 0; i < seen->did.mark_count; i++) {
        put_mark(&writer, &seen->did.marks[i]);
    }
    json_close(&json, ']');
    json_close(&json, '}');
}
