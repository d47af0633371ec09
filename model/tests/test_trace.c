/* Every event as a line: what the lines add up to is what the ledger has. */
#include "play.h"

#include "run/trace.h"
#include "run/watch.h"

#define RACE                                                                 \
    "[workload]\nplay = concurrent\n"                                        \
    "[vm]\nram = 2M\nvcpus = 3\n"                                            \
    "[timeline]\n"                                                           \
    "phase = use\nvcpu0 = enter\nvcpu0 = write ram 2M\nvcpu0 = signal up\n"  \
    "phase = reset\nvmm = wait up\nvmm = reinit all\nvmm = signal go\n"      \
    "phase = boot\nvcpu0 = wait go\nvcpu0 = enter\nvcpu0 = mmu on\n"         \
    "vcpu0 = read ram 2M\nvcpu1 = wait go\nvcpu1 = enter\nvcpu1 = mmu on\n"  \
    "vcpu1 = write ram 2M\nvcpu2 = wait go\nvcpu2 = enter\nvcpu2 = mmu on\n" \
    "vcpu2 = read ram 1M\n"

/* What lines add up to, with the ledger's indices. */
struct sums {
    uint64_t *counts, *ps; /* [actors][phases][sites][kinds] */
    ps_t *waits, *idle; /* [actors][phases][resources], [actors][phases] */
    ps_t last[16]; /* by actor: when its last line began */
    size_t lines;
};

static uint32_t index_of(const char *text, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    fail_msg("found '%s' in a line", text);
    return 0;
}

static uint32_t actor_of(const struct sim *sim, const char *text)
{
    char name[32];
    for (uint32_t i = 0; i < sim->engine.actor_count; i++) {
        if (strcmp(text, sim_actor_name(sim, i, name, sizeof name)) == 0) {
            return i;
        }
    }
    fail_msg("found the actor '%s'", text);
    return 0;
}

static uint32_t phase_of(const struct sim *sim, const char *text)
{
    const struct timeline *timeline = sim->point->timeline;
    uint32_t phase = 0;
    while (phase < timeline->phase_count && strcmp(timeline->phases[phase], text) != 0) {
        phase++;
    }
    assert_true(phase < timeline->phase_count);
    return phase;
}

/* Nanoseconds with three digits behind the point. */
static ps_t ps_of(const char *text)
{
    char *end;
    ps_t ns = strtoull(text, &end, 10);
    assert_int_equal(*end, '.');
    return ns * PS_PER_NS + strtoull(end + 1, NULL, 10);
}

static void add_line(const struct sim *sim, char *line, struct sums *sums)
{
    const struct ledger_shape *shape = &sim->ledger.shape;
    char *cell[10];
    for (int i = 0; i < 10; i++) {
        cell[i] = strsep(&line, i < 9 ? "," : "\n");
        assert_non_null(cell[i]);
    }
    uint32_t actor = actor_of(sim, cell[1]);
    uint64_t row = (uint64_t)actor * shape->phases + phase_of(sim, cell[2]);
    assert_true(ps_of(cell[0]) >= sums->last[actor]); /* an actor's lines stand as they begin */
    assert_true(ps_of(cell[0]) + ps_of(cell[6]) <= sim->engine.now || ps_of(cell[6]) == 0 ||
                strtoull(cell[5], NULL, 10) > 0);
    sums->last[actor] = ps_of(cell[0]);
    uint64_t n = strtoull(cell[5], NULL, 10);
    sums->lines++;
    if (strcmp(cell[4], "idle") == 0) {
        sums->idle[row] += ps_of(cell[6]);
        return;
    }
    for (uint32_t i = 0; i < RESOURCES && n == 0; i++) {
        if (strcmp(cell[4], watch_class_name(CLASS_WAIT + i)) == 0) {
            sums->waits[row * RESOURCES + i] += ps_of(cell[6]);
            return;
        }
    }
    uint64_t at = (row * SITES + index_of(cell[3], site_name, SITES)) * EVENT_KINDS +
                  index_of(cell[4], event_name, EVENT_KINDS);
    sums->counts[at] += n;
    sums->ps[at] += ps_of(cell[6]);
}

