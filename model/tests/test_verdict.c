/* Who can read old bytes under which strategy, and that each part of a strategy
 * is needed for what it is said to be needed for. */
#include "core/error.h"
#include "play.h"

#define C COHERENT
#define O ONLY_IF
#define S STALE
#define N NOT_READ

struct expectation {
    const char *strategy;
    enum outcome outcome[READERS]; /* guest off, guest on, fetch, host, device */
};

static struct stage n1;

static void expect(const struct stage *stage, const struct timeline *timeline,
                   const struct strategy *strategy, const enum outcome *outcome, const char *what)
{
    for (int exact = 0; exact < 2; exact++) {
        struct sim *sim = play(stage, timeline, strategy, exact);
        for (int reader = 0; reader < READERS; reader++) {
            enum outcome found = sim->memory.oracle.verdict[reader].outcome;
            if (found != outcome[reader]) {
                print_error("%s, %s, %s: %s, expected %s\n", strategy->name, what,
                            reader_name[reader], outcome_name[found],
                            outcome_name[outcome[reader]]);
            }
            assert_int_equal(found, outcome[reader]);
        }
        play_free(sim);
    }
}

static void expect_rows(const struct stage *stage, const char *workload_name,
                        const struct expectation *rows, size_t count)
{
    struct workload *workload = workload_of(workload_name);
    struct timeline timeline;
    build(workload, &timeline);
    for (size_t i = 0; i < count; i++) {
        struct strategy strategy = strategy_row(rows[i].strategy);
        expect(stage, &timeline, &strategy, rows[i].outcome, workload_name);
    }
    timeline_free(&timeline);
    workload_free(workload);
}

#define EXPECT_ROWS(stage, workload, rows) \
    expect_rows(stage, workload, rows, sizeof(rows) / sizeof *(rows))

static void test_every_reader(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {"unmap", {C, C, C, C, C}},       {"unmap-lazy", {C, C, C, O, O}},
        {"eager", {C, O, C, C, C}},       {"eager-toggle1", {C, C, C, C, C}},
        {"eager-naive", {S, C, S, C, C}}, {"fwb", {C, C, C, C, C}},
        {"none", {S, O, S, S, S}},
    };
    assert_int_equal(sizeof rows / sizeof *rows, strategy_count);
    EXPECT_ROWS(&n1, "all-readers", rows);
}

/* Memory behind a file has a host and a device reader whether the workload names them or not:
 * they come at any time, behind a notifier's unmap where the guest has the page mapped. */
static const char shared_memory[] = "[vm]\nram = 64M\nbacking = shm\n[timeline]\n"
                                    "vcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write ram 8M\n"
                                    "vmm = reinit all\nvmm = fill ram 4M\n"
                                    "vcpu0 = enter\nvcpu0 = write ram+1M 64K\nvcpu0 = mmu on\n"
                                    "vcpu0 = read ram 8M\n";

static void test_shared_memory_has_readers(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {"unmap", {N, C, N, C, C}},
        {"unmap-lazy", {N, C, N, O, O}},
        {"lazy-vmall", {N, C, N, O, O}},
        {"reinit-lazy", {N, C, N, C, C}},
        {"reinit-lazy-vmall-toggle1", {N, C, N, C, C}},
        {"eager-toggle1", {N, C, N, C, C}},
        {"fwb", {N, C, N, N, N}},
        {"none", {N, S, N, S, S}},
    };
    struct workload *workload = workload_good(shared_memory);
    struct timeline timeline;
    struct error err;
    build(workload, &timeline);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strategy strategy = strategy_row(rows[i].strategy);
        expect(&n1, &timeline, &strategy, rows[i].outcome, "shared memory");
    }
    timeline_free(&timeline);
    /* Nobody else has a process' own memory. */
    assert_true(workload_set(workload, "backing", "4k", NULL, &err));
    build(workload, &timeline);
    struct strategy lazy = strategy_row("unmap-lazy");
    expect(&n1, &timeline, &lazy, (const enum outcome[READERS]){N, C, N, N, N}, "own memory");
    timeline_free(&timeline);
    workload_free(workload);
}

static void test_note_story(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {"none", {S, O, S, N, N}},          {"unmap", {C, C, C, N, N}},
        {"unmap-lazy", {C, C, C, N, N}},    {"eager", {C, O, C, N, N}},
        {"eager-toggle1", {C, C, C, N, N}}, {"fwb", {C, C, C, N, N}},
        {"eager-naive", {S, C, S, N, N}},
    };
    EXPECT_ROWS(&n1, "note-relocated-kernel", rows);
}

