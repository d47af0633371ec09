#include "check.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "kvm/strategy.h"

static const struct strategy *any_row(size_t i)
{
    return i < strategy_count ? &strategy_rows[i] : &strategy_more[i - strategy_count];
}

/* Whether a key that has an effect has another value. */
static bool do_differently(const struct strategy *a, const struct strategy *b)
{
    struct strategy first = strategy_canonical(a), second = strategy_canonical(b);
    bool differ = false;
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *key = &strategy_options[i];
        char one[sizeof first.caveat], two[sizeof first.caveat];
        differ |=
            key->kind != OPTION_TEXT && strcmp(option_format(key, &first, one, sizeof one),
                                               option_format(key, &second, two, sizeof two)) != 0;
    }
    return differ;
}

static void rows_are_unique_and_whole(void **state)
{
    (void)state;
    assert_int_equal(strategy_count, 7);
    for (size_t i = 0; i < strategy_count + strategy_more_count; i++) {
        const struct strategy *row = any_row(i);
        assert_true(strlen(row->name) > 0 && strlen(row->title) > 0);
        assert_false(row->ideal);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(row->name, any_row(k)->name);
            assert_string_not_equal(row->title, any_row(k)->title);
        }
    }
}

/* Names are labels: two rows that say the same would be one strategy. */
static void rows_differ_in_what_they_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < strategy_count + strategy_more_count; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct strategy *a = any_row(i), *b = any_row(k);
            assert_true(do_differently(a, b));
        }
    }
}

static const struct strategy *row(const char *name)
{
    struct error err;
    const struct strategy *found = strategy_find(name, &err);
    assert_non_null(found);
    assert_string_equal(found->name, name);
    return found;
}

static void rows_say_what_their_names_say(void **state)
{
    (void)state;
    assert_int_equal(row("unmap")->reinit_unmap, UNMAP_ALL);
    assert_true(row("unmap")->reinit_unmap_cleans && row("unmap")->notifier_unmap_cleans);
    assert_int_equal(row("unmap-lazy")->reinit_unmap, UNMAP_ALL);
    assert_false(row("unmap-lazy")->reinit_unmap_cleans ||
                 row("unmap-lazy")->notifier_unmap_cleans);
    assert_true(row("unmap-lazy")->fault_cleans);
    assert_false(row("reinit-lazy")->reinit_unmap_cleans);
    assert_true(row("reinit-lazy")->notifier_unmap_cleans && row("reinit-lazy")->fault_cleans);
    assert_int_equal(row("eager")->flush_at, FLUSH_FIRST_RUN);
    assert_int_equal(row("eager")->toggle, TOGGLE_NONE);
    assert_int_equal(row("eager-toggle1")->toggle, TOGGLE_FIRST);
    assert_int_equal(row("eager-naive")->flush_at, FLUSH_EACH_INIT);
    assert_int_equal(row("eager-naive")->toggle, TOGGLE_EVERY);
    assert_true(row("fwb")->fwb && row("fwb")->reinit_icache);
    assert_false(row("fwb")->fault_cleans || row("fwb")->reinit_unmap_cleans);
    assert_int_equal(row("none")->reinit_unmap, UNMAP_NONE);
    assert_false(row("none")->reinit_icache);
    assert_int_equal(row("none")->flush_at, FLUSH_NONE);
}

/* Whoever keeps the old mappings must drop old instructions some other way. */
static void kept_mappings_drop_the_icache(void **state)
{
    (void)state;
    for (size_t i = 0; i < strategy_count; i++) {
        const struct strategy *strategy = &strategy_rows[i];
        bool control = strcmp(strategy->name, "none") == 0;
        assert_true(strategy->reinit_unmap == UNMAP_ALL || strategy->reinit_icache || control);
    }
}

static void the_yardstick_maintains_nothing(void **state)
{
    (void)state;
    const struct strategy *ideal = &strategy_ideal;
    assert_true(ideal->ideal && ideal->fwb);
    assert_int_equal(ideal->reinit_unmap, UNMAP_NONE);
    assert_false(ideal->reinit_icache || ideal->reinit_unmap_cleans || ideal->fault_cleans);
    assert_int_equal(ideal->flush_at, FLUSH_NONE);
    assert_int_equal(ideal->toggle, TOGGLE_NONE);
}

