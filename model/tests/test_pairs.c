/* For every study that comes with the program and every key of a workload, a strategy and a
 * machine's costs: two values of it, and either a run of the study comes to something else with one
 * of them, or the key is refused. */
#include "core/datadir.h"
#include "core/rng.h"
#include "study/study_parts.h"
#include "study/trial.h"
#include "study_files.h"

#include "guest/workload/workload_values.h"
#include "kvm/strategy.h"

#include <math.h>

/* Of a study so many points are played for a key of which none shows an effect. */
#define POINTS_TRIED 128

/* Some of them in `make check`, all in `make check-long`. */
#define PAIRS_TRIED 8

/* --- keys and values --- */

struct key {
    const char *name;
    char text[2][64]; /* two values */
};

static void two_values(const struct option_row *row, const void *values, struct key *key)
{
    const char *field = (const char *)values + row->offset;
    unsigned n = 0;
    switch (row->kind) {
    case OPTION_CHOICE:
        for (size_t i = 0; row->choices[i].word && n < 2; i++) {
            if (row->choices[i].value != *(const int *)field) {
                snprintf(key->text[n++], sizeof key->text[0], "%s", row->choices[i].word);
            }
        }
        break;
    case OPTION_FLAG:
        snprintf(key->text[n++], sizeof key->text[0], "%s", *(const bool *)field ? "no" : "yes");
        break;
    case OPTION_REAL: {
        double value = *(const double *)field;
        snprintf(key->text[n++], sizeof key->text[0], "%g", value > 0 ? value / 2 : row->high / 4);
        snprintf(key->text[n++], sizeof key->text[0], "%g", value > 0 ? value / 4 : row->high / 2);
        break;
    }
    case OPTION_WHOLE: {
        uint64_t value = *(const uint64_t *)field,
                 unit = row->unit == UNIT_BYTES ? 4 * MIB + 64 * KIB : 1;
        snprintf(key->text[n++], sizeof key->text[0], "%llu", 2ULL * value + unit);
        snprintf(key->text[n++], sizeof key->text[0], "%llu",
                 (unsigned long long)(value >= 4 * unit ? value / 2 : value + 3 * unit));
        break;
    }
    case OPTION_TEXT:
        snprintf(key->text[n++], sizeof key->text[0], "other");
        break;
    }
    if (n == 1) { /* its own, which another workload may have otherwise */
        option_format(row, values, key->text[1], sizeof key->text[1]);
    }
}

#define KEYS_MAX 160
static size_t all_keys(struct key keys[KEYS_MAX])
{
    size_t count = 0;
    struct workload *workload = workload_read("generated-boot", &(struct error){0});
    struct platform platform;
    assert_non_null(workload);
    assert_true(platform_load("neoverse-n1", &platform, &(struct error){0}));
    for (size_t i = 0; i < workload_option_count; i++) {
        keys[count].name = workload_options[i].name;
        two_values(&workload_options[i], workload_values(workload), &keys[count++]);
    }
    for (size_t i = 0; i < strategy_option_count; i++) {
        keys[count].name = strategy_options[i].name;
        two_values(&strategy_options[i], &strategy_rows[0], &keys[count++]);
    }
    for (int id = 0; id < COSTS; id++) {
        double mode = platform.cost[id].mode;
        keys[count].name = cost_name[id];
        snprintf(keys[count].text[0], sizeof keys[count].text[0], "%g", mode * 4);
        snprintf(keys[count].text[1], sizeof keys[count].text[1], "%g", mode / 4);
        count++;
    }
    assert_true(count < KEYS_MAX);
    workload_free(workload);
    return count;
}

/* --- what a point comes to --- */

struct result {
    bool played;
    struct trial trial;
};

static void play_point(const struct study *study, size_t point, struct result *outcome)
{
    struct setup setup;
    struct timeline timeline;
    struct error err = {0};
    double value[COSTS];
    *outcome = (struct result){0};
    if (!study_setup(study, point, &setup, &err)) {
        return;
    }
    if (workload_build(setup.workload, &timeline, &err)) {
        platform_modes(&setup.platform, value);
        outcome->played = trial_play(&setup, &timeline, value, &outcome->trial, &err);
        timeline_free(&timeline);
    }
    setup_free(&setup);
}

static bool differ(const struct result *a, const struct result *b)
{
    return a->played != b->played || (a->played && !trial_same_outcome(&a->trial, &b->trial));
}

static size_t common_divisor(size_t a, size_t b)
{
    return b > 0 ? common_divisor(b, a % b) : a;
}

/* Spread over the study, so that each axis goes through its values. */
static size_t spread(size_t point, size_t points)
{
    size_t stride = points * 382 / 1000 + 1;
    while (common_divisor(stride, points) != 1) {
        stride++;
    }
    return point * stride % points;
}

/* --- pairs --- */

