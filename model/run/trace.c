#include "run/trace.h"

#include "core/alloc.h"
#include "core/csv.h"
#include "run/watch.h"

#include <inttypes.h>

struct printed {
    struct trace trace;
    const struct sim *sim;
    FILE *out;
    ps_t from, to;
};

static void print_time(FILE *out, ps_t ps)
{
    fprintf(out, "%" PRIu64 ".%03" PRIu64, ps / PS_PER_NS, ps % PS_PER_NS);
}

/* One line; `start` is when it began. */
static void print_line(const struct printed *printed, const struct actor *actor, ps_t start,
                       const char *event, uint64_t n, ps_t ps)
{
    const struct sim *sim = printed->sim;
    const struct lock *lock = actor->holding;
    FILE *out = printed->out;
    char name[32], leaf[32];
    if (start < printed->from || start >= printed->to) {
        return;
    }
    print_time(out, start);
    fprintf(out, ",%s,", sim_actor_name(sim, actor->id, name, sizeof name));
    csv_put(out, sim->point->timeline->phases[actor->phase]);
    fprintf(out, ",%s,%s,%" PRIu64 ",", site_name[actor->site], event, n);
    print_time(out, ps);
    fputc(',', out);
    if (actor->at > 0 || actor->at_bytes > 0) {
        fprintf(out, "%#" PRIx64, actor->at);
    }
    fprintf(out, ",%s,",
            actor->at_bytes == 0
                ? ""
                : unit_format_whole(actor->at_bytes, UNIT_BYTES, leaf, sizeof leaf));
    fprintf(out, "%s%s\n", lock ? lock->name : "",
            !lock                   ? ""
            : lock->writer == actor ? " for write"
                                    : " for read");
}

static void print_charged(const struct trace *trace, const struct actor *actor, uint32_t kind,
                          uint64_t n)
{
    const struct printed *printed = (const struct printed *)trace;
    print_line(printed, actor, actor->now, event_name[kind], n, n * printed->sim->price[kind]);
}

static void print_passed(const struct trace *trace, const struct actor *actor, uint32_t class,
                         ps_t ps)
{
    if (class >= CLASS_WAIT) {
        print_line((const struct printed *)trace, actor, actor->now - ps, watch_class_name(class),
                   0, ps);
    }
}

void trace_start(struct sim *sim, FILE *out, ps_t from, ps_t to)
{
    struct printed *printed = alloc_zeroed(1, sizeof *printed, "a trace");
    *printed = (struct printed){{print_charged, print_passed}, sim, out, from, to};
    engine_watch(&sim->engine)->trace = &printed->trace;
    fputs("time_ns,actor,phase,site,event,count,ns,ipa,leaf,lock\n", out);
}
