/* What a memo says, asked of the study: the only file that does. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"
#include "core/error.h"
#include "guest/workload/workload.h"
#include "study/sensitivity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- which points --- */

/* An axis that the case does not name makes an answer for each of its values where those
 * are names; of numbers the middle one stands for all. */
static void find_facets(struct memo *memo)
{
    const struct study *study = memo->study;
    size_t places = 1;
    for (size_t i = 0; i < study->axis_count; i++) {
        const struct axis *axis = &study->axes[i];
        bool named = study_memo_case(study, i) != SIZE_MAX;
        bool wanted = study_memo_by(&study->memo, axis->name) || (!axis->kind.number && !named);
        memo->facet[i] = wanted && axis->role != AXIS_STRATEGY && axis->values.count > 1 &&
                         places * axis->values.count <= MEMO_PLACES;
        places *= memo->facet[i] ? axis->values.count : 1;
    }
    memo->places = places;
}

static void find_places(struct memo *memo)
{
    const struct study *study = memo->study;
    for (size_t p = 0; p < memo->places; p++) {
        size_t rest = p, point = 0;
        for (size_t i = study->axis_count; i-- > 0;) {
            const struct axis *axis = &study->axes[i];
            size_t named = study_memo_case(study, i), count = axis->values.count;
            size_t digit = named != SIZE_MAX ? named : axis->kind.number ? count / 2 : 0;
            if (memo->facet[i]) {
                digit = rest % count;
                rest /= count;
            }
            point += (axis->role == AXIS_STRATEGY ? 0 : digit) * axis->stride;
        }
        memo->place[p] = point;
    }
}

static void add_scenario(struct memo *memo, size_t point)
{
    for (size_t i = 0; i < memo->scenarios; i++) {
        if (memo->scenario[i].point == point) {
            return;
        }
    }
    memo->scenario[memo->scenarios++] = (struct memo_scenario){.point = point};
}

static int by_point(const void *a, const void *b)
{
    size_t x = ((const struct memo_scenario *)a)->point,
           y = ((const struct memo_scenario *)b)->point;
    return (x > y) - (x < y);
}

/* The places, along the axis of each, and on all other machines and kernels. */
static void find_scenarios(struct memo *memo)
{
    const struct study *study = memo->study;
    const struct axis *machine = study->role[AXIS_MACHINE], *kernel = study->role[AXIS_KERNEL];
    size_t along = memo->axis ? memo->axis->values.count : 0;
    size_t room = memo->places * (1 + along + machine->values.count * kernel->values.count);
    memo->scenario = alloc_zeroed(room, sizeof *memo->scenario, "a memo");
    for (size_t p = 0; p < memo->places; p++) {
        add_scenario(memo, memo->place[p]);
        for (size_t i = 0; i < along; i++) {
            add_scenario(memo, memo_with(memo->axis, memo->place[p], i));
        }
        for (size_t m = 0; m < machine->values.count; m++) {
            for (size_t k = 0; k < kernel->values.count; k++) {
                add_scenario(memo, memo_with(kernel, memo_with(machine, memo->place[p], m), k));
            }
        }
    }
    qsort(memo->scenario, memo->scenarios, sizeof *memo->scenario, by_point);
}

/* --- what they come to --- */

/* Facts of a workload: not what it does not heed, as a timeline of its own does with what boots
 * are generated from. */
struct fact_finder {
    const struct workload *workload;
    struct memo_facts *facts;
};

static void take_fact(void *context, const struct setting_line *line)
{
    const struct fact_finder *finder = context;
    struct memo_facts *facts = finder->facts;
    const struct {
        const char *key;
        char *text;
    } wanted[] = {{"ram", facts->ram},         {"footprint", facts->footprint},
                  {"touched", facts->touched}, {"vcpus", facts->vcpus},
                  {"backing", facts->backing}, {"granule", facts->granule}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strcmp(line->key, wanted[i].key) == 0 &&
            !workload_without_effect(finder->workload, line->key)) {
            snprintf(wanted[i].text, sizeof facts->ram, "%.31s", line->value);
        }
    }
}

