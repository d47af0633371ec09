/* On one actor, time is a sum that can be written down: the break-even sheet's
 * formulas, and the model's own with every event in it. */
#include "core/error.h"
#include "play.h"

/* What the formulas are about. */
struct scene {
    uint64_t leaves; /* M, mapped at the reset */
    uint64_t touched; /* f * M, touched after it */
    uint64_t early; /* m, of them with the MMU off */
    uint64_t leaf_bytes;
};

/* Prices of the sheet, in ps: a walk by leaf, a TLB invalidation, a line, the
 * end of a range, a fault's fixed part, the whole I-cache. */
struct sheet {
    ps_t w, t, c, d, F, I;
};

static const struct sheet sheet = {
    .w = 63000, .t = 1500000, .c = 7700, .d = 101000, .F = 2000017, .I = 800000};

static const struct scene scenes[] = {
    {1, 1, 0, 4 * KIB},         {1, 0, 0, 4 * KIB},      {7, 3, 3, 4 * KIB},
    {513, 512, 9, 4 * KIB},     {5000, 500, 0, 4 * KIB}, {5000, 2500, 9, 4 * KIB},
    {5000, 5000, 100, 4 * KIB}, {1, 1, 1, 2 * MIB},      {93, 32, 5, 2 * MIB},
    {513, 51, 5, 2 * MIB},      {513, 257, 0, 2 * MIB},  {513, 513, 513, 2 * MIB},
};
#define SCENES (sizeof scenes / sizeof *scenes)

static struct stage n1;

static uint64_t up(uint64_t count, uint64_t unit)
{
    return (count + unit - 1) / unit;
}

/* Tables below the root, which spans 1 GiB an entry with 40 bits of IPA. */
static uint64_t tables_of(const struct scene *scene)
{
    uint64_t bytes = scene->leaves * scene->leaf_bytes;
    return up(bytes, GIB) + (scene->leaf_bytes == 4 * KIB ? up(bytes, 2 * MIB) : 0);
}

/* Everything is written once; the reset; `early` leaves with the MMU off, the
 * rest of `touched` with it on. The VMM rewrites nothing. */
static void build_scene(const struct scene *scene, struct timeline *timeline)
{
    unsigned long long ram = scene->leaves * scene->leaf_bytes;
    uint64_t early = scene->early * scene->leaf_bytes;
    uint64_t late = (scene->touched - scene->early) * scene->leaf_bytes;
    char text[1024], reads[256] = "";
    if (early > 0) {
        snprintf(reads, sizeof reads, "vcpu0 = read ram %llu\n", (unsigned long long)early);
    }
    size_t used = strlen(reads);
    snprintf(reads + used, sizeof reads - used, "vcpu0 = mmu on\n");
    used = strlen(reads);
    if (late > 0) {
        snprintf(reads + used, sizeof reads - used, "vcpu0 = read ram+%llu %llu\n",
                 (unsigned long long)early, (unsigned long long)late);
    }
    snprintf(text, sizeof text,
             "[vm]\nram = %llu\nbacking = %s\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
             "vcpu0 = write ram %llu\nvmm = reinit 0\nvcpu0 = enter\n%s",
             ram, scene->leaf_bytes == 4 * KIB ? "4k" : "hugetlb", ram, reads);
    struct workload *workload = workload_good(text);
    build(workload, timeline);
    workload_free(workload);
}

/* The time from the re-init on, at the sheet's prices or (prices NULL) the
 * machine's. */
