/* What would change the answer: every assumption at either end of its range, all others as
 * they are, and what that does to the gap between the best strategy and the next one. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"
#include "core/error.h"
#include "machine/misfit.h"
#include "study/sensitivity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this share of what the best costs a swing is left out. */
#define SWING_LEAST 0.001

/* By how much the gap may be estimated wrongly, as a share of it. */
#define SWING_OFF_MAX 0.05

#define WHAT_CHANGES "what would change the answer"

struct looking {
    struct memo *memo;
    struct evaluator *evaluator;
    size_t place;
    const struct strategy *pair[2]; /* the best one, the next one */
    double best, gap; /* at the modes */
    size_t capacity;
};

/* What the next one costs more than the best one at these costs: by the surrogate where there is
 * one, else by playing. */
static bool gap_of(const struct looking *looking, struct scenario *scenario,
                   const struct surrogate *surrogate, const double *costs, double *gap,
                   struct error *err)
{
    double value[2];
    if (surrogate ? !surrogate_at(surrogate, costs, value, err)
                  : !evaluate_at(scenario, evaluate_difference(looking->memo->metric[0]), costs,
                                 looking->pair, 2, value, err)) {
        return false;
    }
    *gap = value[1] - value[0];
    return true;
}

static bool turns(double a, double b)
{
    return (a < 0) != (b < 0);
}

static struct memo_swing *add_swing(struct looking *looking, const char *key, double low,
                                    double high)
{
    struct memo *memo = looking->memo;
    double size = fabs(high - low) / fmax(fabs(looking->best), 1);
    if (size < SWING_LEAST) {
        return NULL;
    }
    if (memo->swings == looking->capacity) {
        looking->capacity = 2 * looking->capacity + 64;
        memo->swing =
            alloc_checked(realloc(memo->swing, looking->capacity * sizeof *memo->swing), "a memo");
    }
    struct memo_swing *swing = &memo->swing[memo->swings++];
    *swing = (struct memo_swing){.place = looking->place,
                                 .at_low = low,
                                 .at_high = high,
                                 .size = size,
                                 .turns = turns(low, looking->gap) || turns(high, looking->gap)};
    snprintf(swing->key, sizeof swing->key, "%.63s", key);
    return swing;
}

/* --- costs of the machine --- */

/* NULL: it is a cost of the machine. */
static const char *model_error(enum cost_id id)
{
    static const char *const words[MISFITS] = {[MISFIT_path] = "model error: faults, walks",
                                               [MISFIT_lines] = "model error: cache maintenance",
                                               [MISFIT_tlbi] = "model error: TLBI",
                                               [MISFIT_wait] = "model error: locks",
                                               [MISFIT_access] = "model error: accesses"};
    for (int m = 0; m < MISFITS; m++) {
        if (misfit_cost[m] == id) {
            return words[m];
        }
    }
    return NULL;
}

static void add_cost(struct looking *looking, const struct cost *cost, enum cost_id id, double low,
                     double high)
{
    struct memo_swing *swing = add_swing(looking, cost_name[id], low, high);
    enum unit unit = cost_entry[id].unit;
    if (swing) {
        swing->model = model_error(id);
        unit_format(cost->low, unit, swing->low_text, sizeof swing->low_text);
        unit_format(cost->high, unit, swing->high_text, sizeof swing->high_text);
        snprintf(swing->evidence, sizeof swing->evidence, "%.63s", cost->evidence);
    }
}

/* The gap at both ends of a cost's range. */
struct ends {
    bool asked; /* it has a range */
    double low, high;
};

/* `surrogate` NULL: they are played. */
static bool find_ends(const struct looking *looking, struct scenario *scenario,
                      const struct surrogate *surrogate, enum cost_id id, struct ends *ends,
                      struct error *err)
{
    const struct cost *cost = &scenario->setup.platform.cost[id];
    double costs[COSTS];
    platform_modes(&scenario->setup.platform, costs);
    ends->asked = true;
    costs[id] = cost->low;
    bool good = gap_of(looking, scenario, surrogate, costs, &ends->low, err);
    costs[id] = cost->high;
    return good && gap_of(looking, scenario, surrogate, costs, &ends->high, err);
}