/* Plays it and adds up the lines of [from, to); the caller frees the simulation. */
static struct sim *play_traced(const struct stage *stage, const struct timeline *timeline,
                               const struct strategy *strategy, bool exact, ps_t from, ps_t to,
                               struct sums *sums)
{
    static struct point point;
    point = (struct point){timeline,       &stage->platform, stage->value,
                           &stage->kernel, strategy,         .exact = exact};
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    char *text = NULL, *line;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_true(sim && out);
    sim_init(sim, &point);
    trace_start(sim, out, from, to);
    assert_true(sim_run(sim, &err));
    fclose(out);
    char *rest = text;
    line = strsep(&rest, "\n");
    assert_string_equal(line, "time_ns,actor,phase,site,event,count,ns,ipa,leaf,lock");
    while ((line = strsep(&rest, "\n")) && *line) {
        add_line(sim, line, sums);
    }
    free(text);
    return sim;
}

static struct sums sums_new(const struct timeline *timeline)
{
    size_t rows = (size_t)(timeline->script_count + 8) * timeline->phase_count;
    struct sums sums = {calloc(rows * SITES * EVENT_KINDS, sizeof(uint64_t)),
                        calloc(rows * SITES * EVENT_KINDS, sizeof(uint64_t)),
                        calloc(rows * RESOURCES, sizeof(ps_t)),
                        calloc(rows, sizeof(ps_t)),
                        {0},
                        0};
    assert_true(sums.counts && sums.ps && sums.waits && sums.idle);
    return sums;
}

static void sums_free(struct sums *sums)
{
    free(sums->counts);
    free(sums->ps);
    free(sums->waits);
    free(sums->idle);
}

static void expect_ledger(const struct sim *sim, const struct sums *sums)
{
    const struct ledger *ledger = &sim->ledger;
    const struct ledger_shape *shape = &ledger->shape;
    size_t rows = (size_t)shape->actors * shape->phases, cells = rows * SITES * EVENT_KINDS;
    assert_memory_equal(sums->counts, ledger->counts, cells * sizeof(uint64_t));
    for (size_t i = 0; i < cells; i++) {
        assert_int_equal(sums->ps[i], ledger->counts[i] * sim->price[i % EVENT_KINDS]);
    }
    assert_memory_equal(sums->waits, ledger->waits, rows * RESOURCES * sizeof(ps_t));
    assert_memory_equal(sums->idle, ledger->idle, rows * sizeof(ps_t));
}

static void lines_add_up_to_the_ledger(void **state)
{
    static const char *const strategies[] = {"unmap", "eager-toggle1", "eager"};
    struct stage stage;
    struct timeline timeline;
    struct workload *workload = workload_good(RACE);
    (void)state;
    stage_init(&stage, "neoverse-n1", "6.2");
    build(workload, &timeline);
    for (int i = 0; i < 6; i++) {
        struct strategy strategy = strategy_row(strategies[i / 2]);
        struct sums sums = sums_new(&timeline);
        strategy.workers = i >= 4 ? 3 : 0;
        struct sim *sim = play_traced(&stage, &timeline, &strategy, i % 2, 0, UINT64_MAX, &sums);
        assert_true(sums.lines > 100);
        ps_t waited = ledger_waited(&sim->ledger, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL);
        assert_true(i >= 2 || waited > 0);
        expect_ledger(sim, &sums);
        play_free(sim);
        sums_free(&sums);
    }
    timeline_free(&timeline);
    workload_free(workload);
}

/* Each event is in one of two neighbouring stretches. */
static void stretches_share_the_lines_out(void **state)
{
    struct stage stage;
    struct timeline timeline;
    struct workload *workload = workload_good(RACE);
    struct strategy strategy = strategy_row("unmap");
    (void)state;
    stage_init(&stage, "neoverse-n1", "6.1");
    build(workload, &timeline);
    struct sums sums = sums_new(&timeline), none = sums_new(&timeline);
    struct sim *sim = play_traced(&stage, &timeline, &strategy, true, 0, PS_PER_MS, &sums);
    size_t first = sums.lines;
    play_free(sim);
    sim = play_traced(&stage, &timeline, &strategy, true, PS_PER_MS, UINT64_MAX, &sums);
    assert_true(first > 0 && sums.lines > first);
    expect_ledger(sim, &sums);
    play_free(sim);
    play_free(play_traced(&stage, &timeline, &strategy, true, PS_PER_MS, PS_PER_MS, &none));
    assert_int_equal(none.lines, 0);
    sums_free(&sums);
    sums_free(&none);
    timeline_free(&timeline);
    workload_free(workload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_add_up_to_the_ledger),
        cmocka_unit_test(stretches_share_the_lines_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