static ps_t simulate(const struct scene *scene, const struct strategy *strategy,
                     const struct sheet *prices, bool exact, ps_t price[EVENT_KINDS])
{
    struct timeline timeline;
    struct error err = {0};
    build_scene(scene, &timeline);
    struct point point = {.timeline = &timeline,
                          .platform = &n1.platform,
                          .value = n1.value,
                          .kernel = &n1.kernel,
                          .strategy = strategy,
                          .exact = exact};
    struct sim *sim = malloc(sizeof *sim);
    assert_non_null(sim);
    sim_init(sim, &point);
    if (prices) {
        memset(sim->price, 0, sizeof sim->price);
        sim->price[EV_unmap_leaves] = prices->w;
        /* The sheet leaves the walk of a toggle's flush out. */
        sim->price[EV_flush_leaves] = strategy->reinit_unmap == UNMAP_ALL ? 0 : prices->w;
        sim->price[EV_tlbi_calls] = prices->t;
        sim->price[EV_line_absent] = sim->price[EV_line_clean] = prices->c;
        sim->price[EV_line_dirty] = prices->c;
        sim->price[EV_cmo_calls] = prices->d;
        sim->price[EV_fault_path] = prices->F;
        sim->price[EV_ic_ialluis] = prices->I;
    }
    memcpy(price, sim->price, sizeof sim->price);
    assert_true(sim_run(sim, &err));
    ps_t ps = sim_window_ps(sim);
    play_free(sim);
    timeline_free(&timeline);
    return ps;
}

/* --- the break-even sheet --- */

/* C: one leaf's clean+invalidate. */
static ps_t leaf_cmo(const struct scene *scene)
{
    return scene->leaf_bytes / 64 * sheet.c + sheet.d;
}

static ps_t sheet_unmap(const struct scene *s)
{
    ps_t C = leaf_cmo(s);
    return s->leaves * (sheet.w + sheet.t + C) + tables_of(s) * sheet.t +
           s->touched * (sheet.F + C) + s->early * C;
}

static ps_t sheet_unmap_lazy(const struct scene *s)
{
    return sheet_unmap(s) - s->leaves * leaf_cmo(s);
}

/* The note's: tables are cleared, TLBs invalidated once for the whole VM, and lines cleaned at
 * the fault. */
static ps_t sheet_note(const struct scene *s)
{
    return s->leaves * sheet.w + s->touched * (sheet.F + leaf_cmo(s));
}

static ps_t sheet_eager(const struct scene *s)
{
    return s->leaves * (sheet.w + leaf_cmo(s)) + sheet.I;
}

/* The flush of all, once more. */
static ps_t sheet_eager_toggle1(const struct scene *s)
{
    return sheet_eager(s) + s->leaves * (sheet.w + leaf_cmo(s));
}

static ps_t sheet_fwb(const struct scene *s)
{
    (void)s;
    return sheet.I;
}

static ps_t sheet_none(const struct scene *s)
{
    (void)s;
    return 0;
}

static void test_sheet(void **state)
{
    (void)state;
    static const struct {
        const char *strategy;
        ps_t (*form)(const struct scene *scene);
    } rows[] = {
        {"unmap", sheet_unmap},
        {"unmap-lazy", sheet_unmap_lazy},
        {"reinit-lazy", sheet_unmap_lazy},
        {"reinit-lazy-vmall-toggle0", sheet_note},
        {"eager", sheet_eager},
        {"eager-toggle1", sheet_eager_toggle1},
        {"eager-naive", sheet_eager_toggle1},
        {"fwb", sheet_fwb},
        {"none", sheet_none},
    };
    ps_t price[EVENT_KINDS];
    for (size_t i = 0; i < SCENES; i++) {
        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
            struct strategy strategy = strategy_row(rows[row].strategy);
            for (int exact = 0; exact < 2; exact++) {
                ps_t found = simulate(&scenes[i], &strategy, &sheet, exact, price);
                if (found != rows[row].form(&scenes[i])) {
                    print_error("%s, scene %zu, exact %d\n", strategy.name, i, exact);
                }
                assert_int_equal(found, rows[row].form(&scenes[i]));
            }
        }
    }
}

/* Lazy unmapping and the eager flush cost the same where
 *     f* M = (M (C - t) - T t + I) / (F + C)
 * leaves are touched. */
