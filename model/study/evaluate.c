#include "study/evaluate_parts.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"
#include "study/alike.h"
#include "study/policy_space.h"
#include "study/trial_json.h"
#include "study/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define TABLE_SIZE ((size_t)4096)
#define KEPT_MAX TABLE_SIZE /* plays that nobody uses just now */
#define KEPT_COUNTS 96 /* sites and kinds that a play has counts of, or so */

/* One simulation. */
struct played {
    char play[SETUP_HASH], costs[SETUP_HASH];
    struct played *next; /* in its place of the table */
    size_t users;
    pthread_mutex_t lock; /* held by who plays it; others wait for what comes out */
    bool done;
    struct trial trial;
};

/* A strategy's play that others are priced from, held while its scenario is open. */
struct lane {
    const struct strategy *strategy;
    unsigned stratum; /* 0: at the mode; above: stratum - 1 of the draws */
    struct played *played;
    struct lane *next;
};

/* --- the study's --- */

/* Whether a list of metrics, which is not given or was checked, names one of a tail. */
static bool names_a_tail(const char *list)
{
    const struct source_location at = {.key = "metrics"};
    bool wanted[METRICS] = {false}, tail = false;
    struct error unused;
    (void)metric_select(list, wanted, &at, &unused);
    for (int metric = 0; metric < METRICS; metric++) {
        tail |= wanted[metric] && metric_is_tail((enum metric)metric);
    }
    return tail;
}

/* Its rows, among which are the memo's further metrics, or the one that its memo answers. */
static bool asks_for_tails(const struct study *study)
{
    const struct study_memo *memo = &study->memo;
    enum metric metric;
    struct error unused;
    const struct source_location at = {.key = "metric"};
    return names_a_tail(study->metrics) ||
           (memo->metric[0] && metric_one(memo->metric, &at, &metric, &unused) &&
            metric_is_tail(metric));
}

void evaluator_open(struct evaluator *evaluator, const struct study *study, struct sweep *sweep,
                    struct store *store)
{
    size_t machines = study->role[AXIS_MACHINE]->values.count;
    *evaluator = (struct evaluator){.study = study, .sweep = sweep, .store = store};
    evaluator->points = alloc_zeroed(machines, sizeof(double(*)[COSTS]), "draws");
    evaluator->strata = alloc_zeroed(machines, sizeof *evaluator->strata, "draws");
    evaluator->played = alloc_zeroed(TABLE_SIZE, sizeof(struct played *), "plays");
    evaluator->tails = asks_for_tails(study);
    pthread_mutex_init(&evaluator->lock, NULL);
}

static void free_played(struct played *played)
{
    pthread_mutex_destroy(&played->lock);
    trial_free(&played->trial);
    free(played);
}

void evaluator_close(struct evaluator *evaluator)
{
    for (size_t i = 0; i < evaluator->study->role[AXIS_MACHINE]->values.count; i++) {
        free(evaluator->points[i]);
        free(evaluator->strata[i]);
    }
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (struct played *played = evaluator->played[i], *next; played; played = next) {
            next = played->next;
            free_played(played);
        }
    }
    free(evaluator->points);
    free(evaluator->strata);
    free(evaluator->played);
    pthread_mutex_destroy(&evaluator->lock);
}

/* Points of the draws depend on the machine's name alone, whatever its costs are. */
static const double (*points_of(struct scenario *scenario))[COSTS]
{
    struct evaluator *evaluator = scenario->evaluator;
    double(**points)[COSTS] = &evaluator->points[scenario->machine];
    pthread_mutex_lock(&evaluator->lock);
    if (!*points) {
        struct draw_plan plan = study_draw_plan(evaluator->study);
        unsigned **strata = &evaluator->strata[scenario->machine];
        *strata = alloc_zeroed(plan.draws, sizeof **strata, "draws");
        *points = alloc_zeroed(plan.draws, sizeof **points, "draws");
        draw_strata(&plan, scenario->setup.platform.name, *strata);
        draw_points(&plan, scenario->setup.platform.name, *points);
    }
    pthread_mutex_unlock(&evaluator->lock);
    return (const double(*)[COSTS]) * points;
}

