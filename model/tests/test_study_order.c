/* A study is the set of its points: the order in which it names axes, values, strategies and slots
 * says nothing about any of them, and no more do names. What draws come to is the same in whatever
 * order they are, and more of them move it by no more than the few say. Tried on seeded cases. */
#include "study_files.h"
#include "study_results.h"

#include "study/evaluate.h"
#include "study/winner_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 6

static void shuffle(struct dice *dice, const char **items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = roll(dice, i);
        const char *item = items[i - 1];
        items[i - 1] = items[other];
        items[other] = item;
    }
}

/* Appends "KEY = a, b, c". */
static void put_list(char *text, size_t size, const char *key, const char *const *items,
                     size_t count)
{
    size_t at = strlen(text);
    at += (size_t)snprintf(text + at, size - at, "%s = ", key);
    for (size_t i = 0; i < count; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", items[i], i + 1 < count ? ", " : "\n");
    }
}

/* What is called differently, and in which order it stands. */
struct spelling {
    const char *study, *strategy, *workload, *slot[2];
    bool swapped; /* the slots */
    struct dice dice;
    bool ordered; /* as written below */
};

static void write_workload(const struct spelling *spelling, char *path, size_t size)
{
    static const char *const shapes[] = {"ipa = 0x200000000\nbytes = 2M\nbacking = thp\n",
                                         "ipa = 0x300000000\nbytes = 4M\n"};
    char text[1024], name[64];
    bool swap = spelling->swapped;
    snprintf(text, sizeof text,
             "[workload]\ntitle = %s\n[vm]\nram = 64M\n[boot]\nfootprint = 4M\nrewrite = 1M\n"
             "[slot %s]\n%s[slot %s]\n%s",
             spelling->workload, spelling->slot[0], shapes[swap], spelling->slot[1], shapes[!swap]);
    snprintf(name, sizeof name, "%s.ini", spelling->workload);
    write_file(name, text, path, size);
}

/* Three by two by two points of two cells of one vCPU and of two each. */
static void read_spelled(struct study *study, struct spelling *spelling)
{
    const char *strategies[] = {"unmap", "eager-toggle1", spelling->strategy};
    const char *machines[] = {"kunpeng-920", "neoverse-n1"}, *vcpus[] = {"1", "2"};
    const char *touched[] = {"10%", "60%"}, *backings[] = {"4k", "thp"};
    char line[6][640] = {"", "", "", "", "", ""}, path[512], text[4096];
    const char *lines[6] = {line[0], line[1], line[2], line[3], line[4], line[5]};
    struct error err = {0};
    if (!spelling->ordered) {
        struct dice *dice = &spelling->dice;
        shuffle(dice, strategies, 3);
        shuffle(dice, machines, 2);
        shuffle(dice, vcpus, 2);
        shuffle(dice, touched, 2);
        shuffle(dice, backings, 2);
        shuffle(dice, lines, 6);
    }
    write_workload(spelling, path, sizeof path);
    snprintf(line[0], sizeof line[0], "workload = %s\n", path);
    put_list(line[1], sizeof line[1], "machine", machines, 2);
    put_list(line[2], sizeof line[2], "strategy", strategies, 3);
    put_list(line[3], sizeof line[3], "touched", touched, 2);
    put_list(line[4], sizeof line[4], "backing", backings, 2);
    put_list(line[5], sizeof line[5], "vcpus", vcpus, 2);
    snprintf(text, sizeof text,
             "[study]\nname = %s\ndraws = 4\nshifts = 2\n[strategy %s]\nbase = eager\n"
             "chunk = 2M\ntoggle = first\n[axes]\n%s%s%s%s%s%s",
             spelling->study, spelling->strategy, lines[0], lines[1], lines[2], lines[3], lines[4],
             lines[5]);
    write_file("study.ini", text, path, sizeof path);
    if (!study_read(study, path, NULL, &err)) {
        fail_msg("%s", err.text);
    }
}

static struct study_results results_of(const struct study *study)
{
    struct study_results results;
    struct error err = {0};
    if (!study_results_of(study, 1, &results, &err)) {
        fail_msg("%s", err.text);
    }
    return results;
}

/* The other study's point with the same values; what is called otherwise is found by `names`. */
static size_t same_point(const struct study *study, size_t point, const struct study *other,
                         const char *const names[2])
{
    size_t found = 0;
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        const char *text = axis->values.text[study_digit(axis, point)];
        const struct axis *there = NULL;
        for (size_t b = 0; b < other->axis_count; b++) {
            there = strcmp(other->axes[b].name, axis->name) == 0 ? &other->axes[b] : there;
        }
        assert_non_null(there);
        text = strcmp(text, names[0]) == 0 ? names[1] : text;
        size_t digit = 0;
        while (axis->role != AXIS_WORKLOAD && strcmp(there->values.text[digit], text) != 0) {
            digit++;
            assert_true(digit < there->values.count);
        }
        found += digit * there->stride;
    }
    return found;
}

