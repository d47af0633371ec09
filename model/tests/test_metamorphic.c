/* What must not matter to a run does not, and what must, does by as much as it says: seeded random
 * cases are changed in one way whose effect is known without a model, and played again.
 *
 * - Time is counts times prices, so that a cost twice as high adds to a run in which nobody waits
 *   what it was charged for, and changes no count.
 * - A phase is a name for a stretch of the timeline; what happens knows nothing of it.
 * - A slot in which nothing is costs the walks over it, and nothing else.
 * - Accesses to two neighbouring ranges, one after the other, are the accesses to both.
 * - A kernel is its switches and a strategy its choices: one that is changed into another is that.
 */
#include "core/error.h"
#include "random_outcome.h"

#include <stdlib.h>
#include <string.h>

#include "guest/timeline.h"
#include "study/setup.h"

#define CASES 72
#define SEED 70001

static const enum random_kind kinds[] = {RANDOM_SERIAL, RANDOM_GENERATED, RANDOM_PARALLEL};
#define KINDS (sizeof kinds / sizeof *kinds)

/* --- a run, and what of two runs must be equal --- */

static struct sim *play_case(const struct random_case *of, bool exact)
{
    struct point point = random_case_point(of, exact);
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    assert_non_null(sim);
    sim_init(sim, &point);
    if (!sim_run(sim, &err)) {
        fail_msg("%s", err.text);
    }
    return sim;
}

static void drop(struct sim *sim)
{
    sim_free(sim);
    free(sim);
}

static bool nobody_waited(const struct sim *sim)
{
    return !sim->engine.overlapped &&
           ledger_waited(&sim->ledger, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL) == 0;
}

static bool same_verdicts(const struct sim *a, const struct sim *b)
{
    bool same = true;
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *x = &a->memory.oracle.verdict[reader];
        const struct verdict *y = &b->memory.oracle.verdict[reader];
        same &= x->outcome == y->outcome && x->conditions == y->conditions &&
                x->lines_read == y->lines_read && x->lines_stale == y->lines_stale &&
                x->lines_conditional == y->lines_conditional;
    }
    return same;
}

/* Every count at every site, every time, what stage 2 holds and every verdict. */
static void expect_equal(const struct sim *a, const struct sim *b, uint64_t seed, const char *what)
{
    size_t bytes = WINDOW_CELLS * sizeof *a->window;
    bool same = a->end_ps == b->end_ps && a->reinit_ps == b->reinit_ps &&
                a->first_insn_ps == b->first_insn_ps && sim_cpu_ps(a) == sim_cpu_ps(b) &&
                memcmp(a->window, b->window, bytes) == 0 &&
                memcmp(a->before, b->before, bytes) == 0 && same_verdicts(a, b) &&
                a->stalls.count == b->stalls.count;
    if (!same) {
        fail_msg("seed %llu: %s: %llu and %llu ps", (unsigned long long)seed, what,
                 (unsigned long long)a->end_ps, (unsigned long long)b->end_ps);
    }
}

static void expect_equal_stalls(const struct sim *a, const struct sim *b)
{
    for (int percent = 1; percent <= 100; percent++) {
        assert_int_equal(histogram_quantile(&a->stalls, percent / 100.0),
                         histogram_quantile(&b->stalls, percent / 100.0));
    }
}

/* --- costs --- */

/* What one event of a kind costs more where a cost is twice as high, or a bandwidth half of what
 * it was; 0 for the kinds that it does not price. */