static void test_break_even(void **state)
{
    (void)state;
    struct strategy lazy = strategy_row("unmap-lazy"), eager = strategy_row("eager");
    struct scene scene = {.leaves = 400, .leaf_bytes = 2 * MIB};
    ps_t price[EVENT_KINDS], C = leaf_cmo(&scene);
    uint64_t touched =
        (scene.leaves * (C - sheet.t) + sheet.I - tables_of(&scene) * sheet.t) / (sheet.F + C);
    assert_true(touched > 0 && touched < scene.leaves);
    for (uint64_t step = 0; step < 2; step++) {
        scene.touched = touched + step;
        ps_t unmapped = simulate(&scene, &lazy, &sheet, false, price);
        ps_t flushed = simulate(&scene, &eager, &sheet, false, price);
        assert_true(step == 0 ? unmapped <= flushed : unmapped > flushed);
    }
    /* By 4 KiB leaves the invalidation costs more than the lines: eager wins
     * even where nothing is touched again. */
    scene = (struct scene){.leaves = 5000, .leaf_bytes = 4 * KIB};
    assert_true(leaf_cmo(&scene) < sheet.t);
    assert_true(simulate(&scene, &lazy, &sheet, false, price) >
                simulate(&scene, &eager, &sheet, false, price));
}

/* The note's own pair, with equal toggles: f* M = (M C + I) / (F + C). */
static void test_break_even_of_the_note(void **state)
{
    (void)state;
    static const uint64_t leaf_bytes[] = {4 * KIB, 2 * MIB};
    struct strategy lazy = strategy_row("reinit-lazy-vmall-toggle0"), eager = strategy_row("eager");
    for (size_t i = 0; i < sizeof leaf_bytes / sizeof *leaf_bytes; i++) {
        struct scene scene = {.leaves = 400, .leaf_bytes = leaf_bytes[i]};
        ps_t price[EVENT_KINDS], C = leaf_cmo(&scene);
        uint64_t touched = (scene.leaves * C + sheet.I) / (sheet.F + C);
        assert_true(touched > 0 && touched < scene.leaves);
        for (uint64_t step = 0; step < 2; step++) {
            scene.touched = touched + step;
            ps_t unmapped = simulate(&scene, &lazy, &sheet, false, price);
            ps_t flushed = simulate(&scene, &eager, &sheet, false, price);
            assert_true(step == 0 ? unmapped <= flushed : unmapped > flushed);
        }
    }
}

/* --- the model's own forms --- */

static uint64_t guest_walk(const struct scene *scene, uint64_t s1_levels)
{
    uint64_t s2_levels = scene->leaf_bytes == 4 * KIB ? 3 : 2;
    return (s1_levels + 1) * (s2_levels + 1) - 1;
}

/* What the guest itself does after the re-init, on a machine without caches:
 * one walk a leaf, each line from memory or, by 16 bytes, past the caches. */
static ps_t guest_part(const struct scene *s, const ps_t *price, bool fwb)
{
    uint64_t late = s->touched - s->early, lines = s->leaf_bytes / 4096 * 32;
    return late * lines * price[EV_guest_misses] +
           s->early * lines * (fwb ? price[EV_guest_misses] : 4 * price[EV_uncached]) +
           s->early * guest_walk(s, 0) * price[EV_walk_reads] +
           late * guest_walk(s, 4) * price[EV_walk_reads];
}

static ps_t flush_part(const struct scene *s, const ps_t *price, uint64_t leaves)
{
    uint64_t lines = s->leaf_bytes / 64;
    return leaves * (price[EV_flush_leaves] + lines * price[EV_line_absent] + price[EV_cmo_calls]);
}

/* Entries that a walk of the whole slot meets or goes through when the first
 * `leaves` leaves of it are mapped. */
static uint64_t walk_entries(const struct scene *s, uint64_t leaves)
{
    uint64_t slot = s->leaves * s->leaf_bytes, mapped = leaves * s->leaf_bytes;
    uint64_t gigs = up(slot, GIB), mapped_gigs = up(mapped, GIB);
    uint64_t inside = mapped_gigs * GIB < slot ? mapped_gigs * GIB : slot;
    uint64_t blocks = up(inside, 2 * MIB), entries = gigs + blocks;
    if (s->leaf_bytes == 4 * KIB) {
        uint64_t covered = up(mapped, 2 * MIB) * 2 * MIB;
        entries += (covered < slot ? covered : slot) / (4 * KIB);
    }
    return entries;
}