static bool same_number(double a, double b)
{
    return (a == b && signbit(a) == signbit(b)) || (isnan(a) && isnan(b));
}

static bool same_spread(const struct spread *a, const struct spread *b)
{
    return a->known == b->known && a->n == b->n && same_number(a->mode, b->mode) &&
           same_number(a->mean, b->mean) && same_number(a->p10, b->p10) &&
           same_number(a->p50, b->p50) && same_number(a->p90, b->p90) &&
           same_number(a->interval_low, b->interval_low) &&
           same_number(a->interval_high, b->interval_high);
}

static void expect_same(const struct point_result *a, const struct point_result *b)
{
    for (int metric = 0; metric < METRICS; metric++) {
        if (!same_spread(&a->metric[metric], &b->metric[metric])) {
            fail_msg("%s: %.17g and %.17g", metric_name[metric], a->metric[metric].mode,
                     b->metric[metric].mode);
        }
    }
    assert_int_equal(a->worst, b->worst);
    assert_string_equal(a->condition, b->condition);
}

static struct spelling plain(void)
{
    return (struct spelling){.study = "plain",
                             .strategy = "mine",
                             .workload = "small",
                             .slot = {"first", "second"},
                             .ordered = true};
}

/* Plays a study as it is spelled in two ways; all points are the same. `named` alike, they have one
 * hash as well. */
static void compare(struct spelling *other, bool named)
{
    struct study one_study, other_study;
    struct spelling one = plain();
    const char *names[2] = {one.strategy, other->strategy};
    read_spelled(&one_study, &one);
    read_spelled(&other_study, other);
    assert_int_equal(one_study.points, other_study.points);
    struct study_results a = results_of(&one_study), b = results_of(&other_study);
    for (size_t point = 0; point < a.count; point++) {
        const struct point_result *x = &a.points[point];
        const struct point_result *y =
            &b.points[same_point(&one_study, point, &other_study, names)];
        expect_same(x, y);
        assert_true(!named || strcmp(x->hash, y->hash) == 0);
    }
    study_results_free(&a);
    study_results_free(&b);
    study_free(&one_study);
    study_free(&other_study);
}

static void the_order_of_axes_and_values_is_none(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        struct spelling shuffled = plain();
        shuffled.ordered = false;
        shuffled.dice = dice_of(seed);
        compare(&shuffled, true);
    }
}

static void names_say_nothing(void **state)
{
    struct spelling renamed = plain();
    (void)state;
    renamed.study = "another";
    renamed.strategy = "unmap-mine";
    renamed.workload = "renamed";
    renamed.slot[0] = "zeroth";
    renamed.slot[1] = "a";
    compare(&renamed, false);
}

static void the_order_of_slots_is_none(void **state)
{
    struct spelling swapped = plain();
    (void)state;
    swapped.swapped = true;
    compare(&swapped, false);
}

/* --- draws --- */

enum { STRATEGIES = 4, DRAWS = 24, SHIFTS = 4, RUNS = 1 + DRAWS };

/* Gives run i of each strategy the place order[i]. */
static void permute(double from[STRATEGIES][RUNS], const size_t order[RUNS],
                    double to[STRATEGIES][RUNS])
{
    for (size_t s = 0; s < STRATEGIES; s++) {
        for (size_t run = 0; run < RUNS; run++) {
            to[s][order[run]] = from[s][run];
        }
    }
}

/* Draws change places within their shift, and shifts change places; the modes stay first. */
static void draw_order(struct dice *dice, size_t order[RUNS])
{
    enum { EACH = DRAWS / SHIFTS };
    size_t shift[SHIFTS] = {0, 1, 2, 3}, within[EACH];
    order[0] = 0;
    for (size_t i = SHIFTS; i > 1; i--) {
        size_t other = roll(dice, i), was = shift[i - 1];
        shift[i - 1] = shift[other];
        shift[other] = was;
    }
    for (size_t s = 0; s < SHIFTS; s++) {
        for (size_t i = 0; i < EACH; i++) {
            size_t other = roll(dice, i + 1);
            within[i] = i;
            within[i] = within[other];
            within[other] = i;
        }
        for (size_t i = 0; i < EACH; i++) {
            order[1 + s * EACH + i] = 1 + shift[s] * EACH + within[i];
        }
    }
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fabs(a);
}