/* --- timelines --- */

unsigned scenario_stratum(struct scenario *scenario, size_t run)
{
    if (run == 0 || !scenario->ranged) {
        return 0;
    }
    (void)points_of(scenario);
    return 1 + scenario->evaluator->strata[scenario->machine][run - 1];
}

/* The middle of a stratum in a range. */
static double in_stratum(double low, double mode, double high, unsigned stratum)
{
    return draw_triangle(low, mode, high, (stratum + 0.5) / DRAW_STRATA);
}

/* The workload's own is the range's mode. */
static bool build_stratum(struct scenario *scenario, unsigned stratum, struct error *err)
{
    struct workload *workload = workload_copy(scenario->setup.workload);
    double low, mode, high;
    (void)workload_range(workload, &low, &mode, &high);
    workload_in_range(workload, in_stratum(low, mode, high, stratum));
    bool good = workload_build(workload, &scenario->drawn[stratum], err);
    workload_free(workload);
    return good;
}

/* NULL with a line. `inputs` gets the hash of all that a play on it gets but for the strategy. */
static const struct timeline *timeline_of(struct scenario *scenario, unsigned stratum,
                                          const struct setup_hasher **inputs, struct error *err)
{
    const struct timeline *timeline =
        stratum == 0 ? &scenario->timeline : &scenario->drawn[stratum - 1];
    bool good = true;
    pthread_mutex_lock(&scenario->lock);
    if (!scenario->inputs[stratum]) {
        good = stratum == 0 || build_stratum(scenario, stratum - 1, err);
        scenario->inputs[stratum] = good ? setup_play_begin(&scenario->setup, timeline) : NULL;
    }
    *inputs = scenario->inputs[stratum];
    pthread_mutex_unlock(&scenario->lock);
    return good ? timeline : NULL;
}

/* --- plays --- */

static struct played **place_of(struct evaluator *evaluator, const char *play, const char *costs)
{
    uint64_t hash = XXH3_64bits(play, strlen(play)) ^ XXH3_64bits(costs, strlen(costs));
    struct played **place = &evaluator->played[hash % TABLE_SIZE];
    while (*place && (strcmp((*place)->play, play) != 0 || strcmp((*place)->costs, costs) != 0)) {
        place = &(*place)->next;
    }
    return place;
}

uint64_t evaluator_memory(size_t plays)
{
    return (plays < KEPT_MAX ? plays : KEPT_MAX) *
           (sizeof(struct played) + KEPT_COUNTS * sizeof(struct event_count));
}

/* The play's entry, new or not, until it is released. */
static struct played *acquire(struct evaluator *evaluator, const char *play, const char *costs)
{
    pthread_mutex_lock(&evaluator->lock);
    struct played **place = place_of(evaluator, play, costs);
    if (!*place) {
        struct played *played = alloc_zeroed(1, sizeof *played, "plays");
        snprintf(played->play, sizeof played->play, "%s", play);
        snprintf(played->costs, sizeof played->costs, "%s", costs);
        pthread_mutex_init(&played->lock, NULL);
        evaluator->played_count++;
        *place = played;
    }
    struct played *played = *place;
    played->users++;
    pthread_mutex_unlock(&evaluator->lock);
    return played;
}

/* What holds for all costs may soon be asked for again. */
static void release(struct evaluator *evaluator, struct played *played)
{
    pthread_mutex_lock(&evaluator->lock);
    bool keep = played->done && trial_is_for_all_costs(&played->trial) &&
                evaluator->played_count < KEPT_MAX;
    if (--played->users == 0 && !keep) {
        *place_of(evaluator, played->play, played->costs) = played->next;
        evaluator->played_count--;
        free_played(played);
    }
    pthread_mutex_unlock(&evaluator->lock);
}

