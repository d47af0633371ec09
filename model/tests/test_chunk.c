/* A strategy's own chunks: how long mmu_lock is held, and that nothing else
 * changes but for what giving it up costs. */
#include "core/error.h"
#include "play.h"
#include "worst.h"

#include "machine/price.h"

static struct stage n1;

static const char by_pages[] =
    "[vm]\nram = 64M\nbacking = 4k\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
    "vcpu0 = write ram 64M\nvmm = reinit 0\nvcpu0 = enter\nvcpu0 = read ram 64K\n"
    "vcpu0 = mmu on\nvcpu0 = read ram 1M\n";
static const char by_blocks[] =
    "[vm]\nram = 64M\nbacking = hugetlb\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
    "vcpu0 = write ram 64M\nvmm = reinit 0\nvcpu0 = enter\nvcpu0 = read ram 64K\n"
    "vcpu0 = mmu on\nvcpu0 = read ram 4M\n";
/* The other vCPU wants the lock while the first one's toggle flushes. */
static const char contended[] =
    "[workload]\nplay = concurrent\n[vm]\nram = 64M\nbacking = hugetlb\nvcpus = 2\n[timeline]\n"
    "vcpu0 = enter\nvcpu0 = mmu on\nvcpu1 = enter\nvcpu1 = mmu on\nvcpu0 = write ram 48M\n"
    "vcpu0 = signal used\nvmm = wait used\nvmm = reinit 0\nvmm = signal reset\n"
    "vcpu0 = wait reset\nvcpu1 = wait reset\nvcpu0 = enter\nvcpu0 = mmu on\n"
    "vcpu1 = compute 1ms\nvcpu1 = read ram+60M 2M\n";

struct held {
    ps_t pause_ps, window_ps, stall_max_ps;
    uint64_t count[EVENT_KINDS];
    enum outcome worst;
};

static struct held with_chunk(const char *text, const char *name, uint64_t chunk, bool exact)
{
    struct strategy strategy = strategy_row(name);
    struct timeline timeline;
    struct workload *workload = workload_good(text);
    build(workload, &timeline);
    strategy.chunk = chunk;
    struct sim *sim = play(&n1, &timeline, &strategy, exact);
    struct held held = {.pause_ps = sim->kvm.mmu_lock.longest_write_ps,
                        .window_ps = sim_window_ps(sim),
                        .stall_max_ps = sim->stalls.max,
                        .worst = oracle_worst(&sim->memory.oracle)};
    for (size_t i = 0; i < WINDOW_CELLS; i++) {
        held.count[i % EVENT_KINDS] += sim->window[i];
    }
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
    return held;
}

static uint64_t lines_of(const struct held *held)
{
    return held->count[EV_line_absent] + held->count[EV_line_clean] + held->count[EV_line_dirty];
}

/* Smaller chunks never hold longer; all do the same work. */
static void monotone(void **state)
{
    static const char *const names[] = {"unmap", "unmap-lazy", "eager", "eager-naive"};
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        const char *text = i % 2 ? by_blocks : by_pages;
        struct held whole = with_chunk(text, names[i / 2], 0, false);
        struct held last = whole;
        for (uint64_t chunk = 64 * MIB; chunk >= 64 * KIB; chunk /= 4) {
            struct held held = with_chunk(text, names[i / 2], chunk, false);
            assert_true(held.pause_ps <= last.pause_ps);
            assert_true(held.window_ps >= last.window_ps);
            assert_int_equal(lines_of(&held), lines_of(&whole));
            assert_int_equal(held.count[EV_tlbi_calls], whole.count[EV_tlbi_calls]);
            assert_int_equal(held.count[EV_unmap_leaves], whole.count[EV_unmap_leaves]);
            assert_int_equal(held.count[EV_flush_leaves], whole.count[EV_flush_leaves]);
            assert_int_equal(held.worst, whole.worst);
            last = held;
        }
        /* Where lines are cleaned at faults only, one block's fault is the longest hold. */
        bool fault = i % 2 && strcmp(names[i / 2], "unmap-lazy") == 0;
        assert_true(fault ? last.pause_ps == whole.pause_ps : last.pause_ps < whole.pause_ps / 8);
    }
}

/* What it costs is a price for each time the lock was given up, and the entries
 * that each further walk visits. */
static void closed_form(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct held whole = with_chunk(by_pages, "eager", 0, exact);
        struct held held = with_chunk(by_pages, "eager", MIB, exact);
        double insns[EVENT_KINDS];
        ps_t price[EVENT_KINDS];
        kvm_path_lengths(true, insns);
        price_events(&n1.platform, n1.value, insns, price);
        assert_int_equal(held.count[EV_lock_yields], 63); /* 64 chunks of the slot */
        uint64_t walked = held.count[EV_walk_flush] - whole.count[EV_walk_flush];
        assert_int_equal(held.window_ps - whole.window_ps,
                         63 * price[EV_lock_yields] + walked * price[EV_walk_flush]);
    }
}

/* A leaf is never split: 2 MiB are flushed once however small the chunk is, and
 * no chunk holds the lock for less than its leaf takes. */
static void one_leaf_is_the_least(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct held leaf = with_chunk(by_blocks, "eager", 2 * MIB, exact);
        struct held less = with_chunk(by_blocks, "eager", 4 * KIB, exact);
        assert_int_equal(leaf.pause_ps, less.pause_ps);
        assert_int_equal(leaf.window_ps, less.window_ps);
        assert_int_equal(less.count[EV_flush_leaves], 32);
        assert_int_equal(lines_of(&less), 64 * MIB / 64);
    }
}