/* All times of a scenario's runs with one strategy, and with none. */
struct run_times {
    struct times *own, *ideal; /* [runs] */
};

/* A metric that nothing in a strategy's run tells is not known, which is no error. */
static bool evaluate_one(const struct memo *memo, struct scenario *scenario, size_t metric,
                         size_t strategy, const struct run_times *times, double *value,
                         struct error *err)
{
    const struct strategy *one = memo->study->strategies[strategy];
    const struct trial *trial = evaluate_trial(scenario, one, err);
    bool known = true;
    if (metric >= memo->parts) { /* all of the time, not what is added to the yardstick's */
        for (size_t run = 0; run < memo->runs; run++) {
            value[run] = (double)times->own[run].part[metric - memo->parts] / (double)PS_PER_NS;
        }
        return true;
    }
    for (size_t run = 0; run < memo->runs; run++) {
        known &= metric_known(memo->metric[metric], trial, &times->own[run]);
    }
    for (size_t run = 0; run < memo->runs; run++) {
        value[run] =
            known ? metric_value(memo->metric[metric], trial, &times->own[run], &times->ideal[run])
                  : NAN;
    }
    return known || evaluate_metric(scenario, memo->metric[metric], &one, 1, value, err) ||
           (metric > 0 && err->status == EXIT_INPUT);
}

static bool evaluate_strategy(const struct memo *memo, struct scenario *scenario,
                              struct memo_scenario *into, size_t strategy, struct run_times *times,
                              struct error *err)
{
    const struct strategy *one = memo->study->strategies[strategy];
    const struct trial *trial = evaluate_trial(scenario, one, err);
    bool good = trial && evaluate_verdict(scenario, one, &into->verdict[strategy], err) &&
                evaluate_runs(scenario, one, TAILS_KNOWN, times->own, err);
    if (good) {
        memcpy(into->reader[strategy], trial->verdict, sizeof *into->reader);
    }
    for (size_t run = 1; good && !trial->serial && run < memo->runs; run++) {
        into->fitted += times->own[run].fitted;
        into->played += !times->own[run].fitted && !times->own[run].priced;
    }
    for (size_t m = 0; good && m < memo->metrics; m++) {
        good = evaluate_one(memo, scenario, m, strategy, times,
                            into->value[m] + strategy * memo->runs, err);
    }
    return good;
}

static bool evaluate_all(const struct memo *memo, struct scenario *scenario,
                         struct memo_scenario *into, struct error *err)
{
    struct run_times times = {alloc_zeroed(memo->runs, sizeof *times.own, "a memo"),
                              alloc_zeroed(memo->runs, sizeof *times.ideal, "a memo")};
    bool good = evaluate_runs(scenario, &strategy_ideal, TAILS_KNOWN, times.ideal, err);
    for (size_t s = 0; good && s < memo->strategies; s++) {
        good = evaluate_strategy(memo, scenario, into, s, &times, err);
    }
    free(times.own);
    free(times.ideal);
    return good;
}

static void choose(const struct memo *memo, struct memo_scenario *scenario)
{
    bool may[STUDY_STRATEGIES * 2] = {false};
    double *scratch = alloc_raw(memo->runs, sizeof *scratch, "a memo");
    for (int sound = 0; sound < 2; sound++) {
        for (size_t s = 0; s < memo->strategies; s++) {
            may[s] = winner_map_may_win(&scenario->verdict[s], memo->study->memo.what_if, sound);
        }
        winner_map_choose(scenario->value[0], memo->strategies, memo->runs, may, scratch,
                          sound ? &scenario->sound : &scenario->best);
    }
    free(scratch);
}

static char *copy_of(const char *text)
{
    return alloc_checked(strdup(text), "a memo");
}

struct asking {
    struct memo *memo;
    struct evaluator *evaluator;
};

static void take_room(const struct memo *memo, struct memo_scenario *into)
{
    into->verdict = alloc_zeroed(memo->strategies, sizeof *into->verdict, "a memo");
    into->reader = alloc_zeroed(memo->strategies, sizeof *into->reader, "a memo");
    for (size_t m = 0; m < memo->metrics; m++) {
        into->value[m] = alloc_raw(memo->strategies * memo->runs, sizeof(double), "a memo");
    }
}

