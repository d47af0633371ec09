/* One run over time: the table of boxes that the picture is drawn from. */
#include "core/alloc.h"
#include "report/timeline/tracks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 440 /* of the picture: two points each */
#define LANES_SHOWN 12
#define KEYS_ACROSS 3
#define CLASSES (CLASS_IDLE + 1)
#define LEVELS 40.0 /* heights are rounded to this part of a lane */
#define LANE_HEIGHT 0.84

struct drawing {
    const struct setup *setup;
    const struct sim *sim;
    ps_t start, end; /* the window */
    double (*cells)[COLUMNS][CLASSES]; /* [lanes], ps */
    ps_t (*totals)[CLASSES]; /* [lanes], within the window */
    uint32_t shown[LANES_SHOWN]; /* actors, top down */
    uint32_t shown_count;
    const char *unit;
    double unit_ps;
};

/* --- time into columns --- */

/* Spreads a span evenly over the columns that it covers. */
static void spread(struct drawing *drawing, const struct span *span)
{
    ps_t from = u64_max(span->start, drawing->start),
         to = u64_min(span->start + span->ps, drawing->end);
    double width = (double)(drawing->end - drawing->start) / COLUMNS;
    if (from >= to) {
        return;
    }
    double low = (double)(from - drawing->start), high = (double)(to - drawing->start);
    uint32_t first = (uint32_t)(low / width), last = (uint32_t)(high / width);
    for (uint32_t span_class = 0; span_class < CLASSES; span_class++) {
        double share = (double)span->part[span_class] / (double)span->ps;
        drawing->totals[span->lane][span_class] += (ps_t)(share * (high - low) + 0.5);
        for (uint32_t i = first; i <= last && i < COLUMNS && share > 0; i++) {
            double left = low > i * width ? low : i * width;
            double right = high < (i + 1) * width ? high : (i + 1) * width;
            drawing->cells[span->lane][i][span_class] += right > left ? share * (right - left) : 0;
        }
    }
}

static ps_t active(const struct drawing *drawing, uint32_t actor)
{
    ps_t sum = 0;
    for (uint32_t span_class = 0; span_class < CLASS_IDLE; span_class++) {
        sum += drawing->totals[actor][span_class];
    }
    return sum;
}

/* The VMM and the vCPU that boots are shown before the others of a VM. */
#define LEADERS 2

/* Whether one actor's lane comes before another's where not all are shown: by
 * VM, in each the leaders first, and then who has most to do. */
static bool before(const struct drawing *drawing, uint32_t a, uint32_t b)
{
    const struct sim *sim = drawing->sim;
    uint32_t vm_a = sim_actor_vm(sim, a), vm_b = sim_actor_vm(sim, b);
    uint32_t scripts = sim->point->timeline->script_count;
    bool first_a = a < vm_a * scripts + LEADERS, first_b = b < vm_b * scripts + LEADERS;
    ps_t does_a = active(drawing, a), does_b = active(drawing, b);
    if (vm_a != vm_b) {
        return vm_a < vm_b;
    }
    if (first_a != first_b) {
        return first_a;
    }
    return does_a != does_b ? does_a > does_b : a < b;
}

/* All in their order where there is room. */
static void choose_lanes(struct drawing *drawing)
{
    uint32_t actors = drawing->sim->engine.actor_count;
    for (uint32_t i = 0; i < actors; i++) {
        uint32_t ahead = 0;
        for (uint32_t k = 0; k < actors; k++) {
            ahead += k != i && before(drawing, k, i);
        }
        if (ahead < LANES_SHOWN) {
            drawing->shown[drawing->shown_count++] = i;
        }
    }
}

static void choose_unit(struct drawing *drawing)
{
    ps_t window = drawing->end - drawing->start;
    bool seconds = window >= 2000 * PS_PER_MS, millis = window >= 2 * PS_PER_MS;
    drawing->unit = seconds ? "s" : millis ? "ms" : "µs";
    drawing->unit_ps = (double)(seconds ? 1000 * PS_PER_MS : millis ? PS_PER_MS : PS_PER_US);
}

/* --- rows --- */

