#include "check.h"

#include <string.h>

#include "kvm/strategy.h"

static void rows_are_unique_and_whole(void **state)
{
    (void)state;
    assert_int_equal(strategy_count, 7);
    for (size_t i = 0; i < strategy_count; i++) {
        const struct strategy *row = &strategy_rows[i];
        assert_true(strlen(row->name) > 0 && strlen(row->title) > 0);
        assert_false(row->ideal);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(row->name, strategy_rows[k].name);
            assert_string_not_equal(row->title, strategy_rows[k].title);
        }
    }
}

/* Names are labels: two rows that say the same would be one strategy. */
static void rows_differ_in_what_they_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < strategy_count; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct strategy *a = &strategy_rows[i], *b = &strategy_rows[k];
            assert_true(a->reinit_unmap != b->reinit_unmap ||
                        a->reinit_icache != b->reinit_icache || a->flush_at != b->flush_at ||
                        a->cmo_at_unmap != b->cmo_at_unmap || a->cmo_at_fault != b->cmo_at_fault ||
                        a->toggle != b->toggle || a->fwb != b->fwb);
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
    assert_true(row("unmap")->reinit_unmap && row("unmap")->cmo_at_unmap);
    assert_true(row("unmap-lazy")->reinit_unmap && !row("unmap-lazy")->cmo_at_unmap);
    assert_true(row("unmap-lazy")->cmo_at_fault);
    assert_int_equal(row("eager")->flush_at, FLUSH_FIRST_RUN);
    assert_int_equal(row("eager")->toggle, TOGGLE_NONE);
    assert_int_equal(row("eager-toggle1")->toggle, TOGGLE_FIRST);
    assert_int_equal(row("eager-naive")->flush_at, FLUSH_EACH_INIT);
    assert_int_equal(row("eager-naive")->toggle, TOGGLE_EVERY);
    assert_true(row("fwb")->fwb && row("fwb")->reinit_icache);
    assert_false(row("fwb")->cmo_at_fault || row("fwb")->cmo_at_unmap);
    assert_false(row("none")->reinit_unmap || row("none")->reinit_icache);
    assert_int_equal(row("none")->flush_at, FLUSH_NONE);
}

/* Whoever keeps the old mappings must drop old instructions some other way. */
static void kept_mappings_drop_the_icache(void **state)
{
    (void)state;
    for (size_t i = 0; i < strategy_count; i++) {
        const struct strategy *strategy = &strategy_rows[i];
        bool control = strcmp(strategy->name, "none") == 0;
        assert_true(strategy->reinit_unmap || strategy->reinit_icache || control);
    }
}

static void the_yardstick_maintains_nothing(void **state)
{
    (void)state;
    const struct strategy *ideal = &strategy_ideal;
    assert_true(ideal->ideal && ideal->fwb);
    assert_false(ideal->reinit_unmap || ideal->reinit_icache || ideal->cmo_at_unmap ||
                 ideal->cmo_at_fault);
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
    return option_assign(strategy_options, strategy_option_count, "strategy", name, text, strategy,
                         &at, err);
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
    assert_false(own.reinit_unmap || own.reinit_icache || own.fwb);
    assert_true(own.cmo_at_unmap && own.cmo_at_fault);
    assert_int_equal(own.flush_at, FLUSH_NONE);
    assert_int_equal(own.toggle, TOGGLE_EVERY);
}

static void options_set_every_field(void **state)
{
    (void)state;
    struct strategy own = {0};
    struct error err = {0};
    assert_true(assign(&own, "title", "mine", &err) && assign(&own, "caveat", "beware", &err));
    assert_true(assign(&own, "reinit_unmap", "yes", &err) && own.reinit_unmap);
    assert_true(assign(&own, "reinit_icache", "yes", &err) && own.reinit_icache);
    assert_true(assign(&own, "cmo_at_unmap", "yes", &err) && own.cmo_at_unmap);
    assert_true(assign(&own, "cmo_at_fault", "yes", &err) && own.cmo_at_fault);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