/* What an estimate is not enough for: what turns the answer, and what moves it most. */
static bool is_worth_playing(const struct looking *looking, const struct ends ends[COSTS],
                             enum cost_id id)
{
    double size = fabs(ends[id].high - ends[id].low);
    size_t larger = 0;
    for (size_t other = 0; other < COSTS; other++) {
        larger += ends[other].asked && fabs(ends[other].high - ends[other].low) > size;
    }
    return larger == 0 || turns(ends[id].low, looking->gap) || turns(ends[id].high, looking->gap);
}

static bool look_at_ends(struct looking *looking, struct scenario *scenario,
                         const struct surrogate *surrogate, struct error *err)
{
    const struct cost *cost = scenario->setup.platform.cost;
    struct ends ends[COSTS] = {{0}};
    bool good = true;
    for (size_t id = 0; id < COSTS && good; id++) {
        good = !sensitivity_spread(&cost[id]) ||
               find_ends(looking, scenario, surrogate, (enum cost_id)id, &ends[id], err);
    }
    for (size_t id = 0; id < COSTS && good; id++) {
        struct ends exact = ends[id];
        if (!ends[id].asked) {
            continue;
        }
        if (surrogate && surrogate->method != SURROGATE_PRICED &&
            is_worth_playing(looking, ends, (enum cost_id)id)) {
            good = find_ends(looking, scenario, NULL, (enum cost_id)id, &exact, err);
        }
        add_cost(looking, &cost[id], (enum cost_id)id, exact.low, exact.high);
    }
    return good;
}

/* Where vCPUs wait for each other what lies between the modes and an end is taken for linear, as
 * `sensitivity` does; where the study's draws show that it is not, or there are none to show it,
 * all ends are played. */
static bool look_at_costs(struct looking *looking, struct scenario *scenario, struct error *err)
{
    struct memo *memo = looking->memo;
    struct surrogate surrogate;
    bool good = surrogate_open(&surrogate, scenario, evaluate_difference(memo->metric[0]),
                               looking->pair, 2, err);
    struct surrogate_error off =
        good ? surrogate_error(&surrogate, 1, 0) : (struct surrogate_error){0};
    bool linear = surrogate_is_good(off) || off.relative <= SWING_OFF_MAX;
    linear = linear && !isnan(off.relative);
    good = good && look_at_ends(looking, scenario, linear ? &surrogate : NULL, err);
    if (good && linear && surrogate.method != SURROGATE_PRICED) {
        memo->estimated++;
        memo->estimate_off = fmax(memo->estimate_off, off.relative);
    }
    surrogate_close(&surrogate);
    return good;
}

/* --- keys of the workload --- */

struct key_ends {
    char key[64], low[48], high[48], evidence[64];
};

#define KEYS_MAX 32

struct keys {
    struct key_ends key[KEYS_MAX];
    size_t count;
};

static const char *weak_word(const char *note)
{
    static const char *const words[] = {"assumed", "inferred", "unverified"};
    for (size_t i = 0; note && i < sizeof words / sizeof *words; i++) {
        if (strstr(note, words[i])) {
            return words[i];
        }
    }
    return NULL;
}

static struct key_ends *find_key(struct keys *keys, const char *key, size_t length)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strlen(keys->key[i].key) == length && strncmp(keys->key[i].key, key, length) == 0) {
            return &keys->key[i];
        }
    }
    return NULL;
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* A key with a range of its own (KEY_min, KEY_max) goes to the ends of it, one that is not
 * known from a recording to half and twice what it is; shares end at 1. */
static void take_key(void *context, const struct setting_line *line)
{
    struct keys *keys = context;
    bool low = ends_in(line->key, "_min"), high = ends_in(line->key, "_max");
    struct value_kind kind = setup_key_kind(line->key);
    struct key_ends *ranged = low || high ? find_key(keys, line->key, strlen(line->key) - 4) : NULL;
    double value;
    if (ranged) {
        snprintf(low ? ranged->low : ranged->high, sizeof ranged->low, "%.47s", line->value);
        snprintf(ranged->evidence, sizeof ranged->evidence, "%s",
                 weak_word(line->note) ? weak_word(line->note) : "recorded");
        return;
    }
    if (!kind.number || !unit_parse(line->value, kind.unit, &value) || value <= 0 || low || high ||
        setup_key_owner(line->key) != KEY_WORKLOAD || keys->count == KEYS_MAX) {
        return;
    }
    struct key_ends *one = &keys->key[keys->count++];
    *one = (struct key_ends){0};
    snprintf(one->key, sizeof one->key, "%.63s", line->key);
    if (weak_word(line->note)) {
        double max = kind.unit == UNIT_RATIO ? 1 : INFINITY, min = value / 2;
        min = kind.whole ? floor(min) : min;
        unit_format(min, kind.unit, one->low, sizeof one->low);
        unit_format(fmin(2 * value, max), kind.unit, one->high, sizeof one->high);
        snprintf(one->evidence, sizeof one->evidence, "%s", weak_word(line->note));
    }
}