/* Nothing is known of any strategy. */
static void know_nothing(const struct memo *memo, struct memo_scenario *of, const char *why)
{
    for (size_t m = 0; m < memo->metrics; m++) {
        for (size_t i = 0; i < memo->strategies * memo->runs; i++) {
            of->value[m][i] = NAN;
        }
    }
    of->best = (struct winner_map_choice){.winner = WINNER_NONE, .runner_up = WINNER_NONE};
    of->sound = of->best;
    of->failed = copy_of(why);
}

/* Of a scenario with a simulation that could not go on nothing is known, and the others are
 * asked for. */
static bool evaluate_part(void *context, size_t part, struct error *err)
{
    const struct asking *asking = context;
    const struct memo *memo = asking->memo;
    struct memo_scenario *into = &asking->memo->scenario[part];
    struct scenario scenario;
    take_room(memo, into);
    if (!scenario_open(&scenario, asking->evaluator, into->point, (struct scenario_key){0}, err)) {
        return false;
    }
    struct fact_finder finder = {scenario.setup.workload, &into->facts};
    setup_list_workload(scenario.setup.workload, take_fact, &finder);
    bool good = evaluate_all(memo, &scenario, into, err);
    scenario_close(&scenario);
    if (good) {
        choose(memo, into);
    } else if (err->simulation) {
        know_nothing(memo, into, err->text);
    }
    return good || into->failed;
}

bool memo_miss(struct memo *memo, const char *what, const struct error *err)
{
    char line[sizeof err->text + MEMO_TEXT];
    if (!err->simulation) {
        return false;
    }
    snprintf(line, sizeof line, "%s: %s", what, err->text);
    memo->missing = alloc_checked(
        realloc(memo->missing, (memo->missings + 1) * sizeof *memo->missing), "a memo");
    memo->missing[memo->missings++] = copy_of(line);
    return true;
}

/* False with a line where no place is left. */
static bool leave_out_failed(struct memo *memo, struct error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < memo->scenarios; i++) {
        if (memo->scenario[i].failed) {
            error_run(err, "%s", memo->scenario[i].failed);
            err->simulation = true;
            memo_miss(memo, "a scenario", err);
        }
    }
    for (size_t p = 0; p < memo->places; p++) {
        if (!memo_place(memo, p)->failed) {
            memo->place[kept++] = memo->place[p];
        }
    }
    memo->places = kept;
    return kept > 0;
}

#define SAME 1e-3 /* what differs by less is printed the same */

/* Whether all strategies come to the same in two scenarios. */
static bool same_values(const struct memo *memo, size_t point, size_t other)
{
    const double *a = memo_at(memo, point)->value[0], *b = memo_at(memo, other)->value[0];
    bool same = true;
    for (size_t i = 0; i < memo->strategies * memo->runs && same; i++) {
        same = (isnan(a[i]) && isnan(b[i])) ||
               fabs(a[i] - b[i]) <= SAME * fmax(fabs(a[i]), fabs(b[i]));
    }
    return same;
}

/* Places that are the same in all but their names get one answer. */
static void merge_places(struct memo *memo)
{
    size_t kept = 0;
    for (size_t p = 0; p < memo->places; p++) {
        bool merged = false;
        for (size_t q = 0; q < kept && !merged; q++) {
            merged = same_values(memo, memo->place[p], memo->place[q]);
            for (size_t i = 0; memo->axis && i < memo->axis->values.count && merged; i++) {
                merged = same_values(memo, memo_with(memo->axis, memo->place[p], i),
                                     memo_with(memo->axis, memo->place[q], i));
            }
        }
        if (merged) {
            memo->merged[memo->merges++] = memo->place[p];
        } else {
            memo->place[kept++] = memo->place[p];
        }
    }
    memo->places = kept;
}

/* --- where strategies cross --- */

/* The study with the axes that are no facets at the case, but for one, and two of its
 * strategies. */