static double doubled_adds_ns(int cost, int kind, const struct random_case *of)
{
#define VALUE(name) of->value[COST_##name]
    switch (cost) {
    case COST_exit_ns:
        return kind == EV_exits || kind == EV_toggle_traps || kind == EV_setway_traps
                   ? VALUE(exit_ns)
                   : 0;
    case COST_hvc_ns:
        return kind == EV_hyp_calls ? VALUE(hvc_ns) : 0;
    case COST_dc_absent_ns:
        return kind == EV_line_absent  ? VALUE(dc_absent_ns)
               : kind == EV_line_clean ? VALUE(dc_absent_ns) * VALUE(dc_clean_ratio)
               : kind == EV_line_dirty
                   ? VALUE(dc_absent_ns) * VALUE(dc_clean_ratio) * VALUE(dc_dirty_ratio)
                   : 0;
    case COST_dsb_ns:
        return kind == EV_cmo_calls ? VALUE(dsb_ns) : 0;
    case COST_ic_line_ns:
        return kind == EV_icache_lines ? VALUE(ic_line_ns) : 0;
    case COST_ic_all_ns:
        return kind == EV_ic_ialluis && !of->platform.dic ? VALUE(ic_all_ns) : 0;
    case COST_tlbi_ns:
        return kind == EV_tlbi_calls || kind == EV_tlbi_vmid   ? VALUE(tlbi_ns)
               : kind == EV_tlbi_third || kind == EV_host_tlbi ? VALUE(tlbi_ns) / 2
                                                               : 0;
    case COST_tlbi_local_ns:
        return kind == EV_tlbi_local ? VALUE(tlbi_local_ns) : 0;
    case COST_tlbi_range_ns:
        return kind == EV_tlbi_range ? VALUE(tlbi_range_ns) : 0;
    case COST_memory_ns:
        return kind == EV_guest_misses   ? VALUE(memory_ns) / VALUE(overlap)
               : kind == EV_guest_remote ? VALUE(memory_ns) / VALUE(overlap) * VALUE(remote_ratio)
               : kind == EV_host_lines   ? VALUE(memory_ns)
                                         : 0;
    case COST_uncached_ns:
        return kind == EV_uncached ? VALUE(uncached_ns) : 0;
    case COST_walk_read_ns:
        return kind == EV_walk_reads ? VALUE(walk_read_ns) : 0;
    case COST_guest_cpi:
        return kind == EV_guest_insns ? VALUE(guest_cpi) / of->platform.clock_ghz : 0;
    case COST_copy_gbps:
        return kind == EV_vmm_bytes ? 1024 / VALUE(copy_gbps) : 0;
    case COST_zero_gbps:
        return kind == EV_zero_bytes ? 1024 / VALUE(zero_gbps) : 0;
    default:
        return 0; /* prices only together with others, or only what is waited for */
    }
#undef VALUE
}

static bool is_bandwidth(int cost)
{
    return cost == COST_copy_gbps || cost == COST_zero_gbps;
}

/* Plays the case with one cost doubled and looks at what that added. Prices are whole picoseconds,
 * so that each event may be off by two roundings of half of one. */
static void double_cost(struct random_case *of, int cost, const struct sim *before, uint64_t seed)
{
    double value = of->value[cost], adds_ps = 0;
    uint64_t events = 0;
    for (size_t cell = 0; cell < WINDOW_CELLS; cell++) {
        double one_ns = doubled_adds_ns(cost, (int)(cell % EVENT_KINDS), of);
        adds_ps += one_ns * 1e3 * (double)before->window[cell];
        events += one_ns > 0 ? before->window[cell] : 0;
    }
    of->value[cost] = is_bandwidth(cost) ? value / 2 : value * 2;
    struct sim *after = play_case(of, false);
    of->value[cost] = value;
    if (nobody_waited(after)) {
        double added_ps = (double)sim_window_ps(after) - (double)sim_window_ps(before);
        assert_memory_equal(before->window, after->window, WINDOW_CELLS * sizeof *after->window);
        if (added_ps > adds_ps + (double)events || added_ps < adds_ps - (double)events) {
            fail_msg("seed %llu: %s twice as high adds %.0f ps, not %.0f", (unsigned long long)seed,
                     cost_name[cost], added_ps, adds_ps);
        }
    }
    drop(after);
}

/* Doubles each cost that the case was charged for. */
static void double_costs(struct random_case *of, uint64_t seed, bool seen[EVENT_KINDS])
{
    struct sim *before = play_case(of, false);
    for (int cost = 0; cost < COSTS && nobody_waited(before); cost++) {
        uint64_t events = 0;
        for (size_t cell = 0; cell < WINDOW_CELLS; cell++) {
            int kind = (int)(cell % EVENT_KINDS);
            if (before->window[cell] > 0 && doubled_adds_ns(cost, kind, of) > 0) {
                events++;
                seen[kind] = true;
            }
        }
        if (events > 0) {
            double_cost(of, cost, before, seed);
        }
    }
    drop(before);
}

/* The cases have an event of every kind that is looked at. */
static void expect_all_seen(const bool seen[EVENT_KINDS])
{
    struct random_case any = {.platform = {.clock_ghz = 1}};
    for (int cost = 0; cost < COSTS; cost++) {
        any.value[cost] = 1;
    }
    for (size_t i = 0; i < (size_t)COSTS * EVENT_KINDS; i++) {
        int cost = (int)(i % COSTS), kind = (int)(i / COSTS);
        if (doubled_adds_ns(cost, kind, &any) > 0 && !seen[kind]) {
            fail_msg("no case has %s", event_name[kind]);
        }
    }
}

static void a_doubled_cost_doubles_its_part(void **state)
{
    (void)state;
    bool seen[EVENT_KINDS] = {false};
    for (uint64_t seed = SEED; seed < SEED + CASES; seed++) {
        struct random_case of;
        random_case_make(&of, seed % 8 ? RANDOM_SERIAL : RANDOM_GENERATED, seed);
        if (seed % 2) {
            of.strategy = strategy_more[seed / 2 % strategy_more_count];
        }
        double_costs(&of, seed, seen);
        random_case_free(&of);
    }
    expect_all_seen(seen);
}