static void unknown_names_suggest_the_nearest(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(strategy_find("unmpa", &err));
    assert_non_null(strstr(err.text, "did you mean unmap?"));
    assert_null(strategy_find("zzzzzzzzz", &err));
    assert_non_null(strstr(err.text, "valid: unmap, "));
    assert_int_equal(err.status, EXIT_INPUT);
}

static bool assign(struct strategy *strategy, const char *name, const char *text, struct error *err)
{
    const struct source_location at = {.file = "study.ini", .line = 3, .key = name};
    return strategy_set(strategy, name, text, &at, err);
}

/* A row of one's own begins as today's kernel without a teardown. */
static void defaults_maintain_at_fault_and_toggle(void **state)
{
    (void)state;
    struct strategy own;
    memset(&own, 0xff, sizeof own);
    option_defaults(strategy_options, strategy_option_count, &own);
    assert_string_equal(own.title, "");
    assert_string_equal(own.caveat, "");
    assert_int_equal(own.reinit_unmap, UNMAP_NONE);
    assert_false(own.reinit_icache || own.fwb);
    assert_true(own.reinit_unmap_cleans && own.notifier_unmap_cleans && own.fault_cleans);
    assert_int_equal(own.flush_at, FLUSH_NONE);
    assert_int_equal(own.toggle, TOGGLE_EVERY);
}

static void options_set_every_field(void **state)
{
    (void)state;
    struct strategy own = {0};
    struct error err = {0};
    assert_true(assign(&own, "title", "mine", &err) && assign(&own, "caveat", "beware", &err));
    assert_true(assign(&own, "reinit_unmap", "pages", &err) && own.reinit_unmap == UNMAP_PAGES);
    assert_true(assign(&own, "reinit_tlbi", "vm", &err) && own.reinit_tlbi == REINIT_TLBI_VM);
    assert_true(assign(&own, "reinit_icache", "yes", &err) && own.reinit_icache);
    assert_true(assign(&own, "reinit_unmap_cleans", "yes", &err) && own.reinit_unmap_cleans);
    assert_true(assign(&own, "notifier_unmap_cleans", "yes", &err) && own.notifier_unmap_cleans);
    assert_true(assign(&own, "fault_cleans", "yes", &err) && own.fault_cleans);
    assert_true(assign(&own, "flush_by", "range", &err) && own.flush_by == FLUSH_BY_RANGE);
    assert_true(assign(&own, "fwb", "yes", &err) && own.fwb);
    assert_true(assign(&own, "flush_at", "each_init", &err));
    assert_int_equal(own.flush_at, FLUSH_EACH_INIT);
    assert_true(assign(&own, "flush_at", "first_run", &err));
    assert_int_equal(own.flush_at, FLUSH_FIRST_RUN);
    assert_true(assign(&own, "toggle", "first", &err) && own.toggle == TOGGLE_FIRST);
    assert_true(assign(&own, "toggle", "none", &err) && own.toggle == TOGGLE_NONE);
    assert_string_equal(own.title, "mine");
    assert_string_equal(own.caveat, "beware");
    assert_false(assign(&own, "togle", "none", &err));
    assert_non_null(strstr(err.text, "did you mean toggle?"));
    assert_false(assign(&own, "toggle", "evrey", &err));
    assert_non_null(strstr(err.text, "did you mean every?"));
}

/* Keys that have no effect beside the others have their defaults then. */
static void keys_without_effect_come_to_their_defaults(void **state)
{
    (void)state;
    struct strategy kept = *row("eager"), alone = *row("unmap");
    kept.reinit_tlbi = REINIT_TLBI_VM;
    kept.reinit_unmap_cleans = false;
    kept.workers = 1;
    struct strategy canonical = strategy_canonical(&kept);
    assert_int_equal(canonical.reinit_tlbi, REINIT_TLBI_LEAF);
    assert_true(canonical.reinit_unmap_cleans);
    assert_int_equal(canonical.workers, 0);
    assert_int_equal(canonical.toggle, TOGGLE_NONE);
    alone.flush_record = RECORD_LEAVES;
    alone.flush_leaves = FLUSH_BLOCKS;
    alone.flush_by = FLUSH_BY_RANGE; /* its MMU-on flushes */
    canonical = strategy_canonical(&alone);
    assert_int_equal(canonical.flush_record, RECORD_NONE);
    assert_int_equal(canonical.flush_leaves, FLUSH_ALL);
    assert_int_equal(canonical.flush_by, FLUSH_BY_RANGE);
}

