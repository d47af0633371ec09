#include "core/error.h"
#include "jsontext.h"
#include "play.h"

#include <inttypes.h>
#include <math.h>

#include "report/timeline/tracks.h"

/* --- runs that are watched --- */

static const struct sample {
    const char *workload, *strategy;
    const char *key[2], *value[2];
    bool exact;
    size_t limit;
} runs[] = {
    {"note-relocated-kernel", "unmap", {0}, {0}, false, 100000},
    {"note-relocated-kernel", "eager", {0}, {0}, true, 100000},
    {"all-readers", "fwb", {0}, {0}, false, 100000},
    {"recorded-2vcpu-4k", "unmap", {0}, {0}, false, 100000},
    {"recorded-2vcpu-4k", "unmap", {0}, {0}, false, 200},
    {"generated-boot", "unmap", {"vcpus", "footprint"}, {"6", "64M"}, false, 100000},
    {"generated-boot", "unmap", {"vcpus", "footprint"}, {"6", "64M"}, true, 500},
    {"generated-boot", "eager-workers", {"vcpus", "copies"}, {"2", "3"}, false, 100000},
};
#define RUNS (sizeof runs / sizeof *runs)

struct watched {
    struct stage stage;
    struct strategy strategy;
    struct timeline timeline;
    struct point point;
    struct sim sim;
};

static struct watched *watch_run(const struct sample *run, bool watched)
{
    struct watched *of = calloc(1, sizeof *of);
    struct error err = {0};
    assert_non_null(of);
    stage_init(&of->stage, "kunpeng-920", "6.1");
    of->strategy = strategy_row(run->strategy);
    struct workload *workload = workload_of(run->workload);
    for (int i = 0; i < 2 && run->key[i]; i++) {
        set_key(workload, run->key[i], run->value[i]);
    }
    build(workload, &of->timeline);
    workload_free(workload);
    of->point = (struct point){.timeline = &of->timeline,
                               .platform = &of->stage.platform,
                               .value = of->stage.value,
                               .kernel = &of->stage.kernel,
                               .strategy = &of->strategy,
                               .exact = run->exact};
    sim_init(&of->sim, &of->point);
    if (watched) {
        watch_start(&of->sim, run->limit);
    }
    assert_true(sim_run(&of->sim, &err));
    return of;
}

static void end_run(struct watched *of)
{
    sim_free(&of->sim);
    timeline_free(&of->timeline);
    free(of);
}

/* Watching changes nothing. */
static void a_watched_run_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        struct watched *with = watch_run(&runs[i], true), *without = watch_run(&runs[i], false);
        const struct ledger_shape *shape = &with->sim.ledger.shape;
        size_t cells = (size_t)shape->actors * shape->phases * shape->sites * shape->kinds;
        assert_null(watch_seen(&without->sim));
        assert_int_equal(with->sim.end_ps, without->sim.end_ps);
        assert_int_equal(with->sim.engine.overlapped, without->sim.engine.overlapped);
        assert_memory_equal(with->sim.ledger.counts, without->sim.ledger.counts,
                            cells * sizeof(uint64_t));
        end_run(with);
        end_run(without);
    }
}

/* By actor and class what the ledger has, to the picosecond. */
static void expect_ledger(const struct sim *sim)
{
    const struct spans *did = &watch_seen(sim)->did;
    for (uint32_t actor = 0; actor < sim->engine.actor_count; actor++) {
        ps_t part[SPAN_CLASSES] = {0};
        for (size_t i = 0; i < did->count; i++) {
            for (uint32_t span_class = 0; span_class < SPAN_CLASSES; span_class++) {
                part[span_class] += did->span[i].lane == actor ? did->span[i].part[span_class] : 0;
            }
        }
        for (uint32_t site = 0; site < SITES; site++) {
            struct ledger_slice slice = {actor, LEDGER_ALL, site, LEDGER_ALL};
            assert_int_equal(part[site], ledger_busy(&sim->ledger, slice));
        }
        for (uint32_t resource = 0; resource < RESOURCES; resource++) {
            assert_int_equal(part[CLASS_WAIT + resource],
                             ledger_waited(&sim->ledger, actor, LEDGER_ALL, resource));
        }
        assert_int_equal(part[CLASS_IDLE], ledger_idled(&sim->ledger, actor, LEDGER_ALL));
        assert_int_equal(did->lanes[actor].now, sim->engine.actors[actor].now);
    }
}