/* gnuplot ends a field at a comma, quoted or not. */
static void put_plain(FILE *out, const char *text)
{
    for (; *text; text++) {
        bool breaks = *text == ',' || *text == '"' || (unsigned char)*text < ' ';
        fputc(breaks ? ';' : *text, out);
    }
}

static void put_row(FILE *out, const char *kind, const double box[4], uint32_t span_class,
                    const char *text)
{
    fprintf(out, "%s,%.6g,%.6g,%.6g,%.6g,%" PRIu32 ",", kind, box[0], box[1], box[2], box[3],
            span_class);
    put_plain(out, text);
    fputc('\n', out);
}

static void put_text(FILE *out, const char *kind, double x, double y, uint32_t span_class,
                     const char *text)
{
    put_row(out, kind, (const double[]){x, x, y, y}, span_class, text);
}

struct stack {
    double low[CLASSES], high[CLASSES];
};

/* The shares of a column, one on the other. */
static struct stack stack_of(const struct drawing *drawing, uint32_t actor, uint32_t column)
{
    struct stack stack = {{0}, {0}};
    double width = (double)(drawing->end - drawing->start) / COLUMNS, sum = 0;
    for (uint32_t span_class = 0; span_class < CLASSES; span_class++) {
        stack.low[span_class] = (double)(uint32_t)(sum * LEVELS + 0.5) / LEVELS;
        sum += span_class == CLASS_IDLE ? 0 : drawing->cells[actor][column][span_class] / width;
        stack.high[span_class] = (double)(uint32_t)(sum * LEVELS + 0.5) / LEVELS;
    }
    return stack;
}

/* Columns that are alike next to each other become one box. */
static void put_class(FILE *out, const struct drawing *drawing, uint32_t actor, double bottom,
                      uint32_t span_class)
{
    double width = (double)(drawing->end - drawing->start) / COLUMNS / drawing->unit_ps;
    uint32_t begin = 0;
    struct stack now = stack_of(drawing, actor, 0);
    for (uint32_t i = 1; i <= COLUMNS; i++) {
        struct stack next = i < COLUMNS ? stack_of(drawing, actor, i) : (struct stack){{0}, {0}};
        bool same = i < COLUMNS && next.low[span_class] == now.low[span_class] &&
                    next.high[span_class] == now.high[span_class];
        if (!same) {
            double box[] = {begin * width, i * width, bottom + LANE_HEIGHT * now.low[span_class],
                            bottom + LANE_HEIGHT * now.high[span_class]};
            if (now.high[span_class] > now.low[span_class]) {
                put_row(out, span_class < CLASS_WAIT ? "busy" : "wait", box, span_class, "");
            }
            begin = i;
            now = next;
        }
    }
}

static void put_lanes(FILE *out, const struct drawing *drawing)
{
    char name[64];
    for (uint32_t i = 0; i < drawing->shown_count; i++) {
        double bottom = (double)(drawing->shown_count - 1 - i);
        uint32_t actor = drawing->shown[i];
        put_text(out, "lane", 0, bottom + LANE_HEIGHT / 2, 0,
                 sim_actor_name(drawing->sim, actor, name, sizeof name));
        for (uint32_t span_class = 0; span_class < CLASS_IDLE; span_class++) {
            put_class(out, drawing, actor, bottom, span_class);
        }
    }
}

/* --- what it says --- */

struct share {
    uint32_t span_class;
    double percent;
};

static int by_percent(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    return x->percent != y->percent
               ? (x->percent < y->percent) - (x->percent > y->percent)
               : (x->span_class > y->span_class) - (x->span_class < y->span_class);
}