static void expect_same_choice(double one[STRATEGIES][RUNS], double other[STRATEGIES][RUNS])
{
    bool may[STRATEGIES] = {true, true, true, false};
    double scratch[RUNS];
    struct winner_map_choice a, b;
    winner_map_choose(one[0], STRATEGIES, RUNS, may, scratch, &a);
    winner_map_choose(other[0], STRATEGIES, RUNS, may, scratch, &b);
    assert_int_equal(a.winner, b.winner);
    assert_int_equal(a.runner_up, b.runner_up);
    assert_true(same_number(a.probability, b.probability) && same_number(a.margin, b.margin));
    assert_true(same_number(a.value, b.value) && same_number(a.p10, b.p10) &&
                same_number(a.p90, b.p90));
}

/* Sums are rounded in the order in which they are added. */
static void the_order_of_draws_is_none(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct dice dice = dice_of(seed);
        double one[STRATEGIES][RUNS], other[STRATEGIES][RUNS];
        size_t order[RUNS];
        for (size_t i = 0; i < (size_t)STRATEGIES * RUNS; i++) {
            one[i / RUNS][i % RUNS] = 1 + (double)roll(&dice, 1000);
        }
        draw_order(&dice, order);
        permute(one, order, other);
        expect_same_choice(one, other);
        struct spread a = {0}, b = {0};
        spread_fill(&a, one[0] + 1, DRAWS, SHIFTS);
        spread_fill(&b, other[0] + 1, DRAWS, SHIFTS);
        assert_true(same_number(a.p10, b.p10) && same_number(a.p50, b.p50) &&
                    same_number(a.p90, b.p90));
        assert_true(near(a.mean, b.mean) && near(a.interval_low, b.interval_low) &&
                    near(a.interval_high, b.interval_high));
    }
}

/* --- more draws --- */

enum { FEW = 64, MANY = 1024, PARTS_OF = 8 };

/* All draws of one strategy's added boot, in values[draws], one shift's together. */
static void draw_values(const char *machine, unsigned seed, size_t draws, double *values)
{
    struct study study;
    struct sweep sweep = {.jobs = 1};
    struct evaluator evaluator;
    struct scenario scenario;
    struct error err = {0};
    char text[512];
    double *runs = calloc(1 + draws, sizeof *runs);
    assert_non_null(runs);
    snprintf(text, sizeof text,
             "[study]\ndraws = %zu\nshifts = %d\nseed = %u\n[axes]\nworkload = %%s\nmachine = %s\n"
             "strategy = %s\n",
             draws, PARTS_OF, seed, machine, seed / 2 % 2 ? "unmap" : "eager-toggle1");
    read_good(&study, text);
    evaluator_open(&evaluator, &study, &sweep, test_store());
    if (!scenario_open(&scenario, &evaluator, 0, (struct scenario_key){0}, &err) ||
        !evaluate_metric(&scenario, METRIC_added_boot_ns, study.strategies, 1, runs, &err)) {
        fail_msg("%s", err.text);
    }
    memcpy(values, runs + 1, draws * sizeof *values);
    free(runs);
    scenario_close(&scenario);
    evaluator_close(&evaluator);
    study_free(&study);
}

/* Sixteen times as many draws move the mean within the interval that the few give, of 95 %, and the
 * quantiles by no more than their errors; and both are the smaller for them. */
static void more_draws_stay_within_the_interval(void **state)
{
    static const char *const machines[] = {"kunpeng-920", "neoverse-n1"};
    static double few[FEW], many[MANY];
    size_t all = 0, means = 0, quantiles = 0;
    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        struct spread a = {0}, b = {0};
        draw_values(machines[seed % 2], seed, FEW, few);
        draw_values(machines[seed % 2], seed + 1000, MANY, many);
        spread_fill(&a, few, FEW, PARTS_OF);
        spread_fill(&b, many, MANY, PARTS_OF);
        struct quantile_error off = stats_quantile_error(few, FEW),
                              off_many = stats_quantile_error(many, MANY);
        all++;
        means += b.mean >= a.interval_low && b.mean <= a.interval_high;
        quantiles += fabs(a.p50 - b.p50) <= off.p50 && fabs(a.p10 - b.p10) <= off.ends &&
                     fabs(a.p90 - b.p90) <= off.ends;
        assert_true(off_many.p50 < off.p50 && off_many.ends < off.ends);
        assert_true(b.interval_high - b.interval_low < a.interval_high - a.interval_low);
    }
    print_message("of %zu, %zu means and the quantiles of %zu\n", all, means, quantiles);
    assert_true(10 * means >= 9 * all && 10 * quantiles >= 9 * all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_axes_and_values_is_none),
        cmocka_unit_test(names_say_nothing),
        cmocka_unit_test(the_order_of_slots_is_none),
        cmocka_unit_test(the_order_of_draws_is_none),
        cmocka_unit_test(more_draws_stay_within_the_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