/* --- scenarios --- */

/* What unmaps takes less the less it cleans and invalidates then, and waits as all that unmap. */
static void name_references(struct scenario *scenario)
{
    for (size_t i = 1; i < SCENARIO_REFERENCES; i++) {
        struct strategy *reference = &scenario->reference[i];
        *reference = *policy_upstream(false);
        reference->reinit_unmap_cleans = false;
        reference->reinit_tlbi = REINIT_TLBI_VM;
        reference->toggle = i == 1 ? reference->toggle : TOGGLE_NONE;
    }
}

bool scenario_open(struct scenario *scenario, struct evaluator *evaluator, size_t point,
                   struct scenario_key other, struct error *err)
{
    const struct study *study = evaluator->study;
    struct source_location at = {.key = other.key};
    *scenario = (struct scenario){.evaluator = evaluator,
                                  .point = point,
                                  .machine = study_digit(study->role[AXIS_MACHINE], point),
                                  .runs = 1 + study->draws};
    snprintf(scenario->other_key, sizeof scenario->other_key, "%.63s", other.key ? other.key : "");
    snprintf(scenario->other_text, sizeof scenario->other_text, "%.63s",
             other.key ? other.text : "");
    if (!study_setup(study, point, &scenario->setup, err)) {
        return false;
    }
    if ((other.key && !setup_set(&scenario->setup, other.key, other.text, &at, err)) ||
        !workload_build(scenario->setup.workload, &scenario->timeline, err)) {
        setup_free(&scenario->setup);
        return false;
    }
    double low, mode, high;
    scenario->ranged = workload_range(scenario->setup.workload, &low, &mode, &high);
    for (unsigned i = 0; scenario->ranged && i < DRAW_STRATA; i++) {
        scenario->late[1 + i] = (in_stratum(low, mode, high, i) - mode) / (high - low);
    }
    name_references(scenario);
    pthread_mutex_init(&scenario->lock, NULL);
    return true;
}

void scenario_close(struct scenario *scenario)
{
    for (struct lane *lane = scenario->lanes, *next; lane; lane = next) {
        next = lane->next;
        release(scenario->evaluator, lane->played);
        free(lane);
    }
    for (unsigned i = 0; i <= DRAW_STRATA; i++) {
        if (scenario->inputs[i]) {
            setup_hash_free(scenario->inputs[i]);
        }
        if (scenario->inputs[i] && i > 0) {
            timeline_free(&scenario->drawn[i - 1]);
        }
    }
    pthread_mutex_destroy(&scenario->lock);
    free(scenario->costs);
    for (size_t i = 0; i < SCENARIO_REFERENCES; i++) {
        free(scenario->whole[i]);
    }
    timeline_free(&scenario->timeline);
    setup_free(&scenario->setup);
}

/* An open scenario's, its simulation aside. */
static uint64_t scenario_memory(const struct study *study)
{
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    size_t times = 2 + (study->draws_min > 0 ? SCENARIO_REFERENCES : 0);
    return (1 + study->draws) * (sizeof(struct costs) + times * sizeof(struct times)) +
           (strategies + SCENARIO_REFERENCES) * (1 + DRAW_STRATA) *
               (sizeof(struct played) + sizeof(struct lane));
}

bool scenario_count_allowed(const struct study *study, unsigned jobs, uint64_t kept, uint64_t own,
                            const char *what, const char *instead, struct error *err)
{
    uint64_t working =
        u64_mul(sweep_threads(jobs), scenario_memory(study) + own, "memory of threads");
    return alloc_allowed(u64_add(kept, working, "memory of threads"), what, instead, err);
}

void scenario_costs(struct scenario *scenario, size_t run, double costs[COSTS])
{
    if (run == 0) {
        platform_modes(&scenario->setup.platform, costs);
    } else {
        draw_at(&scenario->setup.platform, points_of(scenario)[run - 1], costs);
    }
}

