/* One run over time: Chrome trace JSON. */
#include "core/alloc.h"
#include "core/tojson.h"
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

static json_t *event(const char *name, const char *kind, uint32_t pid, uint32_t tid)
{
    json_t *event = json_object();
    tojson_set(event, "name", tojson_text(name));
    tojson_set(event, "ph", tojson_text(kind));
    tojson_set(event, "pid", tojson_whole(pid));
    tojson_set(event, "tid", tojson_whole(tid));
    return event;
}

/* Picoseconds as microseconds with all their digits, which no double has. */
static void put_micros(FILE *out, const char *key, ps_t ps)
{
    fprintf(out, "\"%s\":%" PRIu64 ".%06" PRIu64 ",", key, ps / PS_PER_US, ps % PS_PER_US);
}

/* Each event is a line of its own: its times, where it has any, and then its other
 * members. Takes the event over. */
static void put_event(struct writer *writer, const ps_t *at, const ps_t *lasts, json_t *event)
{
    char *members = tojson_dump(event, JSON_COMPACT);
    fputs(writer->more ? ",\n{" : "\n{", writer->out);
    writer->more = true;
    if (at) {
        put_micros(writer->out, "ts", *at);
    }
    if (lasts) {
        put_micros(writer->out, "dur", *lasts);
    }
    fputs(members + 1, writer->out);
    free(members);
}

/* --- names of tracks --- */

static void put_name(struct writer *writer, const char *what, uint32_t pid, uint32_t tid,
                     const char *key, json_t *value)
{
    json_t *name = event(what, "M", pid, tid), *arguments = json_object();
    tojson_set(arguments, key, value);
    tojson_set(name, "args", arguments);
    put_event(writer, NULL, NULL, name);
}

static void name_track(struct writer *writer, uint32_t pid, uint32_t tid, const char *name)
{
    put_name(writer, "thread_name", pid, tid, "name", tojson_text(name));
    put_name(writer, "thread_sort_index", pid, tid, "sort_index", tojson_whole(tid));
}