static void spans_add_up_to_the_ledger(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        struct watched *of = watch_run(&runs[i], true);
        expect_ledger(&of->sim);
        assert_true(watch_seen(&of->sim)->did.count <= runs[i].limit);
        assert_true((watch_seen(&of->sim)->did.grain > 0) == (runs[i].limit < 1000));
        end_run(of);
    }
}

static uint64_t tallied(const struct sim *sim, enum event_sum of)
{
    const struct spans *did = &watch_seen(sim)->did;
    uint64_t sum = 0;
    for (size_t i = 0; i < did->count; i++) {
        sum += did->span[i].tally[of - 1];
    }
    return sum;
}

static uint64_t counted(const struct sim *sim, enum event_kind kind)
{
    return sim_count(sim, LEDGER_ALL, LEDGER_ALL, kind);
}

static void tallies_are_the_ledgers(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        struct watched *of = watch_run(&runs[i], true);
        const struct sim *sim = &of->sim;
        assert_int_equal(tallied(sim, SUM_lines), counted(sim, EV_line_absent) +
                                                      counted(sim, EV_line_clean) +
                                                      counted(sim, EV_line_dirty));
        assert_int_equal(tallied(sim, SUM_reinits), counted(sim, EV_reinits));
        assert_int_equal(tallied(sim, SUM_tables),
                         counted(sim, EV_s2_tables_alloc) + counted(sim, EV_s2_tables_free));
        assert_int_equal(tallied(sim, SUM_filled_kib), counted(sim, EV_vmm_bytes));
        end_run(of);
    }
}

/* The longest hold of mmu_lock for write is among the holds, and in it is what
 * the lock itself has. */
static void holds_are_the_locks(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        if (runs[i].limit < 1000) {
            continue;
        }
        struct watched *of = watch_run(&runs[i], true);
        const struct spans *held = &watch_seen(&of->sim)->held;
        uint32_t span_class = watch_hold_class(RESOURCE_MMU_LOCK, true);
        ps_t longest = 0, pause = 0;
        for (size_t k = 0; k < held->count; k++) {
            const struct span *span = &held->span[k];
            bool counts = span->part[span_class] == span->ps && span->start >= of->sim.reinit_ps &&
                          held->grain == 0;
            longest = counts && span->ps > longest ? span->ps : longest;
        }
        for (uint32_t vm = 0; vm < of->timeline.vm.copies; vm++) {
            ps_t here = sim_vm(&of->sim, vm)->mmu_lock.longest_write_ps;
            pause = here > pause ? here : pause;
        }
        assert_int_equal(longest, pause);
        end_run(of);
    }
}

/* The last of them has three VMs, each with a helper. */
static void helpers_are_of_their_vm(void **state)
{
    (void)state;
    struct watched *of = watch_run(&runs[RUNS - 1], false);
    for (uint32_t vm = 0; vm < of->timeline.vm.copies; vm++) {
        const struct kvm *kvm = sim_vm(&of->sim, vm);
        assert_true(kvm->worker_count > 0);
        for (uint32_t i = 0; i < kvm->worker_count; i++) {
            assert_int_equal(sim_actor_vm(&of->sim, kvm->workers[i].id), vm);
        }
    }
    end_run(of);
}

/* --- JSON --- */

/* "123.000456" microseconds as picoseconds. */
static ps_t micros_behind(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    assert_non_null(at);
    char *end;
    uint64_t whole = strtoull(at + strlen(key), &end, 10);
    assert_int_equal(*end, '.');
    char *stop;
    uint64_t part = strtoull(end + 1, &stop, 10);
    assert_int_equal(stop - end - 1, 6);
    return whole * 1000000 + part;
}

static uint64_t whole_behind(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Slices of a track follow each other, and add up to the ledger's busy and
 * waiting time. */
static void expect_tracks(const struct sim *sim, char *text)
{
    ps_t *sum = calloc(sim->engine.actor_count, sizeof *sum);
    ps_t *ends = calloc(2 * (size_t)sim->engine.actor_count, sizeof *ends);
    assert_non_null(sum);
    assert_non_null(ends);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        uint64_t tid = whole_behind(line, "\"tid\":");
        if (!strstr(line, "\"ph\":\"X\"") || tid < 10) {
            continue;
        }
        ps_t ts = micros_behind(line, "\"ts\":"), dur = micros_behind(line, "\"dur\":");
        uint64_t track = tid - 10, actor = track / 2;
        assert_true(actor < sim->engine.actor_count);
        assert_int_equal(whole_behind(line, "\"pid\":"), sim_actor_vm(sim, (uint32_t)actor) + 1);
        assert_true(ts >= ends[track]);
        assert_int_equal(whole_behind(line, "\"ps\":"), dur);
        ends[track] = ts + dur;
        sum[actor] += track % 2 == 0 ? dur - whole_behind(line, "\"idle\":") : 0;
    }
    for (uint32_t i = 0; i < sim->engine.actor_count; i++) {
        struct ledger_slice own = {i, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL};
        assert_int_equal(sum[i], ledger_busy(&sim->ledger, own) +
                                     ledger_waited(&sim->ledger, i, LEDGER_ALL, LEDGER_ALL));
    }
    free(sum);
    free(ends);
}