const struct costs *evaluate_costs(struct scenario *scenario)
{
    pthread_mutex_lock(&scenario->lock);
    if (!scenario->costs) {
        scenario->costs = alloc_zeroed(scenario->runs, sizeof *scenario->costs, "draws");
        for (size_t run = 0; run < scenario->runs; run++) {
            struct costs *costs = &scenario->costs[run];
            scenario_costs(scenario, run, costs->value);
            trial_prices(&scenario->setup, costs->value, costs->price);
        }
    }
    pthread_mutex_unlock(&scenario->lock);
    return scenario->costs;
}

static void hash_costs(const struct costs *costs, char hash[SETUP_HASH])
{
    XXH128_hash_t sum = XXH3_128bits(costs, sizeof *costs);
    snprintf(hash, SETUP_HASH, "%016" PRIx64 "%016" PRIx64, (uint64_t)sum.high64,
             (uint64_t)sum.low64);
}

bool scenario_keep_draws(struct scenario *scenario, char hash[SETUP_HASH], struct error *err)
{
    const struct costs *costs = evaluate_costs(scenario);
    struct store *store = scenario->evaluator->store;
    struct store_draw *draw = alloc_zeroed(scenario->runs, sizeof *draw, "draws");
    bool has = false;
    for (size_t run = 0; run < scenario->runs; run++) {
        draw[run].stratum = scenario_stratum(scenario, run);
        hash_costs(&costs[run], draw[run].costs);
    }
    XXH128_hash_t sum = XXH3_128bits(draw, scenario->runs * sizeof *draw);
    snprintf(hash, SETUP_HASH, "%016" PRIx64 "%016" PRIx64, (uint64_t)sum.high64,
             (uint64_t)sum.low64);
    bool good = store_has_draws(store, hash, &has, err);
    for (size_t run = 0; good && !has && run < scenario->runs; run++) {
        good = store_add_costs(store, draw[run].costs, costs[run].value, costs[run].price, err);
    }
    good = good && (has || store_add_draws(store, hash, draw, scenario->runs, err));
    free(draw);
    return good;
}

/* --- one run --- */

/* Plays it, unless the store has a play that is the same. */
static bool play(struct store *store, const struct alike_wanted *wanted, const struct setup *setup,
                 const struct costs *costs, enum trial_asked asked, struct played *played,
                 struct error *err)
{
    struct trial *trial = &played->trial;
    enum store_found found = alike_find(store, wanted, trial, err);
    bool good = found == STORE_FOUND ? store_count_alike(store, err)
                                     : found == STORE_MISSING &&
                                           trial_play_priced(setup, wanted->timeline, costs->value,
                                                             costs->price, asked, trial, err);
    memcpy(trial->price, costs->price, sizeof trial->price);
    return good && store_add_costs(store, played->costs, costs->value, costs->price, err) &&
           (!trial_json_fits(trial) ||
            store_add_play(store, played->play, played->costs, trial, err));
}

/* Says which simulation it is that failed: the values of axes that have several, what the scenario
 * has otherwise, and the strategy. */
static void name_failure(const struct scenario *scenario, const struct strategy *strategy,
                         struct error *err)
{
    const struct study *study = scenario->evaluator->study;
    struct error inner = *err;
    char text[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < study->axis_count && used < sizeof text; i++) {
        const struct axis *axis = &study->axes[i];
        if (axis->values.count > 1 && axis->role != AXIS_STRATEGY &&
            strcmp(axis->name, scenario->other_key) != 0) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s=%s, ", axis->name,
                                     axis->values.text[study_digit(axis, scenario->point)]);
        }
    }
    if (scenario->other_key[0] && used < sizeof text) {
        snprintf(text + used, sizeof text - used, "%s=%s, ", scenario->other_key,
                 scenario->other_text);
    }
    bool yardstick = strategy == &strategy_ideal;
    error_run(err, "%s%s%s: %s", text,
              yardstick ? "the yardstick" : "strategy=", yardstick ? "" : strategy->name,
              inner.text);
    err->simulation = true;
}