static void test_aliased_lines(void **state)
{
    (void)state;
    static const enum outcome safe[READERS] = {N, C, N, C, C}, lost[READERS] = {N, S, N, S, S};
    struct workload *equal = workload_of("note-aliased-lines");
    struct workload *mismatched = workload_of("note-aliased-lines-mismatched");
    struct timeline timeline;
    for (size_t i = 0; i < strategy_count; i++) {
        build(equal, &timeline);
        expect(&n1, &timeline, &strategy_rows[i], safe, "equal attributes");
        timeline_free(&timeline);
        build(mismatched, &timeline);
        expect(&n1, &timeline, &strategy_rows[i], lost, "mismatched attributes");
        timeline_free(&timeline);
    }
    workload_free(equal);
    workload_free(mismatched);
}

/* A strategy without one of its parts, and what then goes wrong. */
struct broken {
    const char *strategy, *without;
    enum outcome outcome[READERS];
};

static void take_away(struct strategy *strategy, const char *part)
{
    if (strcmp(part, "reinit_unmap_cleans") == 0) {
        strategy->reinit_unmap_cleans = false;
    } else if (strcmp(part, "notifier_unmap_cleans") == 0) {
        strategy->notifier_unmap_cleans = false;
    } else if (strcmp(part, "fault_cleans") == 0) {
        strategy->fault_cleans = false;
    } else if (strcmp(part, "toggle") == 0) {
        strategy->toggle = TOGGLE_NONE;
    } else if (strcmp(part, "reinit_icache") == 0) {
        strategy->reinit_icache = false;
    } else if (strcmp(part, "reinit_unmap") == 0) {
        strategy->reinit_unmap = UNMAP_NONE;
    } else {
        assert_string_equal(part, "flush_at");
        strategy->flush_at = FLUSH_NONE;
    }
}

static void test_every_part_is_needed(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"unmap", "reinit_unmap_cleans", {C, C, C, C, C}},
        {"unmap", "notifier_unmap_cleans", {C, C, C, O, O}},
        {"unmap", "fault_cleans", {S, C, S, C, C}},
        {"unmap", "toggle", {C, O, C, C, C}},
        {"unmap", "reinit_unmap", {S, C, S, S, S}},
        {"eager", "flush_at", {S, O, S, S, S}},
        {"eager", "reinit_icache", {C, O, S, C, C}},
        {"eager-toggle1", "toggle", {C, O, C, C, C}},
        {"fwb", "reinit_icache", {C, C, S, C, C}},
    };
    struct workload *workload = workload_of("all-readers");
    struct timeline timeline;
    build(workload, &timeline);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strategy strategy = strategy_row(rows[i].strategy);
        take_away(&strategy, rows[i].without);
        expect(&n1, &timeline, &strategy, rows[i].outcome, rows[i].without);
    }
    timeline_free(&timeline);
    workload_free(workload);
}

/* Where the I-cache follows writes by itself, FWB alone is enough. */
static void test_fwb_with_dic(void **state)
{
    (void)state;
    static const enum outcome good[READERS] = {C, C, C, C, C}, bad[READERS] = {C, C, S, C, C};
    struct stage dic, no_dic;
    struct strategy strategy = strategy_row("fwb");
    struct workload *workload = workload_of("all-readers");
    struct timeline timeline;
    strategy.reinit_icache = false;
    stage_init(&dic, "neoverse-v1", "6.1");
    stage_init(&no_dic, "neoverse-v1-nodic", "6.1");
    build(workload, &timeline);
    expect(&dic, &timeline, &strategy, good, "DIC");
    expect(&no_dic, &timeline, &strategy, bad, "no DIC");
    timeline_free(&timeline);
    workload_free(workload);
}

static const char two_vcpus[] = "[vm]\nram = 64M\nvcpus = 2\n[timeline]\n"
                                "vcpu0 = enter\nvcpu0 = mmu on\n"
                                "vcpu1 = enter\nvcpu1 = mmu on\n"
                                "vcpu0 = write ram 8M\n"
                                "vmm = reinit all\n"
                                "vmm = fill ram 4M\n"
                                "vcpu0 = enter\nvcpu0 = read ram 4M\nvcpu0 = mmu on\n"
                                "vcpu1 = enter\nvcpu1 = write ram+6M 64K\nvcpu1 = mmu on\n"
                                "vcpu1 = read ram+6M 64K\n";

/* A flush at the first vCPU's MMU-on alone comes too early for the second. */
static void test_second_vcpu(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {"unmap", {C, C, N, N, N}},
        {"eager", {C, O, N, N, N}},
        {"eager-toggle1", {C, O, N, N, N}},
        {"fwb", {C, C, N, N, N}},
    };
    struct error err;
    struct workload *workload = workload_of_text(two_vcpus, &err);
    struct timeline timeline;
    assert_non_null(workload);
    build(workload, &timeline);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strategy strategy = strategy_row(rows[i].strategy);
        expect(&n1, &timeline, &strategy, rows[i].outcome, "two vCPUs");
    }
    timeline_free(&timeline);
    workload_free(workload);
}