/* Who wants the lock meanwhile waits for one chunk and not for the flush. */
static void others_get_in(void **state)
{
    (void)state;
    struct held whole = with_chunk(contended, "eager-naive", 0, false);
    struct held chunks = with_chunk(contended, "eager-naive", 2 * MIB, false);
    assert_true(chunks.pause_ps < whole.pause_ps / 8);
    assert_true(chunks.count[EV_lock_handovers] >= whole.count[EV_lock_handovers]);
    assert_int_equal(chunks.worst, whole.worst);
}

/* What the host takes back and slots that go are given up between chunks as well: the kernel's
 * of 1 GiB where somebody waits and may preempt, a strategy's own always. */
#define TAKEN_BACK                                                                     \
    "[workload]\nplay = concurrent\n[vm]\nram = 4G\nbacking = thp\nvcpus = 2\n"        \
    "[slot other]\nipa = 16G\nbytes = 64M\nbacking = thp\n[timeline]\nvcpu0 = enter\n" \
    "vcpu0 = mmu on\nvcpu0 = write ram 4G\nvcpu0 = signal full\nvcpu1 = enter\n"       \
    "vcpu1 = wait full\nvcpu1 = mmu on\nvmm = wait full\nvmm = reinit 0\n"
static void what_the_host_takes_yields(void **state)
{
    static const char *const texts[] = {
        TAKEN_BACK "vmm = slot-delete ram\nvcpu1 = write other 64M\n",
        TAKEN_BACK "vmm = drop ram\nvcpu1 = write other 64M\n",
        TAKEN_BACK "vmm = notify ram 4G\nvcpu1 = write other 64M\n",
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        n1.preemptible = false;
        struct held whole = with_chunk(texts[i], "none", 0, false);
        struct held own = with_chunk(texts[i], "none", 2 * MIB, false);
        n1.preemptible = true;
        struct held chunk = with_chunk(texts[i], "none", 0, false);
        n1.preemptible = false;
        assert_true(chunk.pause_ps < whole.pause_ps * 27 / 100);
        assert_true(chunk.pause_ps > whole.pause_ps * 24 / 100);
        assert_true(own.pause_ps < whole.pause_ps / 500);
        /* A fault that comes while a notifier is under way is retried until that has ended. */
        bool retries = i > 0;
        assert_true(retries || chunk.stall_max_ps < whole.stall_max_ps / 3);
        assert_int_equal(lines_of(&chunk), lines_of(&whole));
        assert_int_equal(chunk.count[EV_unmap_leaves], whole.count[EV_unmap_leaves]);
    }
}

/* A flush that threads share holds the lock until the last of them is done, wait who may. Each of
 * the four has a chunk's end within its part. */
static void what_threads_share_does_not_yield(void **state)
{
    static const char text[] =
        "[workload]\nplay = concurrent\n[vm]\nram = 6G\nbacking = thp\nvcpus = 2\n"
        "[slot other]\nipa = 16G\nbytes = 64M\nbacking = thp\n[timeline]\nvcpu0 = enter\n"
        "vcpu0 = mmu on\nvcpu0 = write ram 6G\nvcpu0 = signal full\nvcpu1 = enter\n"
        "vcpu1 = mmu on\nvmm = wait full\nvmm = reinit 0\nvmm = signal go\nvcpu0 = wait go\n"
        "vcpu0 = enter\nvcpu1 = wait go\nvcpu1 = compute 1ms\nvcpu1 = write other 64M\n";
    (void)state;
    n1.preemptible = false;
    struct held whole = with_chunk(text, "eager-workers", 0, false);
    n1.preemptible = true;
    struct held same = with_chunk(text, "eager-workers", 0, false);
    n1.preemptible = false;
    assert_true(whole.count[EV_lock_handovers] > 0);
    assert_int_equal(same.pause_ps, whole.pause_ps);
    assert_int_equal(same.stall_max_ps, whole.stall_max_ps);
    assert_memory_equal(same.count, whole.count, sizeof whole.count);
}

static void not_with_workers(void **state)
{
    struct strategy strategy = strategy_row("eager-workers");
    struct timeline timeline;
    struct workload *workload = workload_of("generated-boot");
    struct error err = {0};
    (void)state;
    build(workload, &timeline);
    strategy.chunk = 2 * MIB;
    struct point point = {.timeline = &timeline,
                          .platform = &n1.platform,
                          .value = n1.value,
                          .kernel = &n1.kernel,
                          .strategy = &strategy};
    assert_false(sim_possible(&point, &err));
    assert_non_null(strstr(err.text, "workers 4 and a chunk"));
    assert_int_equal(err.status, EXIT_INPUT);
    strategy.workers = 2;
    assert_false(sim_possible(&point, &err));
    strategy.workers = 1;
    assert_true(sim_possible(&point, &err));
    timeline_free(&timeline);
    workload_free(workload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotone),
        cmocka_unit_test(closed_form),
        cmocka_unit_test(one_leaf_is_the_least),
        cmocka_unit_test(others_get_in),
        cmocka_unit_test(what_the_host_takes_yields),
        cmocka_unit_test(what_threads_share_does_not_yield),
        cmocka_unit_test(not_with_workers),
    };
    stage_init(&n1, "neoverse-n1", "6.1");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