/* A strategy's play at these costs, from the store or by playing it; the caller releases it. NULL
 * with a line. That at the modes is asked for before any other and has the verdicts. */
static struct played *played_at(struct scenario *scenario, const struct strategy *strategy,
                                unsigned stratum, const struct costs *costs, enum trial_asked asked,
                                struct error *err)
{
    struct evaluator *evaluator = scenario->evaluator;
    struct setup setup = scenario->setup;
    const struct setup_hasher *inputs;
    const struct timeline *timeline = timeline_of(scenario, stratum, &inputs, err);
    char hash[SETUP_HASH], at[SETUP_HASH];
    bool judged = asked == TRIAL_VERDICTS;
    if (!timeline) {
        return NULL;
    }
    setup_use(&setup, strategy);
    setup_play_finish(inputs, setup.strategy, hash);
    hash_costs(costs, at);
    struct played *played = acquire(evaluator, hash, at);
    pthread_mutex_lock(&played->lock);
    if (!played->done) {
        enum store_found found = store_find_play(evaluator->store, hash, at, &played->trial, err);
        memcpy(played->trial.price, costs->price, sizeof played->trial.price);
        struct alike_wanted wanted = {inputs, setup.strategy, timeline, at, judged};
        played->done = found == STORE_FOUND ||
                       (found == STORE_MISSING &&
                        play(evaluator->store, &wanted, &setup, costs, asked, played, err));
    }
    INVARIANT(!played->done || !judged || played->trial.judged, "%s was played without verdicts",
              strategy->name);
    bool good = played->done;
    pthread_mutex_unlock(&played->lock);
    if (!good) {
        release(evaluator, played);
        if (err->simulation) {
            name_failure(scenario, strategy, err);
        }
    }
    return good ? played : NULL;
}

static void modes_of(const struct scenario *scenario, struct costs *costs)
{
    platform_modes(&scenario->setup.platform, costs->value);
    trial_prices(&scenario->setup, costs->value, costs->price);
}

/* Costs of the play that a stratum's draws may be priced from: of its first draw, which is then no
 * play more than the draws are. */
static void costs_of_stratum(struct scenario *scenario, unsigned stratum, struct costs *costs)
{
    size_t run = 1;
    while (stratum > 0 && run < scenario->runs && scenario_stratum(scenario, run) != stratum) {
        run++;
    }
    scenario_costs(scenario, stratum > 0 && run < scenario->runs ? run : 0, costs->value);
    trial_prices(&scenario->setup, costs->value, costs->price);
}

static struct lane *lane_of(struct scenario *scenario, const struct strategy *strategy,
                            unsigned stratum)
{
    pthread_mutex_lock(&scenario->lock);
    struct lane *lane = scenario->lanes;
    while (lane && (lane->strategy != strategy || lane->stratum != stratum)) {
        lane = lane->next;
    }
    pthread_mutex_unlock(&scenario->lock);
    return lane;
}

/* The strategy's lane, which two threads may have made at the same time: of equals the first one
 * is found. */
static const struct played *lane_played(struct scenario *scenario, const struct strategy *strategy,
                                        unsigned stratum, struct error *err)
{
    struct lane *lane = lane_of(scenario, strategy, stratum);
    if (lane) {
        return lane->played;
    }
    struct costs costs;
    costs_of_stratum(scenario, stratum, &costs);
    struct played *played = played_at(scenario, strategy, stratum, &costs,
                                      stratum == 0 ? TRIAL_VERDICTS : TRIAL_ALL_COSTS, err);
    if (!played) {
        return NULL;
    }
    lane = alloc_zeroed(1, sizeof *lane, "plays");
    *lane = (struct lane){.strategy = strategy, .stratum = stratum, .played = played};
    pthread_mutex_lock(&scenario->lock);
    lane->next = scenario->lanes;
    scenario->lanes = lane;
    pthread_mutex_unlock(&scenario->lock);
    return played;
}