/* The gap with a key otherwise; false without a line where the workload cannot have it so, or its
 * simulation fails, which is noted. */
static bool gap_with(const struct looking *looking, struct scenario_key other, double *gap)
{
    struct scenario scenario;
    struct error unused;
    double costs[COSTS];
    size_t point = looking->memo->place[looking->place];
    if (!scenario_open(&scenario, looking->evaluator, point, other, &unused)) {
        return false;
    }
    platform_modes(&scenario.setup.platform, costs);
    bool good = gap_of(looking, &scenario, NULL, costs, gap, &unused);
    scenario_close(&scenario);
    if (!good) {
        looking->memo->swings_missing |= memo_miss(looking->memo, WHAT_CHANGES, &unused);
    }
    return good;
}

static void look_at_keys(struct looking *looking, struct scenario *scenario)
{
    struct keys keys = {0};
    setup_list_workload(scenario->setup.workload, take_key, &keys);
    for (size_t i = 0; i < keys.count; i++) {
        const struct key_ends *key = &keys.key[i];
        double low, high;
        bool facet = groups_axis(looking->memo->study, key->key) == looking->memo->axis &&
                     looking->memo->axis;
        if (!key->low[0] || !key->high[0] || facet ||
            !gap_with(looking, (struct scenario_key){key->key, key->low}, &low) ||
            !gap_with(looking, (struct scenario_key){key->key, key->high}, &high)) {
            continue;
        }
        struct memo_swing *swing = add_swing(looking, key->key, low, high);
        if (swing) {
            snprintf(swing->low_text, sizeof swing->low_text, "%s", key->low);
            snprintf(swing->high_text, sizeof swing->high_text, "%s", key->high);
            snprintf(swing->evidence, sizeof swing->evidence, "%s", key->evidence);
        }
    }
}

/* --- all places --- */

static bool look_at_place(struct looking *looking, struct error *err)
{
    struct memo *memo = looking->memo;
    const struct memo_scenario *there = memo_place(memo, looking->place);
    struct scenario scenario;
    double costs[COSTS];
    size_t next = there->best.winner == WINNER_NONE ? WINNER_NONE : memo_next(memo, there);
    if (next == WINNER_NONE) {
        return true;
    }
    looking->pair[0] = memo->study->strategies[there->best.winner];
    looking->pair[1] = memo->study->strategies[next];
    if (!scenario_open(&scenario, looking->evaluator, there->point, (struct scenario_key){0},
                       err)) {
        return false;
    }
    platform_modes(&scenario.setup.platform, costs);
    double value[2];
    bool good = evaluate_at(&scenario, evaluate_difference(memo->metric[0]), costs, looking->pair,
                            2, value, err);
    looking->best = value[0];
    looking->gap = value[1] - value[0];
    good = good && look_at_costs(looking, &scenario, err);
    if (good) {
        looking->best = there->value[0][there->best.winner * memo->runs];
        look_at_keys(looking, &scenario);
    }
    scenario_close(&scenario);
    return good;
}

static int by_size(const void *a, const void *b)
{
    const struct memo_swing *x = a, *y = b;
    return x->size != y->size ? (x->size < y->size) - (x->size > y->size) : strcmp(x->key, y->key);
}

bool memo_find_swings(struct memo *memo, struct evaluator *evaluator, struct error *err)
{
    struct looking looking = {.memo = memo, .evaluator = evaluator};
    bool good = true;
    for (looking.place = 0; looking.place < memo->places && good; looking.place++) {
        good = look_at_place(&looking, err);
        if (!good && memo_miss(memo, WHAT_CHANGES, err)) {
            memo->swings_missing = good = true;
        }
    }
    if (memo->swings > 0) {
        qsort(memo->swing, memo->swings, sizeof *memo->swing, by_size);
    }
    return good;
}