/* What there is to know follows from the keys; what a verdict says is no caveat. */
static void caveats_follow_from_the_keys(void **state)
{
    (void)state;
    char text[STRATEGY_CAVEAT_BYTES];
    struct strategy own = *row("unmap-vmall");
    assert_string_equal(strategy_caveat(row("unmap"), text, sizeof text), "");
    assert_string_equal(strategy_caveat(row("unmap-lazy"), text, sizeof text), "");
    assert_string_equal(strategy_caveat(row("eager"), text, sizeof text), "");
    assert_non_null(strstr(strategy_caveat(row("ranged"), text, sizeof text), "complete record"));
    assert_non_null(strstr(strategy_caveat(row("recreate"), text, sizeof text), "is gone"));
    snprintf(own.caveat, sizeof own.caveat, "%s", "its own");
    assert_string_equal(strategy_caveat(&own, text, sizeof text),
                        "its own; no vCPU may run during the re-init, and table pages are freed "
                        "only after the invalidation");
}

/* Today's kernel is a field of its rows, with and without FWB. */
static void two_rows_are_what_linux_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < strategy_count + strategy_more_count; i++) {
        const struct strategy *any = any_row(i);
        bool linux_does = strcmp(any->name, "unmap") == 0 || strcmp(any->name, "fwb") == 0;
        assert_int_equal(any->upstream, linux_does);
    }
}

static const struct strategy *row_of(size_t i)
{
    return i < strategy_count ? &strategy_rows[i] : &strategy_more[i - strategy_count];
}

/* No two rows are called the same, and none by its name. */
static void rows_have_words_of_their_own(void **state)
{
    size_t named = 0, rows = strategy_count + strategy_more_count;
    (void)state;
    for (size_t i = 0; i < rows; i++) {
        const char *words = strategy_brief(row_of(i));
        for (size_t k = 0; words && k < i; k++) {
            const char *other = strategy_brief(row_of(k));
            assert_true(!other || strcmp(words, other) != 0);
        }
        if (words) {
            assert_string_not_equal(words, row_of(i)->name);
            named++;
        }
    }
    assert_true(named + 4 > rows); /* controls have none */
}

/* A study's own strategy of the same name that does something else is not called so. */
static void other_choices_have_no_words(void **state)
{
    struct strategy own = strategy_rows[0];
    (void)state;
    assert_string_equal(strategy_brief(&own), "what Linux does");
    own.toggle = TOGGLE_NONE;
    assert_null(strategy_brief(&own));
}

/* `ideal` is no key: nobody should call a row of a study the yardstick. */
static void the_yardstick_is_no_option(void **state)
{
    (void)state;
    assert_null(option_find(strategy_options, strategy_option_count, "strategy", "ideal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_unique_and_whole),
        cmocka_unit_test(rows_differ_in_what_they_do),
        cmocka_unit_test(rows_say_what_their_names_say),
        cmocka_unit_test(kept_mappings_drop_the_icache),
        cmocka_unit_test(the_yardstick_maintains_nothing),
        cmocka_unit_test(unknown_names_suggest_the_nearest),
        cmocka_unit_test(defaults_maintain_at_fault_and_toggle),
        cmocka_unit_test(options_set_every_field),
        cmocka_unit_test(the_yardstick_is_no_option),
        cmocka_unit_test(keys_without_effect_come_to_their_defaults),
        cmocka_unit_test(caveats_follow_from_the_keys),
        cmocka_unit_test(two_rows_are_what_linux_does),
        cmocka_unit_test(rows_have_words_of_their_own),
        cmocka_unit_test(other_choices_have_no_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