const struct trial *evaluate_stratum(struct scenario *scenario, const struct strategy *strategy,
                                     unsigned stratum, struct error *err)
{
    const struct played *played = lane_played(scenario, strategy, stratum, err);
    return played ? &played->trial : NULL;
}

const struct trial *evaluate_trial(struct scenario *scenario, const struct strategy *strategy,
                                   struct error *err)
{
    return evaluate_stratum(scenario, strategy, 0, err);
}

bool evaluate_hash(struct scenario *scenario, const struct strategy *strategy, unsigned stratum,
                   char hash[SETUP_HASH], struct error *err)
{
    const struct setup_hasher *inputs;
    struct setup setup = scenario->setup;
    if (!timeline_of(scenario, stratum, &inputs, err)) {
        return false;
    }
    setup_use(&setup, strategy);
    setup_play_finish(inputs, setup.strategy, hash);
    return true;
}

bool evaluate_price_again(const struct scenario *scenario, const struct trial *trial,
                          const struct costs *costs, struct histogram *stalls, struct times *times)
{
    if (!trial_price(trial, &scenario->setup, costs->value, costs->price, stalls, times)) {
        return false;
    }
    /* The draw at whose costs it was played is a play like others. */
    times->priced = memcmp(costs->price, trial->price, sizeof costs->price) != 0;
    return true;
}

/* Where actors overlap at some costs they do at others, and no one prices from such a play. */
bool evaluate_play_again(struct scenario *scenario, const struct strategy *strategy,
                         unsigned stratum, const struct costs *costs, struct times *times,
                         struct error *err)
{
    const struct lane *lane = lane_of(scenario, strategy, stratum);
    bool priced = !lane || trial_is_for_all_costs(&lane->played->trial);
    struct played *played =
        played_at(scenario, strategy, stratum, costs, priced ? TRIAL_ALL_COSTS : TRIAL_TIMES, err);
    if (played) {
        trial_times(&played->trial, costs->price, times);
        release(scenario->evaluator, played);
    }
    return played;
}

static bool same_costs(const double a[COSTS], const double b[COSTS])
{
    for (size_t id = 0; id < COSTS; id++) {
        if (a[id] != b[id]) {
            return false;
        }
    }
    return true;
}

/* A strategy's times at any costs. */
static bool times_at(struct scenario *scenario, const struct strategy *strategy, unsigned stratum,
                     struct histogram *stalls, const struct costs *costs, struct times *times,
                     struct error *err)
{
    const struct trial *trial = evaluate_stratum(scenario, strategy, stratum, err);
    double modes[COSTS];
    if (!trial) {
        return false;
    }
    platform_modes(&scenario->setup.platform, modes);
    if (same_costs(costs->value, modes) &&
        memcmp(costs->price, trial->price, sizeof costs->price) == 0) {
        trial_times(trial, costs->price, times);
        return true;
    }
    return evaluate_price_again(scenario, trial, costs, stalls, times) ||
           evaluate_play_again(scenario, strategy, stratum, costs, times, err);
}

bool evaluate_verdict(struct scenario *scenario, const struct strategy *strategy,
                      struct strategy_verdict *verdict, struct error *err)
{
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    *verdict = (struct strategy_verdict){.worst = NOT_READ};
    if (!trial) {
        return false;
    }
    verdict->worst = verdict_worst(trial->verdict, &verdict->conditions);
    struct setup setup = scenario->setup;
    setup_use(&setup, strategy);
    verdict->hypothetical = setup_hypothetical(&setup.platform, setup.strategy);
    return true;
}

/* --- one metric --- */

bool evaluate_value(struct scenario *scenario, const struct strategy *strategy, enum metric metric,
                    const struct times *times, const struct times *ideal, double *value,
                    struct error *err)
{
    const struct trial *trial =
        metric_is_count(metric) ? evaluate_trial(scenario, strategy, err) : NULL;
    if (!metric_known(metric, trial, times)) {
        return error_input(err, NULL,
                           "%s is not known of %s on %s: nothing happens there that tells it",
                           metric_name[metric], strategy->name, scenario->timeline.name);
    }
    *value = metric_value(metric, trial, times, ideal);
    return true;
}

