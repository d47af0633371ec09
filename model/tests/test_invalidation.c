/* What invalidating TLBs and I-caches takes, below KVM. */
#include "rig.h"

static const struct rig_setup plain = {.kernel = "6.12", .strategy = "unmap"};

static void tlbi(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_tlbi(actor, &rig->memory, EV_tlbi_calls, act->n);
}

static void tlbi_ranges(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    memory_tlbi_ranges(actor, &rig->memory, 1, 3, 2);
}

static void tlbi_local(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_tlbi_local(actor, &rig->memory, act->n);
}

static void icache_range(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_icache_range(actor, &rig->memory, RIG_HVA, RIG_HVA + act->bytes, act->n);
}

static void icache_all(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_icache_all(actor, &rig->memory, RIG_HVA, RIG_HVA + act->bytes, act->n);
}

static void invalidations_queue_at_one_server(void **state)
{
    (void)state;
    static const struct act one[] = {{tlbi, 0, 0, 10, false}, {0}};
    const struct act *acts[] = {one, one};
    struct rig rig;
    rig_init(&rig, &plain);
    rig_play(&rig, acts, 2);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 20);
    assert_int_equal(rig_all(&rig, EV_hyp_calls), 0);
    assert_int_equal(rig.engine.now, 20 * 700000);
    assert_int_equal(ledger_waited(&rig.ledger, 1, LEDGER_ALL, RESOURCE_DVM), 10 * 700000);
    rig_free(&rig);
}

/* The path is free before a sequence has ended: cores that send at once end one after another by
 * what the path takes, and one core's own go one behind the other. */
static void a_sequence_ends_after_the_path_is_free(void **state)
{
    (void)state;
    static const struct act one[] = {{tlbi, 0, 0, 1, false}, {0}};
    static const struct act many[] = {{tlbi, 0, 0, 8, false}, {0}};
    const struct act *together[] = {one, one, one}, *alone[] = {many};
    for (int i = 0; i < 2; i++) {
        struct rig rig;
        rig_init(&rig, &plain);
        rig.value[COST_tlbi_path_ratio] = 0.25;
        rig_play(&rig, i == 0 ? together : alone, i == 0 ? 3 : 1);
        assert_int_equal(rig.engine.now, i == 0 ? 700000 + 2 * 175000 : 8 * 700000);
        assert_int_equal(ledger_waited(&rig.ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_DVM),
                         i == 0 ? 175000 + 2 * 175000 : 0);
        rig_free(&rig);
    }
}

static void without_vhe_each_invalidation_calls_el2(void **state)
{
    (void)state;
    static const struct act acts[] = {{tlbi, 0, 0, 10, false}, {0}};
    struct rig rig;
    struct rig_setup setup = plain;
    setup.nvhe = true;
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_hyp_calls), 10);
    assert_int_equal(rig.engine.now, 10 * (700000 + 90000));
    rig_free(&rig);
}

/* Only the invalidation keeps others waiting, not the way to EL2. */
static void cores_call_el2_at_the_same_time(void **state)
{
    (void)state;
    static const struct act one[] = {{tlbi, 0, 0, 1, false}, {0}};
    const struct act *acts[] = {one, one};
    struct rig rig;
    struct rig_setup setup = plain;
    setup.nvhe = true;
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 2);
    assert_int_equal(rig.engine.now, 90000 + 2 * 700000);
    rig_free(&rig);
}

/* A call for a range has several instructions, which go one behind the other; an
 * invalidation of the own core has its call, too, and waits for nobody. */
static void ranges_and_the_own_core_call_el2_once_each(void **state)
{
    (void)state;
    static const struct act one[] = {{tlbi_ranges, 0, 0, 0, false}, {0}};
    static const struct act local[] = {{tlbi_local, 0, 0, 2, false}, {0}};
    const struct act *acts[] = {one, one, local};
    struct rig rig;
    struct rig_setup setup = plain;
    setup.nvhe = true;
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 3);
    assert_int_equal(rig_all(&rig, EV_tlbi_range), 2 * 3);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 2 * 2);
    assert_int_equal(rig_all(&rig, EV_hyp_calls), 2 + 2);
    ps_t each = 3 * rig.price[EV_tlbi_range] + 2 * (ps_t)700000;
    assert_int_equal(rig.engine.now, 90000 + 2 * each);
    assert_int_equal(rig.engine.actors[2].now, 2 * (90000 + rig.price[EV_tlbi_local]));
    assert_int_equal(rig.memory.invalidations, 2);
    rig_free(&rig);
}

static void dic_leaves_only_the_calls(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {icache_range, 0, 8 * KIB, 2, false}, {icache_all, 0, 8 * KIB, 3, false}, {0}};
    for (int dic = 0; dic <= 1; dic++) {
        struct rig rig;
        struct rig_setup setup = plain;
        setup.dic = dic;
        rig_init(&rig, &setup);
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_icache_calls), 2);
        assert_int_equal(rig_all(&rig, EV_icache_lines), dic ? 0 : 128);
        assert_int_equal(rig_all(&rig, EV_ic_ialluis), dic ? 0 : 3);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invalidations_queue_at_one_server),
        cmocka_unit_test(a_sequence_ends_after_the_path_is_free),
        cmocka_unit_test(without_vhe_each_invalidation_calls_el2),
        cmocka_unit_test(cores_call_el2_at_the_same_time),
        cmocka_unit_test(ranges_and_the_own_core_call_el2_once_each),
        cmocka_unit_test(dic_leaves_only_the_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