static void json_adds_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        struct watched *of = watch_run(&runs[i], true);
        struct error err = {0};
        struct setup setup = {.workload = workload_read(runs[i].workload, &err),
                              .platform = of->stage.platform,
                              .kernel = of->stage.kernel,
                              .strategy = &of->strategy,
                              .exact = runs[i].exact};
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        assert_non_null(setup.workload);
        tracks_json(out, &setup, &of->sim);
        assert_int_equal(fclose(out), 0);
        assert_true(is_json(text));
        assert_non_null(strstr(text, "\"name\":\"VMM\""));
        assert_non_null(strstr(text, "\"name\":\"re-init of vCPU 0\""));
        assert_non_null(strstr(text, "\"name\":\"MMU on\""));
        expect_tracks(&of->sim, text);
        free(text);
        workload_free((struct workload *)setup.workload);
        end_run(of);
    }
}

/* --- the picture's table --- */

/* What all did and waited for in the window, over the window's length. */
static double expected_fill(const struct sim *sim)
{
    const struct spans *did = &watch_seen(sim)->did;
    double sum = 0;
    for (size_t i = 0; i < did->count; i++) {
        const struct span *span = &did->span[i];
        bool counts = span->start >= sim->reinit_ps;
        sum += counts ? (double)(span->ps - span->part[CLASS_IDLE]) : 0;
    }
    return sum / (double)sim_window_ps(sim);
}

/* The numbers behind a row's kind; false where the row is of another kind. */
static bool row_numbers(const char *line, const char *kind, double box[4])
{
    size_t length = strlen(kind);
    if (strncmp(line, kind, length) != 0 || line[length] != ',') {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char *end;
        line = i ? line : line + length;
        assert_int_equal(*line, ',');
        box[i] = strtod(line + 1, &end);
        line = end;
    }
    return true;
}

/* The area of all boxes in lanes of full height. */
static double drawn_fill(const char *text)
{
    double area = 0, width = 0, box[4];
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (row_numbers(line, "extent", box)) {
            width = box[0];
        } else if (row_numbers(line, "busy", box) || row_numbers(line, "wait", box)) {
            area += (box[1] - box[0]) * (box[3] - box[2]);
        }
    }
    return area / width / 0.84;
}

static void the_table_says_what_takes_most(void **state)
{
    struct watched *of = watch_run(&runs[5], true);
    struct error err = {0};
    struct setup setup = {.workload = workload_read(runs[5].workload, &err),
                          .platform = of->stage.platform,
                          .kernel = of->stage.kernel,
                          .strategy = &of->strategy};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    tracks_table(out, &setup, &of->sim);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "title,0,0,0,0,0,generated-boot with unmap: "));
    assert_true(fabs(drawn_fill(text) / expected_fill(&of->sim) - 1) < 0.03);
    int lanes = 0;
    for (char *at = strstr(text, "\nlane,"); at; at = strstr(at + 1, "\nlane,")) {
        lanes++;
    }
    assert_int_equal(lanes, 7);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        int commas = 0;
        for (char *at = line; *at; at++) {
            commas += *at == ',';
        }
        assert_int_equal(commas, 6);
    }
    free(text);
    workload_free((struct workload *)setup.workload);
    end_run(of);
}

static void endings_decide(void **state)
{
    static const char *const good[] = {"a.json", "x/y.svg", "./b.c.png"};
    static const char *const bad[] = {"a", "a.txt", "json", "x.json/y", "a/.json", ""};
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(tracks_path_check(good[i], &err));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(tracks_path_check(bad[i], &err));
        assert_int_equal(err.status, EXIT_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watched_run_is_the_same),
        cmocka_unit_test(spans_add_up_to_the_ledger),
        cmocka_unit_test(tallies_are_the_ledgers),
        cmocka_unit_test(holds_are_the_locks),
        cmocka_unit_test(helpers_are_of_their_vm),
        cmocka_unit_test(json_adds_up),
        cmocka_unit_test(the_table_says_what_takes_most),
        cmocka_unit_test(endings_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
