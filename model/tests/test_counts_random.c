/* Random operations on random VMs: what must hold whatever is counted. */
#include "core/error.h"
#include "random_case.h"

#include <string.h>

#include "check/counts/counts.h"
#include "core/units.h"
#include "run/sim.h"

#define CASES 600

static const char *const kernels[] = {"5.10", "5.13", "5.14", "6.1",  "6.2",  "6.5",  "6.6",
                                      "6.7",  "6.8",  "6.9",  "6.10", "6.12", "6.13", "7.3"};
static const char *const cpus[] = {"cortex-a72", "neoverse-n1", "max", "neoverse-n2", "cortex-a55"};

struct trial {
    struct dice dice;
    uint64_t seed;
    struct kernel kernel;
    struct platform platform;
    double value[COSTS];
    struct kvmcase_shape shape;
    struct timeline timeline;
    struct sim exact, fast;
};

static void choose_machine(struct trial *trial)
{
    struct platform base;
    struct error err = {0};
    const char *cpu = cpus[roll(&trial->dice, sizeof cpus / sizeof *cpus)];
    const char *kernel = kernels[roll(&trial->dice, sizeof kernels / sizeof *kernels)];
    assert_true(kernel_resolve(kernel, &trial->kernel, &err));
    assert_true(platform_load("neoverse-n1", &base, &err));
    assert_true(platform_as_cpu(cpu, &base, &trial->platform, &err));
    trial->platform.cache_bytes = chance(&trial->dice, 30) ? MIB : 0;
    platform_modes(&trial->platform, trial->value);
}

static void play(struct trial *trial, struct sim *sim, bool exact, const struct point *point)
{
    struct error err = {0};
    sim_init(sim, point);
    assert_int_equal(point->exact, exact);
    assert_true(sim_run(sim, &err));
    (void)trial;
}

static uint64_t all_of(const struct sim *sim, enum event_kind kind)
{
    return sim_count(sim, LEDGER_ALL, LEDGER_ALL, kind);
}

/* --- what must hold --- */

static void expect_mapped(struct sim *sim)
{
    uint64_t left = all_of(sim, EV_map_bytes) - all_of(sim, EV_unmap_bytes);
    assert_int_equal(sim->kvm.stage2.map.covered, left);
    assert_int_equal(stage2_mapped(&sim->kvm.stage2, 0, TIB), left);
}

/* Each span of a table with a leaf deeper than it in it has that table. */
static uint64_t tables_by_leaves(struct sim *sim)
{
    const struct geometry *geometry = &sim->kvm.stage2.geometry;
    uint64_t tables = 0;
    for (uint32_t level = 0; level < geometry->table_levels; level++) {
        uint64_t last = UINT64_MAX;
        struct leaves leaves;
        for (uint64_t at = 0; stage2_next(&sim->kvm.stage2, at, TIB, &leaves); at = leaves.end) {
            uint64_t size = geometry->leaf_bytes[leaves.level];
            for (uint64_t leaf = leaves.start; leaf < leaves.end; leaf += size) {
                uint64_t span = leaf / geometry->table_span[level];
                tables += (uint32_t)leaves.level <= level && span != last;
                last = (uint32_t)leaves.level <= level ? span : last;
            }
        }
    }
    return tables;
}

static void expect_tables(struct sim *sim)
{
    uint64_t left = all_of(sim, EV_s2_tables_alloc) - all_of(sim, EV_s2_tables_free);
    assert_int_equal(sim->kvm.stage2.tables, left);
    assert_int_equal(tables_by_leaves(sim), left);
    assert_int_equal(all_of(sim, EV_tlbi_table), all_of(sim, EV_s2_tables_free));
}

/* Without FWB each leaf that is mapped, unmapped or flushed is cleaned once;
 * kernels that clean before the map call also clean pages that change_pte then
 * can't map. */
static void expect_lines(const struct trial *trial, const struct sim *sim)
{
    uint64_t lines =
        all_of(sim, EV_line_absent) + all_of(sim, EV_line_clean) + all_of(sim, EV_line_dirty);
    uint64_t passed =
        all_of(sim, EV_map_bytes) + all_of(sim, EV_unmap_bytes) + all_of(sim, EV_flush_bytes);
    uint64_t bytes = lines * trial->platform.line_bytes;
    if (trial->platform.fwb) {
        assert_int_equal(lines, 0);
    } else if (trial->kernel.value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER) {
        assert_true(bytes >= passed && (bytes - passed) % KVMCASE_PAGE == 0);
        assert_true((bytes - passed) / KVMCASE_PAGE <= all_of(sim, EV_set_spte));
    } else {
        assert_int_equal(bytes, passed);
    }
}