static bool read_narrow(const struct memo *memo, const struct axis *open, size_t a, size_t b,
                        struct study *narrow, struct error *err)
{
    const struct study *study = memo->study;
    size_t count = study->change_count;
    const char **set = alloc_zeroed(count + study->axis_count, sizeof *set, "a memo");
    char text[STUDY_AXES][400];
    for (size_t i = 0; i < count; i++) {
        set[i] = study->changes[i];
    }
    for (size_t i = 0; i < study->axis_count; i++) {
        const struct axis *axis = &study->axes[i];
        size_t digit = study_digit(axis, memo->place[0]);
        if (axis->role == AXIS_STRATEGY) {
            snprintf(text[i], sizeof text[i], "strategy=%s%s%s", memo_name(memo, a),
                     a == b ? "" : ", ", a == b ? "" : memo_name(memo, b));
        } else {
            snprintf(text[i], sizeof text[i], "%.63s=%.300s", axis->name, axis->values.text[digit]);
        }
        if (axis != open && !memo->facet[i] && axis->values.count > 1) {
            set[count++] = text[i];
        }
    }
    bool good = study_read(narrow, study->path, &(struct study_changes){set, count}, err);
    free(set);
    return good;
}

/* The place that a group of the narrow study is, or the first in its panel where one axis is
 * `open`; SIZE_MAX: none. */
static size_t place_of(const struct memo *memo, const struct axis *open, const struct study *narrow,
                       size_t point)
{
    for (size_t p = 0; p < memo->places; p++) {
        bool same = !open || memo_is_panel(memo, p);
        for (size_t i = 0; i < memo->study->axis_count && same; i++) {
            const struct axis *own = &memo->study->axes[i];
            const struct axis *other = groups_axis(narrow, own->name);
            if (memo->facet[i] && own != open && other) {
                same = strcmp(own->values.text[study_digit(own, memo->place[p])],
                              other->values.text[study_digit(other, point)]) == 0;
            }
        }
        if (same) {
            return p;
        }
    }
    return SIZE_MAX;
}

static void add_crossing(struct memo *memo, const struct breakeven *row, size_t place, size_t a,
                         size_t b)
{
    bool drawn = row->n > 0 && isfinite(row->p50);
    struct memo_crossing *one = &memo->crossing[memo->crossings++];
    *one = (struct memo_crossing){
        .place = place,
        .a = a,
        .b = b,
        .status = row->status,
        .a_below = row->a_below,
        .at = {drawn ? row->p50 : row->at, drawn ? row->p10 : NAN, drawn ? row->p90 : NAN},
        .error = row->error,
        .share = row->n > 0 ? row->share_crossing : NAN};
}

static bool find_pair(struct memo *memo, size_t a, size_t b, const struct evaluator *evaluator,
                      struct error *err)
{
    static const char what[] = "where strategies cost the same";
    struct study narrow = {0};
    struct breakeven_results results;
    struct breakeven_request request = {
        .axis = memo->axis->name, .metric = memo->metric[0], .what_if = true};
    if (!read_narrow(memo, memo->axis, a, b, &narrow, err)) { /* the axis is nothing to both */
        study_free(&narrow);
        return true;
    }
    bool good = breakeven_run(&narrow, &request, evaluator->sweep, evaluator->store, &results, err);
    if (good) {
        memo->crossings_missing |= memo_miss(memo, what, &results.failed.err);
        memo->crossings_missing |= memo_miss(memo, what, &results.roots_failed.err);
        memo->crossing =
            realloc(memo->crossing, (memo->crossings + results.count) * sizeof *memo->crossing);
        if (!memo->crossing && results.count > 0) {
            error_fatal("out of memory for a memo");
        }
        for (size_t i = 0; i < results.count; i++) {
            const struct breakeven *row = &results.row[i];
            size_t place =
                place_of(memo, memo->axis, &narrow, groups_point(&results.groups, row->group));
            bool swapped = strcmp(narrow.strategies[row->a]->name, memo_name(memo, a)) != 0;
            if (place != SIZE_MAX &&
                (row->status == BREAKEVEN_CROSSING || row->status == BREAKEVEN_UNDECIDED)) {
                add_crossing(memo, row, place, swapped ? b : a, swapped ? a : b);
            }
        }
        breakeven_free(&results);
    }
    study_free(&narrow);
    return good;
}