/* What takes which part of all that is done and waited for, the largest first. */
static uint32_t shares_of(const struct drawing *drawing, struct share share[CLASSES])
{
    double all = 0;
    uint32_t count = 0;
    for (uint32_t span_class = 0; span_class < CLASS_IDLE; span_class++) {
        double sum = 0;
        for (uint32_t i = 0; i < drawing->sim->engine.actor_count; i++) {
            sum += (double)drawing->totals[i][span_class];
        }
        all += sum;
        if (sum > 0) {
            share[count++] = (struct share){span_class, sum};
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        share[i].percent *= 100 / all;
    }
    qsort(share, count, sizeof *share, by_percent);
    return count;
}

static char *say_percent(double percent, char *buf, size_t size)
{
    if (percent >= 9.95) {
        snprintf(buf, size, "%.0f %%", percent);
    } else if (percent >= 0.095) {
        snprintf(buf, size, "%.1f %%", percent);
    } else {
        snprintf(buf, size, "under 0.1 %%");
    }
    return buf;
}

static void put_title(FILE *out, const struct drawing *drawing, const struct share *share,
                      uint32_t count)
{
    const struct setup *setup = drawing->setup;
    char text[512], first[32], second[32], window[64];
    bool whole = drawing->sim->reinit_ps == UINT64_MAX;
    unit_format_ps(drawing->end - drawing->start, window, sizeof window);
    int used = snprintf(text, sizeof text, "%.80s with %s: ", workload_name(setup->workload),
                        setup->strategy->name);
    if (count == 0) {
        snprintf(text + used, sizeof text - (size_t)used, "nothing happens");
    } else if (count == 1) {
        snprintf(text + used, sizeof text - (size_t)used, "100 %% %s",
                 watch_class_name(share[0].span_class));
    } else {
        snprintf(text + used, sizeof text - (size_t)used, "%s %s; %s %s",
                 say_percent(share[0].percent, first, sizeof first),
                 watch_class_name(share[0].span_class),
                 say_percent(share[1].percent, second, sizeof second),
                 watch_class_name(share[1].span_class));
    }
    put_text(out, "title", 0, 0, 0, text);
    snprintf(text, sizeof text, "%s on %.60s; Linux %.40s; %s", window, setup->platform.name,
             setup->kernel.name,
             whole ? "the whole run" : "from the first re-init call to the end of the boot");
    uint32_t more = drawing->sim->engine.actor_count - drawing->shown_count;
    if (more > 0) {
        used = (int)strlen(text);
        snprintf(text + used, sizeof text - (size_t)used,
                 "; %" PRIu32 " further threads are not shown", more);
    }
    put_text(out, "subtitle", 0, 0, 0, text);
    snprintf(text, sizeof text, "%s%s", drawing->unit,
             whole ? "" : " since the first re-init call");
    put_text(out, "xlabel", 0, 0, 0, text);
}

static void put_key(FILE *out, const struct share *share, uint32_t count)
{
    char text[128], percent[32];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%s  %s", watch_class_name(share[i].span_class),
                 say_percent(share[i].percent, percent, sizeof percent));
        uint32_t across = i % KEYS_ACROSS, down = i / KEYS_ACROSS;
        put_text(out, share[i].span_class < CLASS_WAIT ? "keybusy" : "keywait", across, down,
                 share[i].span_class, text);
    }
}

void tracks_table(FILE *out, const struct setup *setup, const struct sim *sim)
{
    const struct spans *did = &watch_seen(sim)->did;
    struct share share[CLASSES];
    struct drawing drawing = {.setup = setup, .sim = sim, .end = sim->end_ps};
    drawing.start = sim->reinit_ps == UINT64_MAX ? 0 : sim->reinit_ps;
    drawing.end += drawing.end == drawing.start;
    drawing.cells = alloc_zeroed(sim->engine.actor_count, sizeof *drawing.cells, "the timeline");
    drawing.totals = alloc_zeroed(sim->engine.actor_count, sizeof *drawing.totals, "the timeline");
    for (size_t i = 0; i < did->count; i++) {
        spread(&drawing, &did->span[i]);
    }
    choose_lanes(&drawing);
    choose_unit(&drawing);
    uint32_t count = shares_of(&drawing, share);
    fputs("kind,x0,x1,y0,y1,class,text\n", out);
    put_title(out, &drawing, share, count);
    put_key(out, share, count);
    put_text(out, "extent", (double)(drawing.end - drawing.start) / drawing.unit_ps,
             drawing.shown_count, count, "");
    put_lanes(out, &drawing);
    free(drawing.cells);
    free(drawing.totals);
}