/* --- phases --- */

static void a_phase_has_no_effect(void **state)
{
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + some_cases(CASES); seed++) {
        struct random_case of;
        bool exact = seed % 2;
        random_case_make(&of, kinds[seed % KINDS], seed);
        struct sim *before = play_case(&of, exact);
        struct timeline *timeline = &of.timeline;
        uint32_t first = timeline->phase_count, added = 7;
        for (uint32_t i = 0; i < added; i++) {
            timeline_phase(timeline, "of its own");
        }
        for (uint32_t s = 0; s < timeline->script_count; s++) {
            for (size_t i = 0; i < timeline->scripts[s].count; i++) {
                timeline->scripts[s].ops[i].phase = first + (uint32_t)(i % added);
            }
        }
        struct sim *after = play_case(&of, exact);
        expect_equal(before, after, seed, "phases");
        expect_equal_stalls(before, after);
        drop(before);
        drop(after);
        random_case_free(&of);
    }
}

/* --- slots --- */

/* What a walk over nothing counts, and the call that changes it. */
static bool is_walk(int kind)
{
    return kind == EV_slot_changes || kind == EV_walk_unmap || kind == EV_walk_flush ||
           kind == EV_unmap_calls || kind == EV_flush_calls || kind == EV_hyp_calls ||
           kind == EV_tlbi_range || kind == EV_tlbi_vmid;
}

/* Runs in which actors meet are left out: who comes first may hang on the walks. */
static void an_empty_slot_costs_its_walks(void **state)
{
    (void)state;
    size_t alone = 0;
    for (uint64_t seed = SEED; seed < SEED + some_cases(CASES); seed++) {
        struct random_case of;
        struct error err = {0};
        struct slot_shape spare = {.ipa = UINT64_C(1) << 36, .bytes = 8 * MIB};
        random_case_make(&of, seed % 3 ? RANDOM_SERIAL : RANDOM_GENERATED, seed);
        struct sim *before = play_case(&of, false);
        assert_true(vm_shape_slot(&of.timeline.vm, spare, &err));
        struct sim *after = play_case(&of, false);
        if (nobody_waited(before) && nobody_waited(after)) {
            ps_t walks_ps = 0;
            alone++;
            for (size_t cell = 0; cell < WINDOW_CELLS; cell++) {
                int kind = (int)(cell % EVENT_KINDS);
                uint64_t more = after->window[cell] - before->window[cell];
                if (more > 0 && !is_walk(kind)) {
                    fail_msg("seed %llu: an empty slot changes %s", (unsigned long long)seed,
                             event_name[kind]);
                }
                walks_ps += more * after->price[kind];
            }
            assert_int_equal(sim_window_ps(after), sim_window_ps(before) + walks_ps);
            assert_true(same_verdicts(before, after));
        }
        drop(before);
        drop(after);
        random_case_free(&of);
    }
    assert_true(alone > some_cases(CASES) / 3);
}

/* --- touches --- */

static void append(struct script *script, struct op op)
{
    if (script->count == script->room) {
        script->room = 2 * script->room + 8;
        script->ops = realloc(script->ops, script->room * sizeof *script->ops);
        assert_non_null(script->ops);
    }
    script->ops[script->count++] = op;
}

/* Where a touch may be cut: between two leaves of 2 MiB, and so of any size. 0: nowhere. */
static uint64_t cut_of(const struct op *op, const struct vm_shape *vm)
{
    uint64_t middle = (op->ipa + op->bytes / 2) & ~(2 * MIB - 1);
    for (uint32_t i = 0; i < vm->slot_count; i++) {
        const struct slot_shape *slot = &vm->slots[i];
        if (op->ipa >= slot->ipa && op->ipa + op->bytes <= slot->ipa + slot->bytes) {
            return op->kind == OP_TOUCH && op->count == 1 && middle > op->ipa ? middle - op->ipa
                                                                              : 0;
        }
    }
    return 0;
}

static size_t split_touches(struct script *script, const struct vm_shape *vm)
{
    struct script split = {.vcpu = script->vcpu};
    size_t cuts = 0;
    for (size_t i = 0; i < script->count; i++) {
        struct op op = script->ops[i], rest = op;
        uint64_t cut = cut_of(&op, vm);
        if (cut > 0) {
            op.bytes = cut;
            rest.ipa += cut;
            rest.bytes -= cut;
            append(&split, op);
            cuts++;
        }
        append(&split, rest);
    }
    free(script->ops);
    *script = split;
    return cuts;
}