static uint64_t tables_for(const struct scene *s, uint64_t leaves)
{
    struct scene mapped = *s;
    mapped.leaves = leaves;
    return tables_of(&mapped);
}

/* Entries met by a flush: those of the tables but not the tables' own. */
static uint64_t flush_entries(const struct scene *s, uint64_t leaves)
{
    return walk_entries(s, leaves) - tables_for(s, leaves);
}

/* A fault's walk finds no leaf: it reads one entry more than tables exist. */
static uint64_t failed_reads(const struct scene *s)
{
    bool small = s->leaf_bytes == 4 * KIB;
    uint64_t reads = 0;
    for (uint64_t i = 0; i < s->touched; i++) {
        uint64_t at = i * s->leaf_bytes;
        bool gig = at % GIB != 0, block = at % (2 * MIB) != 0;
        reads += 1 + gig + (small && block);
    }
    return reads;
}

static ps_t full_unmap(const struct scene *s, const ps_t *price)
{
    uint64_t M = s->leaves, k = s->touched, T = tables_of(s), lines = s->leaf_bytes / 64;
    ps_t clean = lines * price[EV_line_absent] + price[EV_cmo_calls];
    ps_t unmap = price[EV_reinits] + price[EV_unmap_vm_calls] +
                 walk_entries(s, M) * price[EV_walk_unmap] + M * price[EV_unmap_leaves] +
                 T * price[EV_s2_tables_free] + (M + T) * price[EV_tlbi_calls] + M * clean;
    ps_t fault = k * (price[EV_exits] + price[EV_fault_path] + price[EV_map_calls] + clean) +
                 (s->leaf_bytes > 4 * KIB ? k * price[EV_block_path] : 0) +
                 failed_reads(s) * price[EV_walk_reads] +
                 tables_for(s, k) * price[EV_s2_tables_alloc];
    ps_t toggle = price[EV_toggle_traps] + price[EV_flush_vm_calls] +
                  flush_entries(s, s->early) * price[EV_walk_flush] +
                  flush_part(s, price, s->early);
    return unmap + fault + toggle + guest_part(s, price, false);
}

static ps_t full_eager(const struct scene *s, const ps_t *price)
{
    return price[EV_reinits] + price[EV_flush_vm_calls] +
           flush_entries(s, s->leaves) * price[EV_walk_flush] + flush_part(s, price, s->leaves) +
           price[EV_ic_ialluis] + price[EV_toggle_traps] + guest_part(s, price, false);
}

static ps_t full_fwb(const struct scene *s, const ps_t *price)
{
    return price[EV_reinits] + price[EV_ic_ialluis] + guest_part(s, price, true);
}

static void expect_full(const char *name, ps_t (*form)(const struct scene *, const ps_t *))
{
    struct strategy strategy = strategy_row(name);
    ps_t price[EVENT_KINDS];
    for (size_t i = 0; i < SCENES; i++) {
        for (int exact = 0; exact < 2; exact++) {
            ps_t found = simulate(&scenes[i], &strategy, NULL, exact, price);
            if (found != form(&scenes[i], price)) {
                print_error("%s, scene %zu, exact %d: off by %lld ps\n", name, i, exact,
                            (long long)(found - form(&scenes[i], price)));
            }
            assert_int_equal(found, form(&scenes[i], price));
        }
    }
}

static void test_full_unmap(void **state)
{
    (void)state;
    expect_full("unmap", full_unmap);
}

static void test_full_eager(void **state)
{
    (void)state;
    expect_full("eager", full_eager);
}

static void test_full_fwb(void **state)
{
    (void)state;
    expect_full("fwb", full_fwb);
}

/* A machine whose caches hold nothing: what a line costs does not depend on
 * what happened before. */
static int set_up(void **state)
{
    (void)state;
    stage_init(&n1, "neoverse-n1", "6.1");
    n1.platform.cache_bytes = 0;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sheet),
        cmocka_unit_test(test_break_even),
        cmocka_unit_test(test_break_even_of_the_note),
        cmocka_unit_test(test_full_unmap),
        cmocka_unit_test(test_full_eager),
        cmocka_unit_test(test_full_fwb),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
