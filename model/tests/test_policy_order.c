/* Which policy does all the maintenance of which: an order, and what it is of some known ones. */
#include "check.h"
#include "core/error.h"
#include "kvm/kernel_change.h"
#include "study/policy_space.h"

#include <stdlib.h>
#include <string.h>

static const struct policy_facts facts = {
    .pages = true, .blocks = true, .notifiers = true, .logged = true, .spare_cores = 8};

/* Each does all of itself; of two that differ not both do all of the other; and what one does all
 * of that another does all of, the latter does all of. */
static void it_is_an_order(void **state)
{
    struct policy_space space;
    size_t pairs = 0, chains = 0;
    (void)state;
    policy_space_init(&space, policy_upstream(false), &facts, 2);
    assert_true(space.count > 30);
    bool *all = calloc(space.count * space.count, sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < space.count; i++) {
        for (size_t k = 0; k < space.count; k++) {
            all[i * space.count + k] =
                policy_does_all_of(&space.policies[i].strategy, &space.policies[k].strategy);
            pairs += i != k && all[i * space.count + k];
        }
    }
    for (size_t i = 0; i < space.count; i++) {
        assert_true(all[i * space.count + i]);
        for (size_t k = 0; k < space.count; k++) {
            assert_false(i != k && all[i * space.count + k] && all[k * space.count + i]);
            for (size_t j = 0; all[i * space.count + k] && j < space.count; j++) {
                assert_true(!all[k * space.count + j] || all[i * space.count + j]);
                chains += i != k && k != j && all[k * space.count + j];
            }
        }
    }
    assert_true(pairs > space.count && chains > 0);
    free(all);
    policy_space_free(&space);
}

/* Every key by itself: who does more of it, or the same in another way, which is neither. */
static void by_each_key(void **state)
{
    static const struct {
        const char *key, *more, *less;
        bool apart; /* neither does all of the other */
    } cases[] = {
        {"reinit_unmap_cleans", "yes", "no", false},
        {"notifier_unmap_cleans", "yes", "no", false},
        {"fault_cleans", "yes", "no", false},
        {"reinit_icache", "yes", "no", false},
        {"toggle", "every", "first", false},
        {"toggle", "first", "none", false},
        {"toggle", "every", "none", false},
        {"reinit_tlbi", "leaf", "vm", true},
        {"reinit_unmap", "all", "none", true},
        {"flush_record", "none", "leaves", false},
        {"flush_record", "leaves", "ranges", false},
        {"flush_record", "ranges", "loader", false},
        {"flush_leaves", "all", "pages", false},
        {"flush_leaves", "all", "blocks", false},
        {"flush_leaves", "pages", "blocks", true},
        {"workers", "2", "3", true},
        {"flush_at", "each_init", "none", false},
        {"flush_at", "each_init", "first_run", true},
        {"chunk", "1M", "2M", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strategy more = *policy_upstream(false), less;
        const struct option_row *key = NULL;
        struct error err;
        more.flush_at = FLUSH_EACH_INIT;
        more.workers = 1;
        for (size_t k = 0; k < strategy_option_count; k++) {
            key = strcmp(strategy_options[k].name, cases[i].key) == 0 ? &strategy_options[k] : key;
        }
        assert_non_null(key);
        less = more;
        if (!option_set(key, cases[i].more, &more, NULL, &err) ||
            !option_set(key, cases[i].less, &less, NULL, &err)) {
            fail_msg("%s", err.text);
        }
        if (policy_does_all_of(&more, &less) == cases[i].apart ||
            policy_does_all_of(&less, &more)) {
            fail_msg("%s: %s, %s", cases[i].key, cases[i].more, cases[i].less);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_an_order),
        cmocka_unit_test(by_each_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