static void name_tracks(struct writer *writer)
{
    const struct sim *sim = writer->sim;
    const struct watch *seen = watch_seen(sim);
    char name[64], longer[96];
    for (uint32_t vm = 0; vm < writer->timeline->vm.copies; vm++) {
        snprintf(name, sizeof name, "VM %" PRIu32, vm);
        put_name(writer, "process_name", vm + 1, 0, "name", tojson_text(name));
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
    uint32_t max = span_class(span);
    rest.part[max] = rest.part[CLASS_IDLE] = 0;
    uint32_t next = span_class(&rest);
    if (rest.part[next] == 0) {
        snprintf(buf, size, "%s", watch_class_name(max));
    } else {
        snprintf(buf, size, "%s + %s", watch_class_name(max), watch_class_name(next));
    }
    return buf;
}

/* What a slice that stands for several is made of. */
static json_t *parts_of(const struct span *span)
{
    json_t *parts = json_object();
    for (uint32_t i = 0; i <= CLASS_IDLE; i++) {
        if (span->part[i] > 0) {
            tojson_set(parts, watch_class_name(i), tojson_whole(span->part[i]));
        }
    }
    return parts;
}

static void put_span(struct writer *writer, const struct span *span)
{
    char name[96];
    uint32_t class = span_class(span);
    if (span->part[CLASS_IDLE] == span->ps) {
        return; /* a gap in the track says as much */
    }
    json_t *slice = event(slice_name(span, name, sizeof name), "X", pid_of(writer, span->lane),
                          tid_of(span->lane, false));
    json_t *arguments = json_object();
    tojson_set(slice, "cat",
               tojson_text(span->stands_for > 1 ? "several"
                           : class < CLASS_WAIT ? "busy"
                                                : "wait"));
    tojson_set(arguments, "phase", tojson_text(writer->timeline->phases[span->phase]));
    tojson_set(arguments, "ps", tojson_whole(span->ps));
    for (uint32_t sum = SUM_none + 1; sum < SUMS; sum++) {
        uint64_t n = span->tally[sum - 1];
        if (n > 0) {
            tojson_set(arguments, sum_name[sum], tojson_whole(n));
        }
    }
    if (span->stands_for > 1) {
        tojson_set(arguments, "stands_for", tojson_whole(span->stands_for));
        tojson_set(arguments, "parts_ps", parts_of(span));
    }
    tojson_set(slice, "args", arguments);
    put_event(writer, &span->start, &span->ps, slice);
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
    json_t *slice = event(watch_hold_name(class, name, sizeof name), "X",
                          pid_of(writer, span->lane), tid_of(span->lane, true));
    json_t *arguments = json_object();
    tojson_set(slice, "cat", tojson_text("hold"));
    tojson_set(arguments, "ps", tojson_whole(span->ps));
    if (span->stands_for > 1) {
        tojson_set(arguments, "stands_for", tojson_whole(span->stands_for));
        tojson_set(arguments, "held_ps", tojson_whole(span->ps - span->part[0]));
    }
    tojson_set(slice, "args", arguments);
    put_event(writer, &span->start, &span->ps, slice);
}

static void put_mark(struct writer *writer, const struct span_mark *mark)
{
    char name[64];
    if (mark->what == MARK_REINIT) {
        snprintf(name, sizeof name, "%s %" PRIu64, mark_name[mark->what], mark->n);
    } else {
        snprintf(name, sizeof name, "%s", mark_name[mark->what]);
    }
    json_t *instant = event(name, "i", pid_of(writer, mark->lane), tid_of(mark->lane, false));
    tojson_set(instant, "s", tojson_text("t"));
    put_event(writer, &mark->at, NULL, instant);
}

/* When somebody first did something in each phase; UINT64_MAX: never. */
static ps_t *phase_starts(const struct writer *writer)
{
    const struct spans *did = &watch_seen(writer->sim)->did;
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
            ps_t lasts = end - start[phase];
            put_event(writer, &start[phase], &lasts,
                      event(writer->timeline->phases[phase], "X", 1, TID_PHASES));
            end = start[phase];
        }
    }
    free(start);
    if (writer->sim->reinit_ps != UINT64_MAX) {
        ps_t lasts = sim_window_ps(writer->sim);
        put_event(writer, &writer->sim->reinit_ps, &lasts,
                  event(writer->timeline->window ? "window to the end" : "first re-init to the end",
                        "X", 1, TID_WINDOW));
    }
}

/* --- all of it --- */

static json_t *other_data(const struct setup *setup, const struct sim *sim)
{
    const struct spans *did = &watch_seen(sim)->did;
    json_t *data = json_object();
    tojson_set(data, "workload", tojson_text(workload_name(setup->workload)));
    tojson_set(data, "strategy", tojson_text(setup->strategy->name));
    tojson_set(data, "machine", tojson_text(setup->platform.name));
    tojson_set(data, "kernel", tojson_text(setup->kernel.name));
    tojson_set(data, "fidelity", tojson_text(setup->exact ? "exact" : "fast"));
    tojson_set(data, "put_together_up_to_ps", tojson_whole(did->grain));
    tojson_set(data, "holds_put_together_up_to_ps", tojson_whole(watch_seen(sim)->held.grain));
    tojson_set(data, "marks_left_out", tojson_whole(did->marks_left_out));
    return data;
}

/* The events are printed one by one: there may be millions. */
void tracks_json(FILE *out, const struct setup *setup, const struct sim *sim)
{
    const struct watch *seen = watch_seen(sim);
    struct writer writer = {.out = out, .sim = sim, .timeline = sim->point->timeline};
    fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":", out);
    tojson_print(out, other_data(setup, sim), JSON_COMPACT);
    fputs(",\"traceEvents\":[", out);
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
    fputs("]}\n", out);
}