/* What is mapped already is accessed in one step, and in fast fidelity faults come in steps, too.
 * Where actors meet, others may come between two halves and not into the whole: there only exact
 * fidelity is compared, to a hundredth. */
static void compare_halves(const struct sim *before, const struct sim *after, bool exact,
                           uint64_t seed)
{
    if (nobody_waited(before) && nobody_waited(after)) {
        expect_equal(before, after, seed, "halves");
        if (exact) {
            expect_equal_stalls(before, after);
        }
    } else if (exact) {
        double whole = (double)before->end_ps, halves = (double)after->end_ps;
        assert_true(halves > whole * 0.99 && halves < whole * 1.01);
    }
}

static void a_touch_in_two_halves_is_the_whole(void **state)
{
    (void)state;
    size_t cuts = 0;
    for (uint64_t seed = SEED; seed < SEED + some_cases(CASES); seed++) {
        struct random_case of;
        bool exact = seed % 2;
        size_t now = 0;
        random_case_make(&of, kinds[seed % KINDS], seed);
        struct sim *before = play_case(&of, exact);
        for (uint32_t s = 0; s < of.timeline.script_count; s++) {
            now += split_touches(&of.timeline.scripts[s], &of.timeline.vm);
        }
        if (now > 0) {
            struct sim *after = play_case(&of, exact);
            compare_halves(before, after, exact, seed);
            drop(after);
            cuts += now;
        }
        drop(before);
        random_case_free(&of);
    }
    print_message("%zu touches cut\n", cuts);
    assert_true(cuts > some_cases(CASES) / 2);
}

/* --- kernels and strategies --- */

struct words {
    char text[1024];
};

/* Adds "switch=value" for each setting of a kernel. */
static void take_switch(void *context, const struct setting_line *line)
{
    struct words *words = context;
    size_t at = strlen(words->text);
    if (strcmp(line->key, "name") != 0) {
        snprintf(words->text + at, sizeof words->text - at, " %s=%s", line->key, line->value);
    }
}

static void play_both(const struct random_case *one, const struct random_case *other, bool exact,
                      uint64_t seed, const char *what)
{
    struct sim *a = play_case(one, exact), *b = play_case(other, exact);
    expect_equal(a, b, seed, what);
    expect_equal_stalls(a, b);
    drop(a);
    drop(b);
}

static void overrides_make_another_version(void **state)
{
    static const char *const versions[] = {"5.10", "5.14", "6.1",  "6.2", "6.5",
                                           "6.7",  "6.12", "6.16", "7.3"};
    enum { VERSIONS = sizeof versions / sizeof *versions };
    (void)state;
    for (size_t i = 0; i < VERSIONS * VERSIONS; i += 2) {
        struct error err = {0};
        struct kernel wanted, changed;
        struct words words = {.text = ""};
        struct random_case of;
        assert_true(kernel_resolve(versions[i / VERSIONS], &wanted, &err));
        setup_list_kernel(&wanted, take_switch, &words);
        assert_true(kernel_resolve(versions[i % VERSIONS], &changed, &err));
        if (!kernel_override(&changed, words.text, NULL, &err)) {
            fail_msg("%s", err.text);
        }
        assert_memory_equal(wanted.value, changed.value, sizeof wanted.value);
        random_case_make(&of, kinds[i % KINDS], SEED + i);
        struct random_case other = of;
        of.kernel = wanted;
        other.kernel = changed;
        play_both(&of, &other, i % 2, SEED + i, "a version by its switches");
        random_case_free(&of);
    }
}

/* Gives a strategy each key of another. */
static void take_key(void *context, const struct setting_line *line)
{
    struct error err = {0};
    bool is_name = strcmp(line->key, "name") == 0 || strcmp(line->key, "title") == 0 ||
                   strcmp(line->key, "caveat") == 0 || strcmp(line->key, "upstream") == 0;
    if (!is_name && !strategy_set(context, line->key, line->value, NULL, &err)) {
        fail_msg("%s", err.text);
    }
}

static void keys_make_another_strategy(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * strategy_count; i++) {
        struct random_case of;
        random_case_make(&of, kinds[i % KINDS], SEED + i);
        struct random_case other = of;
        of.strategy = strategy_rows[i % strategy_count];
        other.strategy = strategy_rows[(i * 5 + 3) % strategy_count];
        setup_list_strategy(&of.strategy, take_key, &other.strategy);
        play_both(&of, &other, i % 2, SEED + i, of.strategy.name);
        random_case_free(&of);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubled_cost_doubles_its_part),
        cmocka_unit_test(a_phase_has_no_effect),
        cmocka_unit_test(an_empty_slot_costs_its_walks),
        cmocka_unit_test(a_touch_in_two_halves_is_the_whole),
        cmocka_unit_test(overrides_make_another_version),
        cmocka_unit_test(keys_make_another_strategy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