static bool metric_at(struct scenario *scenario, enum metric metric, unsigned stratum,
                      const struct costs *costs, const struct strategy *const *strategies,
                      size_t count, double *values, struct error *err)
{
    struct times ideal = {0}, times = {0};
    struct histogram own, *stalls = metric_is_tail(metric) ? &own : NULL;
    if (stalls) {
        histogram_init(stalls);
    }
    bool good = !metric_needs_ideal(metric) ||
                times_at(scenario, &strategy_ideal, stratum, NULL, costs, &ideal, err);
    for (size_t i = 0; good && i < count; i++) {
        good = times_at(scenario, strategies[i], stratum, stalls, costs, &times, err) &&
               evaluate_value(scenario, strategies[i], metric, &times, &ideal, &values[i], err);
    }
    if (stalls) {
        histogram_free(stalls);
    }
    return good;
}

bool evaluate_at(struct scenario *scenario, enum metric metric, const double costs[COSTS],
                 const struct strategy *const *strategies, size_t count, double *value,
                 struct error *err)
{
    struct costs own;
    memcpy(own.value, costs, sizeof own.value);
    trial_prices(&scenario->setup, costs, own.price);
    return metric_at(scenario, metric, 0, &own, strategies, count, value, err);
}

bool evaluate_priced(struct scenario *scenario, enum metric metric, const double costs[COSTS],
                     const ps_t price[EVENT_KINDS], const struct strategy *const *strategies,
                     size_t count, double *value, struct error *err)
{
    struct costs own;
    memcpy(own.value, costs, sizeof own.value);
    memcpy(own.price, price, sizeof own.price);
    return metric_at(scenario, metric, 0, &own, strategies, count, value, err);
}

bool evaluate_modes(struct scenario *scenario, enum metric metric, unsigned stratum,
                    const struct strategy *const *strategies, size_t count, double *value,
                    struct error *err)
{
    struct costs modes;
    modes_of(scenario, &modes);
    return metric_at(scenario, metric, stratum, &modes, strategies, count, value, err);
}

bool evaluate_run(struct scenario *scenario, enum metric metric, size_t run,
                  const struct strategy *const *strategies, size_t count, double *value,
                  struct error *err)
{
    struct costs costs;
    scenario_costs(scenario, run, costs.value);
    trial_prices(&scenario->setup, costs.value, costs.price);
    return metric_at(scenario, metric, scenario_stratum(scenario, run), &costs, strategies, count,
                     value, err);
}

bool evaluate_run_alone(struct scenario *scenario, enum metric metric, size_t run,
                        const struct strategy *const *strategies, size_t count, double *value,
                        struct error *err)
{
    struct costs costs;
    struct times ideal = {0}, times;
    double modes[COSTS];
    unsigned stratum = scenario_stratum(scenario, run);
    scenario_costs(scenario, run, costs.value);
    platform_modes(&scenario->setup.platform, modes);
    if (same_costs(costs.value, modes)) { /* played with verdicts */
        return evaluate_run(scenario, metric, run, strategies, count, value, err);
    }
    trial_prices(&scenario->setup, costs.value, costs.price);
    bool good = !metric_needs_ideal(metric) ||
                evaluate_play_again(scenario, &strategy_ideal, stratum, &costs, &ideal, err);
    for (size_t i = 0; good && i < count; i++) {
        good = evaluate_play_again(scenario, strategies[i], stratum, &costs, &times, err) &&
               evaluate_value(scenario, strategies[i], metric, &times, &ideal, &value[i], err);
    }
    return good;
}

enum metric evaluate_difference(enum metric metric)
{
    return metric == METRIC_added_boot_ns ? METRIC_window_ns : metric;
}