/* Pairs whose crossing decides something: of the best one and the next along the axis, of
 * the best one and Linux, and those that the study compares. */
static void mark_pairs(const struct memo *memo, bool *wanted)
{
    size_t n = memo->strategies, first, second;
    for (size_t p = 0; p < memo->places; p++) {
        size_t before = WINNER_NONE;
        for (size_t i = 0; i < memo->axis->values.count; i++) {
            const struct memo_scenario *there =
                memo_at(memo, memo_with(memo->axis, memo->place[p], i));
            size_t winner = there->best.winner;
            if (winner != WINNER_NONE && before != WINNER_NONE && winner != before) {
                wanted[before * n + winner] = true;
            }
            before = winner;
        }
        size_t winner = memo_place(memo, p)->best.winner;
        if (winner != WINNER_NONE && memo->upstream != SIZE_MAX && winner != memo->upstream) {
            wanted[memo->upstream * n + winner] = true;
        }
    }
    if (memo_pair(memo, &first, &second)) {
        wanted[first * n + second] = true;
    }
}

static bool find_crossings(struct memo *memo, const struct evaluator *evaluator, struct error *err)
{
    size_t n = memo->strategies;
    bool *wanted = alloc_zeroed(n * n, sizeof *wanted, "a memo"), good = true;
    if (memo->axis && memo->axis->values.count > 1) {
        mark_pairs(memo, wanted);
    }
    for (size_t a = 0; a < n && good; a++) {
        for (size_t b = 0; b < a && good; b++) {
            bool both = wanted[a * n + b] || wanted[b * n + a];
            good = !both || find_pair(memo, b, a, evaluator, err);
        }
    }
    free(wanted);
    return good;
}

/* --- the whole set of strategies --- */

/* Whether what the study asks is a matter of the kernel's choices alone: hardware, a new VM that
 * the study names (and not a rule), and keys of its strategies are compared as the study has them.
 */
static bool is_kernels_choice(const struct memo *memo)
{
    const struct study *study = memo->study;
    bool kernels = !study->memo.what_if && study->memo.about != MEMO_ABOUT_LIMITS &&
                   study->memo.about != MEMO_ABOUT_SHARES;
    for (size_t s = 0; s < memo->strategies; s++) {
        kernels &= !study->strategies[s]->recreate || (study->ruled && study->by_rule[s]);
    }
    for (size_t i = 0; i < study->axis_count; i++) {
        kernels &= setup_key_owner(study->axes[i].name) != KEY_STRATEGY;
    }
    return kernels;
}

static void free_advice(struct memo *memo)
{
    advise_free(&memo->advice);
    study_free(&memo->narrow);
}

/* Those of all places, or none: the answer is of all strategies or of those that the study
 * compares. */
static bool find_ladders(struct memo *memo, const struct evaluator *evaluator, struct error *err)
{
    static const char what[] = "the cheapest of all strategies";
    struct advise_request request = {.metric = memo->metric[0], .changes_max = STRATEGY_KEYS};
    bool all = true;
    if (!is_kernels_choice(memo)) {
        return true;
    }
    if (!read_narrow(memo, NULL, 0, 0, &memo->narrow, err) ||
        !advise_run(&memo->narrow, &request, evaluator->sweep, evaluator->store, &memo->advice,
                    err)) {
        study_free(&memo->narrow);
        return memo_miss(memo, what, err);
    }
    memo_miss(memo, what, &memo->advice.failed.err);
    for (size_t group = 0; group < memo->advice.groups.count; group++) {
        size_t point = groups_point(&memo->advice.groups, group);
        size_t place = place_of(memo, NULL, &memo->narrow, point);
        if (place != SIZE_MAX) {
            memo->ladder[place] = group;
            all &= advise_ladder(&memo->advice, group, HARDWARE_OWN) != NULL;
        }
    }
    memo->advised = all;
    if (!all) {
        free_advice(memo);
    }
    return true;
}

/* --- all of it --- */