static void expect_text(const char *text, const struct strategy *strategy,
                        const enum outcome *outcome, const char *what)
{
    struct error err;
    struct workload *workload = workload_of_text(text, &err);
    struct timeline timeline;
    assert_non_null(workload);
    build(workload, &timeline);
    expect(&n1, &timeline, strategy, outcome, what);
    timeline_free(&timeline);
    workload_free(workload);
}

#define ONE_VCPU                                                                                \
    "[vm]\nram = 64M\nbacking = thp\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write " \
    "ram 4M\n"

/* What is fetched after the I-cache was invalidated is in it again; and a leaf that may be
 * executed may be fetched ahead, all of it: then it is old only if it was. */
static void test_old_instructions(void **state)
{
    (void)state;
    static const enum outcome old[READERS] = {N, N, S, N, N}, ahead[READERS] = {N, N, O, N, N},
                              good[READERS] = {N, N, C, N, N};
    struct strategy fwb = strategy_row("fwb"), bare = fwb;
    bare.reinit_icache = false;
    expect_text(ONE_VCPU "vcpu0 = fetch ram 64K\nvmm = reinit 0\nvcpu0 = enter\n"
                         "vcpu0 = fetch ram 64K\nvmm = fill ram 64K\nvcpu0 = fetch ram 64K\n",
                &fwb, old, "rewritten under a guest that runs");
    expect_text(ONE_VCPU "vcpu0 = fetch ram 64K\nvmm = reinit 0\nvmm = fill ram+1M 64K\n"
                         "vcpu0 = enter\nvcpu0 = fetch ram+1M 64K\n",
                &bare, ahead, "fetched ahead");
    expect_text(ONE_VCPU "vcpu0 = fetch ram 64K\nvmm = reinit 0\nvmm = fill ram+2M 64K\n"
                         "vcpu0 = enter\nvcpu0 = fetch ram+2M 64K\n",
                &bare, good, "another leaf");
}

/* Only-if speaks of copies that speculation may make. One that an access made
 * is there. */
static void test_sure_copy(void **state)
{
    (void)state;
    static const enum outcome old[READERS] = {N, S, N, C, N};
    struct strategy eager = strategy_row("eager");
    expect_text(ONE_VCPU "vcpu0 = write ram 64K\nvmm = reinit 0\nvcpu0 = enter\n"
                         "vmm = read ram 64K\nvcpu0 = write ram 64K\nvcpu0 = mmu on\n"
                         "vcpu0 = read ram 64K\n",
                &eager, old, "read by the host before");
}

/* Recorded boots: what the first vCPU wrote with its MMU off it reads again. */
static void test_recorded(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {"unmap", {C, C, C, N, N}},       {"unmap-lazy", {C, C, C, N, N}},
        {"eager", {C, C, C, N, N}},       {"eager-toggle1", {C, C, C, N, N}},
        {"eager-naive", {S, S, S, N, N}}, {"fwb", {C, C, C, N, N}},
        {"none", {S, S, S, N, N}},
    };
    EXPECT_ROWS(&n1, "recorded-4k", rows);
}

/* How much is stale is counted in lines: the whole image, 8 MiB, at the guest's
 * read with its MMU off. */
static void test_lines(void **state)
{
    (void)state;
    struct workload *workload = workload_of("note-relocated-kernel");
    struct strategy none = strategy_row("none");
    struct timeline timeline;
    build(workload, &timeline);
    struct sim *sim = play(&n1, &timeline, &none, false);
    const struct verdict *off = &sim->memory.oracle.verdict[READER_GUEST_OFF];
    const struct verdict *on = &sim->memory.oracle.verdict[READER_GUEST_ON];
    assert_int_equal(off->lines_read, 8 * MIB / 64);
    assert_int_equal(off->lines_stale, 8 * MIB / 64);
    assert_int_equal(on->lines_conditional, 64 * KIB / 64);
    assert_int_equal(on->conditions, CONDITION_NO_FILL);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

static int set_up(void **state)
{
    (void)state;
    stage_init(&n1, "neoverse-n1", "6.1");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_reader),
        cmocka_unit_test(test_shared_memory_has_readers),
        cmocka_unit_test(test_note_story),
        cmocka_unit_test(test_aliased_lines),
        cmocka_unit_test(test_every_part_is_needed),
        cmocka_unit_test(test_fwb_with_dic),
        cmocka_unit_test(test_second_vcpu),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_old_instructions),
        cmocka_unit_test(test_sure_copy),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