static bool is_axis(const struct study *study, const char *name)
{
    for (size_t i = 0; i < study->axis_count; i++) {
        if (strcmp(study->axes[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_of_study(const char *name)
{
    for (size_t i = 0; i < study_option_count; i++) {
        if (strcmp(study_options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

struct tally {
    unsigned effects, refusals, wrong;
};

/* What the study itself comes to, played once for all keys. */
struct played {
    const struct study *study;
    bool known[POINTS_TRIED];
    struct result result[POINTS_TRIED];
};

static const struct result *played_point(struct played *base, size_t i)
{
#pragma omp critical(played)
    if (!base->known[i]) {
        play_point(base->study, spread(i, base->study->points), &base->result[i]);
        base->known[i] = true;
    }
    return &base->result[i];
}

static void played_free(struct played *base)
{
    for (size_t i = 0; i < POINTS_TRIED; i++) {
        if (base->known[i]) {
            trial_free(&base->result[i].trial);
        }
    }
}

static bool has_effect(struct played *base, const struct study *changed)
{
    size_t points = base->study->points;
    bool found = points != changed->points;
    for (size_t i = 0; i < points && i < POINTS_TRIED && !found; i++) {
        struct result after;
        play_point(changed, spread(i, points), &after);
        found = differ(played_point(base, i), &after);
        trial_free(&after.trial);
    }
    return found;
}

/* Whether the key has that value anyway, at every point. */
static bool as_it_is(const struct study *base, const struct study *changed, const char *key)
{
    bool same = base->points == changed->points && setup_key_owner(key) == KEY_WORKLOAD;
    for (size_t i = 0; same && i < base->points && i < POINTS_TRIED; i++) {
        struct setup before, after;
        struct error err;
        char text[2][512];
        assert_true(study_setup(base, spread(i, base->points), &before, &err));
        assert_true(study_setup(changed, spread(i, base->points), &after, &err));
        setup_value(&before, key, text[0], sizeof text[0]);
        setup_value(&after, key, text[1], sizeof text[1]);
        same = strcmp(text[0], text[1]) == 0;
        setup_free(&before);
        setup_free(&after);
    }
    return same;
}

static void try_pair(struct played *base, const char *name, const struct key *key,
                     struct tally *tally)
{
    bool taken = false, effect = false;
    /* Ranges of draws; and keys of [study] itself, which come first. */
    if (is_axis(base->study, key->name) || is_of_study(key->name) ||
        strncmp(key->name, "secondaries_after_m", 19) == 0) {
        return;
    }
    for (unsigned n = 0; n < 2 && !effect; n++) {
        char text[160];
        const char *set[] = {text};
        struct study changed;
        struct error err = {0};
        snprintf(text, sizeof text, "%s=%s", key->name, key->text[n]);
        if (study_read(&changed, name, &(struct study_changes){set, 1}, &err)) {
            bool same = as_it_is(base->study, &changed, key->name);
            taken |= !same;
            effect = !same && has_effect(base, &changed);
        } else {
            assert_int_equal(err.status, EXIT_INPUT);
            if (!strstr(err.text, "expected") && !strstr(err.text, "(valid: ") &&
                !strstr(err.text, "leave it out")) {
                print_error("%s --set %s: '%s' names no way out\n", name, text, err.text);
#pragma omp atomic
                tally->wrong++;
            }
        }
        study_free(&changed);
    }
#pragma omp atomic
    tally->effects += effect;
#pragma omp atomic
    tally->refusals += !taken;
    if (taken && !effect) {
        print_error("%s --set %s=%s changes nothing and is not refused\n", name, key->name,
                    key->text[0]);
#pragma omp atomic
        tally->wrong++;
    }
}

static void try_pairs(const char *name, const struct key *keys, size_t count, struct tally *tally)
{
    struct study study;
    struct played base = {.study = &study};
    struct error err = {0};
    if (!study_read(&study, name, NULL, &err)) {
        fail_msg("%s", err.text);
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < count; i++) {
        try_pair(&base, name, &keys[i], tally);
    }
    played_free(&base);
    study_free(&study);
}

static void each_key_of_each_study(void **state)
{
    char *names[256];
    struct key keys[KEYS_MAX] = {0};
    struct tally tally = {0};
    (void)state;
    const char *cases = getenv("S2FLUSH_CASES");
    size_t count = datadir_names("workloads/questions", ".ini", names, 0, 256);
    count = datadir_names("workloads/studies", ".ini", names, count, 256);
    size_t key_count = all_keys(keys);
    bool all = cases && strcmp(cases, "all") == 0;
    uint64_t seed = cases && *cases >= '0' && *cases <= '9' ? strtoull(cases, NULL, 10) : 1;
    for (size_t i = 0; !all && i < PAIRS_TRIED; i++) {
        size_t pair = rng_mix64(seed * 1000 + i) % (count * key_count);
        try_pairs(names[pair / key_count], &keys[pair % key_count], 1, &tally);
    }
    for (size_t i = 0; all && i < count; i++) {
        try_pairs(names[i], keys, key_count, &tally);
    }
    print_message("%u keys have an effect, %u are refused\n", tally.effects, tally.refusals);
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    assert_int_equal(tally.wrong, 0);
    assert_true(tally.effects > 0 && tally.refusals > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_of_each_study),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