/* One invalidation for each leaf unmapped or relaxed and for each table freed,
 * unless a range stands for the leaves. */
static void expect_tlbi(const struct trial *trial, const struct sim *sim)
{
    uint64_t sequences = all_of(sim, EV_tlbi_calls) + all_of(sim, EV_tlbi_local);
    uint64_t always = all_of(sim, EV_relax_calls) + all_of(sim, EV_s2_tables_free);
    bool defers =
        trial->platform.fwb && trial->platform.tlbirange && trial->kernel.value[SWITCH_TLBI_DEFER];
    if (defers) {
        assert_true(sequences >= always);
    } else {
        assert_int_equal(sequences, always + all_of(sim, EV_unmap_leaves));
        assert_int_equal(all_of(sim, EV_tlbi_range), 0);
    }
}

/* Every fault maps, relaxes, or made the host change something first. */
static void expect_faults(const struct sim *sim)
{
    uint64_t faults = all_of(sim, EV_data_tr_w) + all_of(sim, EV_data_tr_r) +
                      all_of(sim, EV_data_tr_x) + all_of(sim, EV_data_perm_w) +
                      all_of(sim, EV_data_perm_x) + all_of(sim, EV_code_faults);
    uint64_t by_faults =
        all_of(sim, EV_map_calls) - all_of(sim, EV_set_spte) + all_of(sim, EV_relax_calls);
    assert_true(faults >= by_faults);
    assert_true(faults - by_faults <= all_of(sim, EV_gfn_unmap));
}

/* Fidelity is about timing; what is counted must not depend on it. */
static void expect_same_counts(const struct sim *exact, const struct sim *fast)
{
    for (uint32_t phase = 0; phase < exact->point->timeline->phase_count; phase++) {
        for (size_t column = 0; column < count_column_count; column++) {
            for (uint32_t i = 0; i < count_columns[column].kind_count; i++) {
                enum event_kind kind = count_columns[column].kinds[i];
                bool by_cache =
                    kind == EV_line_absent || kind == EV_line_clean || kind == EV_line_dirty;
                if (!by_cache && sim_count(exact, phase, LEDGER_ALL, kind) !=
                                     sim_count(fast, phase, LEDGER_ALL, kind)) {
                    fail_msg("phase %u: %llu %s exact, %llu fast", phase,
                             (unsigned long long)sim_count(exact, phase, LEDGER_ALL, kind),
                             event_name[kind],
                             (unsigned long long)sim_count(fast, phase, LEDGER_ALL, kind));
                }
            }
        }
    }
}

static void expect_laws(const struct trial *trial, struct sim *sim)
{
    expect_mapped(sim);
    expect_tables(sim);
    expect_lines(trial, sim);
    expect_tlbi(trial, sim);
    expect_faults(sim);
}

static void try(struct trial *trial, uint64_t seed)
{
    struct error err = {0};
    trial->dice = dice_of(seed);
    trial->seed = seed;
    choose_machine(trial);
    random_shape(&trial->dice, &trial->shape);
    random_operations(&trial->dice, &trial->shape, &trial->timeline);
    const struct strategy *strategy = strategy_find(trial->platform.fwb ? "fwb" : "unmap", &err);
    struct point point = {.timeline = &trial->timeline,
                          .platform = &trial->platform,
                          .value = trial->value,
                          .kernel = &trial->kernel,
                          .strategy = strategy,
                          .exact = true};
    struct point quick = point;
    quick.exact = false;
    play(trial, &trial->exact, true, &point);
    play(trial, &trial->fast, false, &quick);
    expect_laws(trial, &trial->exact);
    expect_laws(trial, &trial->fast);
    expect_same_counts(&trial->exact, &trial->fast);
    sim_free(&trial->exact);
    sim_free(&trial->fast);
    timeline_free(&trial->timeline);
}

static void random_sequences_keep_the_laws(void **state)
{
    static struct trial trial;
    (void)state;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        try(&trial, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences_keep_the_laws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