static bool find_metrics(struct memo *memo, struct error *err)
{
    const struct study *study = memo->study;
    struct source_location at = {.file = study->path, .key = "metric"};
    bool also[METRICS] = {false};
    memo->metrics = 1;
    if (!metric_one(study->memo.metric, &at, &memo->metric[0], err) ||
        (study->memo.also[0] && !metric_select(study->memo.also, also, &at, err))) {
        return false;
    }
    for (int m = 0; m < METRICS && memo->metrics <= STUDY_MEMO_LIST; m++) {
        if (also[m] && (enum metric)m != memo->metric[0]) {
            memo->metric[memo->metrics++] = (enum metric)m;
        }
    }
    memo->parts = memo->metrics;
    memo->metrics += study->memo.about == MEMO_ABOUT_SHARES ? PARTS : 0;
    return true;
}

/* Where the machine has FWB, Linux is what it does there without. */
static size_t find_upstream(const struct memo *memo)
{
    size_t found = SIZE_MAX;
    for (size_t s = memo->strategies; s-- > 0;) {
        const struct strategy *one = memo->study->strategies[s];
        bool better = found == SIZE_MAX || memo->study->strategies[found]->fwb || !one->fwb;
        found = one->upstream && better ? s : found;
    }
    return found;
}

static uint64_t memory_of(const struct memo *memo)
{
    uint64_t values = u64_mul(memo->metrics * memo->strategies, memo->runs, "a memo");
    return u64_mul(values * sizeof(double), memo->scenarios, "a memo");
}

bool memo_make(const struct study *study, const char *validation, struct sweep *sweep,
               struct store *store, struct memo **made, struct error *err)
{
    struct memo *memo = alloc_zeroed(1, sizeof *memo, "a memo");
    struct evaluator evaluator;
    memo->study = study;
    memo->strategies = study->role[AXIS_STRATEGY]->values.count;
    memo->runs = 1 + study->draws;
    memo->upstream = find_upstream(memo);
    const struct axis *axis = groups_axis(study, study->memo.breakeven);
    memo->axis = axis && axis->kind.number && axis->role != AXIS_STRATEGY ? axis : NULL;
    find_facets(memo);
    find_places(memo);
    find_scenarios(memo);
    evaluator_open(&evaluator, study, sweep, store);
    bool good =
        find_metrics(memo, err) &&
        scenario_count_allowed(study, sweep->jobs, memory_of(memo), 0, "the memo",
                               "a study of fewer draws or metrics takes less", err) &&
        sweep_parts(sweep, memo->scenarios, evaluate_part, &(struct asking){memo, &evaluator}, err);
    good = good && leave_out_failed(memo, err);
    if (good) {
        merge_places(memo);
    }
    good = good && find_ladders(memo, &evaluator, err) && find_crossings(memo, &evaluator, err) &&
           memo_find_swings(memo, &evaluator, err) && memo_read_published(memo, validation, err) &&
           memo_read_seen(memo, err) && memo_find_played(memo, &evaluator, err);
    evaluator_close(&evaluator);
    if (!good) {
        memo_free(memo);
        memo = NULL;
    }
    *made = memo;
    return good;
}

bool memo_whole(const struct memo *memo, struct error *err)
{
    if (memo->missings > 0) {
        error_run(err,
                  "simulations failed, and the memo leaves out what they are part of; %zu %s%s",
                  memo->missings,
                  memo->missings == 1 ? "part, " : "parts, the first: ", memo->missing[0]);
        err->simulation = true;
    }
    return memo->missings == 0;
}

void memo_free(struct memo *memo)
{
    for (size_t i = 0; i < memo->scenarios; i++) {
        for (size_t m = 0; m < memo->metrics; m++) {
            free(memo->scenario[i].value[m]);
        }
        free(memo->scenario[i].verdict);
        free(memo->scenario[i].reader);
        free(memo->scenario[i].failed);
    }
    if (memo->advised) {
        free_advice(memo);
    }
    for (size_t i = 0; i < memo->missings; i++) {
        free(memo->missing[i]);
    }
    free(memo->missing);
    free(memo->scenario);
    free(memo->crossing);
    free(memo->swing);
    free(memo->published);
    free(memo->machine_names);
    free(memo->seen);
    json_decref(memo->played);
    free(memo);
}
