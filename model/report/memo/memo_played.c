/* What was played, for the page in which a reader moves costs (bench/plots/whatif.js): the events
 * of each run, what an event costs, and the draws. Time is count times price where no actor waits.
 * Where actors do, the page moves the played time by what the events of each part would cost more,
 * each part with a weight that is fitted to the draws here; how far that is off on draws of the
 * same timeline is said beside it. */

#include "core/alloc.h"
#include "core/error.h"
#include "core/portable_math.h"
#include "core/tojson.h"
#include "kvm/kvm.h"
#include "machine/misfit.h"
#include "report/memo/memo_input.h"
#include "study/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOVED 5 /* costs that the page lets move */

/* One strategy in one scenario. */
struct observed {
    struct scenario *scenario;
    const struct trial *own[1 + DRAW_STRATA],
        *ideal[1 + DRAW_STRATA]; /* ideal NULL: not taken off */
    size_t strata; /* timelines that it has: 1, or 1 + DRAW_STRATA */
    const double *value; /* [runs] */
    size_t runs;
    ps_t (*price)[EVENT_KINDS]; /* [runs] */
};

/* --- counts --- */

/* Events of a kind that the strategy has more than the yardstick, by part where `part` is one. */
static double count_of(const struct trial *own, const struct trial *ideal, enum event_kind kind,
                       int part)
{
    double n = 0;
    for (int side = 0; side < 2; side++) {
        const struct trial *trial = side ? ideal : own;
        for (size_t i = 0; trial && i < trial->count; i++) {
            const struct event_count *count = &trial->counts[i];
            if (count->kind == kind && (part < 0 || count->part == (enum part_id)part)) {
                n += side ? -(double)count->n : (double)count->n;
            }
        }
    }
    return n;
}

/* Whether count times price is the time in all runs. */
static bool is_sum(const struct observed *run)
{
    bool sum = true;
    for (size_t s = 0; s < run->strata; s++) {
        sum &= run->own[s]->serial && (!run->ideal[s] || run->ideal[s]->serial);
    }
    for (size_t i = 0; i < run->runs && sum; i++) {
        unsigned stratum = run->strata > 1 ? scenario_stratum(run->scenario, i) : 0;
        double ps = 0;
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            ps += count_of(run->own[stratum], run->ideal[stratum], (enum event_kind)kind, -1) *
                  (double)run->price[i][kind];
        }
        sum = fabs(ps / (double)PS_PER_NS - run->value[i]) < 0.5;
    }
    return sum;
}

/* --- weights of parts, where actors wait --- */

struct fit {
    double weight[PARTS];
    double off; /* the largest error on a draw that the weights did not come from, as a share */
    size_t tried;
};

/* What the events of each part cost in all runs, in ns. */
static void parts_of(const struct observed *run, double (*part)[PARTS])
{
    for (int p = 0; p < PARTS; p++) {
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            double n = count_of(run->own[0], run->ideal[0], (enum event_kind)kind, p);
            for (size_t i = 0; i < run->runs; i++) {
                part[i][p] += n * (double)run->price[i][kind] / (double)PS_PER_NS;
            }
        }
    }
}

/* Solves a x = b by elimination; a is symmetric, with something on its diagonal. */
static void solve(double a[PARTS][PARTS], double b[PARTS], double x[PARTS])
{
    for (int k = 0; k < PARTS; k++) {
        for (int i = k + 1; i < PARTS; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j < PARTS; j++) {
                a[i][j] -= factor * a[k][j];
            }
            b[i] -= factor * b[k];
        }
    }
    for (int k = PARTS; k-- > 0;) {
        x[k] = b[k];
        for (int j = k + 1; j < PARTS; j++) {
            x[k] -= a[k][j] * x[j];
        }
        x[k] /= a[k][k];
    }
}

/* Which draws are looked at: all, or every other one. */
enum half { EVEN, ODD, ALL };

static bool is_pair(const struct observed *run, size_t i, size_t j, enum half half)
{
    return i != j && (half == ALL || (i % 2 == (size_t)half && j % 2 == (size_t)half)) &&
           scenario_stratum(run->scenario, i) == scenario_stratum(run->scenario, j);
}

/* Least squares over pairs of draws of the same timeline, drawn towards one weight for all. */
static void fit_weights(const struct observed *run, double (*part)[PARTS], enum half half,
                        double weight[PARTS])
{
    double a[PARTS][PARTS] = {{0}}, b[PARTS] = {0}, all = 0, shared = 0, trace = 0;
    for (size_t i = 1; i < run->runs; i++) {
        for (size_t j = 1; j < i; j++) {
            double difference = run->value[i] - run->value[j], sum = 0;
            for (int p = 0; p < PARTS && is_pair(run, i, j, half); p++) {
                double dp = part[i][p] - part[j][p];
                sum += dp;
                b[p] += dp * difference;
                for (int q = 0; q < PARTS; q++) {
                    a[p][q] += dp * (part[i][q] - part[j][q]);
                }
            }
            all += sum * difference;
            shared += sum * sum;
        }
    }
    for (int p = 0; p < PARTS; p++) {
        trace += a[p][p];
    }
    for (int p = 0; p < PARTS; p++) {
        double pull = 1e-3 * trace / PARTS + 1e-9;
        a[p][p] += pull;
        b[p] += shared > 0 ? pull * all / shared : 0;
    }
    solve(a, b, weight);
}

/* How far draws are off that weights from the other half of the draws are to foresee. */
static void try_weights(const struct observed *run, double (*part)[PARTS], struct fit *fit)
{
    for (int half = EVEN; half <= ODD; half++) {
        double weight[PARTS];
        fit_weights(run, part, half == EVEN ? ODD : EVEN, weight);
        for (size_t i = 1; i < run->runs; i++) {
            for (size_t j = 1; j < run->runs; j++) {
                double guess = run->value[j];
                for (int p = 0; p < PARTS; p++) {
                    guess += weight[p] * (part[i][p] - part[j][p]);
                }
                if (is_pair(run, i, j, (enum half)half)) {
                    double off = fabs(guess - run->value[i]) / fabs(run->value[i]);
                    fit->off = fmax(fit->off, off);
                    fit->tried++;
                }
            }
        }
    }
}

static void fit_parts(const struct observed *run, struct fit *fit)
{
    double(*part)[PARTS] = alloc_zeroed(run->runs, sizeof *part, "a memo");
    *fit = (struct fit){.tried = 0};
    parts_of(run, part);
    fit_weights(run, part, ALL, fit->weight);
    try_weights(run, part, fit);
    free(part);
}

/* --- as JSON --- */

static void append_count(json_t *list, int kind, double n)
{
    if (n != 0) {
        tojson_append(list, json_integer(kind));
        tojson_append(list, n == floor(n) ? json_integer((json_int_t)n) : json_real(n));
    }
}

static void put_counts(const struct observed *run, json_t *object)
{
    json_t *counts = json_array();
    for (size_t s = 0; s < run->strata; s++) {
        json_t *list = json_array();
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            append_count(list, kind,
                         count_of(run->own[s], run->ideal[s], (enum event_kind)kind, -1));
        }
        tojson_append(counts, list);
    }
    tojson_set(object, "counts", counts);
}

static void put_weighted(const struct observed *run, json_t *object)
{
    struct fit fit;
    json_t *list = json_array(), *played = json_array();
    fit_parts(run, &fit);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        double n = 0;
        for (int p = 0; p < PARTS; p++) {
            n += fit.weight[p] * count_of(run->own[0], run->ideal[0], (enum event_kind)kind, p);
        }
        append_count(list, kind, round(n));
    }
    for (size_t i = 0; i < run->runs; i++) {
        tojson_append(played, json_real(run->value[i]));
    }
    tojson_set(object, "weighted", list);
    tojson_set(object, "played", played);
    tojson_set(object, "off", json_real(isfinite(fit.off) ? fit.off : 1));
    tojson_set(object, "tried", tojson_whole(fit.tried));
}

/* The strategy's and the yardstick's plays in all timelines. */
static bool observe(const struct memo *memo, struct scenario *scenario,
                    const struct strategy *strategy, struct observed *run, struct error *err)
{
    bool added = metric_needs_ideal(memo->metric[0]), good = true;
    run->scenario = scenario;
    run->runs = memo->runs;
    run->strata = scenario->ranged && memo->runs > 1 ? 1 + DRAW_STRATA : 1;
    for (unsigned s = 0; s < run->strata && good; s++) {
        run->own[s] = evaluate_stratum(scenario, strategy, s, err);
        run->ideal[s] = added ? evaluate_stratum(scenario, &strategy_ideal, s, err) : NULL;
        good = run->own[s] && (!added || run->ideal[s]);
        bool sum = good && run->own[s]->serial && (!added || run->ideal[s]->serial);
        run->strata = sum ? run->strata : 1;
    }
    return good;
}

static json_t *run_object(const struct observed *run, const char *name)
{
    json_t *object = json_object();
    tojson_set(object, "name", tojson_text(name));
    if (is_sum(run)) {
        put_counts(run, object);
    } else {
        put_weighted(run, object);
    }
    return object;
}

/* Whether its events say what the metric comes to. */
static bool is_time(enum metric metric)
{
    return metric == METRIC_added_boot_ns || metric == METRIC_window_ns;
}

/* --- runs of a place --- */

static void put_words(const struct memo *memo, const struct memo_scenario *there, size_t s,
                      json_t *run)
{
    const struct strategy_verdict *verdict = &there->verdict[s];
    char words[MEMO_TEXT];
    snprintf(words, sizeof words, "%s%s%s",
             verdict->worst == STALE      ? "no: stale bytes are read"
             : verdict->worst == ONLY_IF  ? "under a condition"
             : verdict->worst == NOT_READ ? MEMO_UNREAD
                                          : "yes",
             verdict->hypothetical ? ", " : "", verdict->hypothetical ? verdict->hypothetical : "");
    tojson_set(run, "verdict", tojson_text(words));
    tojson_set(run, "safe", json_boolean(verdict->worst != STALE));
    tojson_set(run, "may", json_boolean(memo_may_win(memo, there, s)));
    tojson_set(run, "linux", json_boolean(s == memo->upstream));
}

/* What events cost in each run; the caller frees it. */
static void *prices_of(const struct memo *memo, struct scenario *scenario)
{
    ps_t(*price)[EVENT_KINDS] = alloc_zeroed(memo->runs, sizeof *price, "a memo");
    for (size_t i = 0; i < memo->runs; i++) {
        double costs[COSTS];
        scenario_costs(scenario, i, costs);
        trial_prices(&scenario->setup, costs, price[i]);
    }
    return price;
}

/* All strategies in the place itself, elsewhere along the axis those that the figure draws. */
static bool put_scenario(const struct memo *memo, struct evaluator *evaluator, size_t place,
                         size_t point, size_t at, const bool *shown, json_t *runs,
                         struct error *err)
{
    const struct memo_scenario *there = memo_at(memo, point);
    struct scenario scenario;
    if (there->failed) {
        return true;
    }
    if (!scenario_open(&scenario, evaluator, point, (struct scenario_key){0}, err)) {
        return false;
    }
    ps_t(*price)[EVENT_KINDS] = prices_of(memo, &scenario);
    bool good = true;
    for (size_t s = 0; s < memo->strategies && good; s++) {
        struct observed run = {.value = there->value[0] + s * memo->runs, .price = price};
        if ((point != memo->place[place] && !shown[s]) || !isfinite(run.value[0])) {
            continue;
        }
        good = observe(memo, &scenario, memo->study->strategies[s], &run, err);
        if (good) {
            json_t *object = run_object(&run, memo_name(memo, s));
            tojson_set(object, "at", tojson_whole(at));
            tojson_set(object, "line", json_boolean(shown[s]));
            put_words(memo, there, s, object);
            tojson_append(runs, object);
        }
    }
    free(price);
    scenario_close(&scenario);
    return good;
}

/* What a rung changes, in words. */
static void rung_words(const struct advise_rung *rung, char *buf, size_t size)
{
    size_t used = 0;
    snprintf(buf, size, "Linux as it is");
    for (size_t i = 0; i < rung->changes && used < size; i++) {
        used +=
            (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", rung->change[i].brief);
    }
}

static bool put_rungs(const struct memo *memo, struct evaluator *evaluator, size_t place,
                      json_t *rungs, struct error *err)
{
    const struct advise_ladder *ladder = memo_ladder(memo, place);
    struct scenario scenario;
    size_t runs = memo->runs;
    if (!ladder) {
        return true;
    }
    if (!scenario_open(&scenario, evaluator, memo->place[place], (struct scenario_key){0}, err)) {
        return false;
    }
    ps_t(*price)[EVENT_KINDS] = prices_of(memo, &scenario);
    bool good = true;
    for (size_t i = 0; i < ladder->count && good; i++) {
        const struct strategy *strategy = &ladder->rung[i].strategy;
        double *value = alloc_zeroed(runs, sizeof *value, "a memo");
        struct observed run = {.value = value, .price = price};
        good = evaluate_metric(&scenario, memo->metric[0], &strategy, 1, value, err) &&
               observe(memo, &scenario, strategy, &run, err);
        if (good) {
            char words[4 * MEMO_TEXT];
            rung_words(&ladder->rung[i], words, sizeof words);
            tojson_append(rungs, run_object(&run, words));
        }
        free(value);
    }
    free(price);
    scenario_close(&scenario);
    return good;
}

static bool put_place(const struct memo *memo, struct evaluator *evaluator, size_t place,
                      const bool *shown, json_t *places, struct error *err)
{
    json_t *object = json_object(), *runs = json_array(), *rungs = json_array();
    size_t point = memo->place[place], count = memo->axis ? memo->axis->values.count : 0;
    size_t own = memo->axis ? study_digit(memo->axis, point) : 0;
    char words[MEMO_TEXT];
    memo_place_words(memo, point, words);
    tojson_set(object, "name", tojson_text(words[0] ? words : "the answer's"));
    tojson_set(object, "machine",
               tojson_whole(study_digit(memo->study->role[AXIS_MACHINE], point)));
    tojson_set(object, "at", tojson_whole(own));
    bool good = put_scenario(memo, evaluator, place, point, own, shown, runs, err);
    for (size_t i = 0; i < count && good; i++) {
        good = i == own || put_scenario(memo, evaluator, place, memo_with(memo->axis, point, i), i,
                                        shown, runs, err);
    }
    good = good && put_rungs(memo, evaluator, place, rungs, err);
    tojson_set(object, "runs", runs);
    tojson_set(object, "rungs", rungs);
    tojson_append(places, object);
    return good;
}

/* --- machines, costs --- */

static bool put_machine(const struct memo *memo, struct evaluator *evaluator, size_t m,
                        json_t *machines, struct error *err)
{
    const struct axis *axis = memo->study->role[AXIS_MACHINE];
    json_t *object = json_object(), *draws = json_array(), *strata = json_array(),
           *lengths = json_object();
    struct scenario scenario;
    double insns[EVENT_KINDS];
    size_t point = memo_with(axis, memo->place[0], m);
    if (!scenario_open(&scenario, evaluator, point, (struct scenario_key){0}, err)) {
        return false;
    }
    const struct platform *platform = &scenario.setup.platform;
    tojson_set(object, "name", tojson_text(platform->name));
    tojson_set(object, "clock", json_real(platform->clock_ghz));
    tojson_set(object, "dic", json_boolean(platform->dic));
    kvm_path_lengths(platform->vhe, insns);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        if (insns[kind] > 0) {
            tojson_set(lengths, event_name[kind], json_real(insns[kind]));
        }
    }
    for (size_t i = 0; i < memo->runs; i++) {
        double costs[COSTS];
        json_t *draw = json_array();
        scenario_costs(&scenario, i, costs);
        for (int c = 0; c < COSTS; c++) {
            tojson_append(draw, json_real(costs[c]));
        }
        tojson_append(draws, draw);
        tojson_append(strata, tojson_whole(scenario_stratum(&scenario, i)));
    }
    tojson_set(object, "insns", lengths);
    tojson_set(object, "draws", draws);
    tojson_set(object, "strata", strata);
    tojson_append(machines, object);
    scenario_close(&scenario);
    return true;
}

static bool is_listed(const enum cost_id *list, size_t count, enum cost_id id)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == id) {
            return true;
        }
    }
    return false;
}

/* Costs of the machine that move the lead most, then those that usually matter. */
static size_t choose_moved(const struct memo *memo, enum cost_id moved[MOVED])
{
    static const enum cost_id usual[] = {COST_dc_absent_ns, COST_tlbi_ns, COST_kernel_cpi,
                                         COST_exit_ns, COST_dsb_ns};
    size_t count = 0;
    for (size_t i = 0; i < memo->swings; i++) {
        for (int c = 0; c < COSTS && count < MOVED; c++) {
            if (!misfit_is((enum cost_id)c) && strcmp(memo->swing[i].key, cost_name[c]) == 0 &&
                !is_listed(moved, count, (enum cost_id)c)) {
                moved[count++] = (enum cost_id)c;
            }
        }
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual && count < MOVED; i++) {
        if (!is_listed(moved, count, usual[i])) {
            moved[count++] = usual[i];
        }
    }
    return count;
}

/* Over their ranges: what was played is drawn from these. */
static bool put_moved(const struct memo *memo, json_t *data, struct error *err)
{
    enum cost_id moved[MOVED];
    size_t count = choose_moved(memo, moved);
    json_t *list = json_array();
    struct setup setup;
    if (!study_setup(memo->study, memo->place[0], &setup, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cost *cost = &setup.platform.cost[moved[i]];
        const struct cost_entry *entry = &cost_entry[moved[i]];
        double low = cost->low, high = cost->high;
        double rest = low > 0 && high > low
                          ? portable_log(cost->mode / low) / portable_log(high / low)
                          : (cost->mode - low) / fmax(high - low, 1e-9);
        json_t *one = json_object();
        tojson_set(one, "name", tojson_text(cost_name[moved[i]]));
        tojson_set(one, "help", tojson_text(entry->help));
        tojson_set(one, "unit", tojson_text(unit_name(entry->unit)));
        tojson_set(one, "low", json_real(low));
        tojson_set(one, "high", json_real(high));
        tojson_set(one, "rest", json_real(rest));
        tojson_append(list, one);
    }
    tojson_set(data, "moved", list);
    setup_free(&setup);
    return true;
}

static void put_axis(const struct memo *memo, json_t *data)
{
    if (!memo->axis) {
        return;
    }
    json_t *axis = json_object(), *values = json_array(), *numbers = json_array();
    for (size_t i = 0; i < memo->axis->values.count; i++) {
        char words[MEMO_TEXT], text[QUANTITY_TEXT];
        size_t point = memo_with(memo->axis, memo->place[0], i);
        double number = strtod(memo->axis->values.text[i], NULL);
        tojson_append(values, tojson_text(memo_axis_words(memo, memo->axis, point, words)));
        tojson_append(numbers, tojson_text(quantity_value(number, memo->axis->kind.unit, text)));
    }
    tojson_set(axis, "title", tojson_text(words_axis(memo->axis->name)));
    tojson_set(axis, "values", values);
    tojson_set(axis, "numbers", numbers);
    tojson_set(data, "axis", axis);
}

static void put_names(json_t *data)
{
    json_t *costs = json_array(), *kinds = json_array();
    for (int c = 0; c < COSTS; c++) {
        tojson_append(costs, tojson_text(cost_name[c]));
    }
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        tojson_append(kinds, tojson_text(event_name[kind]));
    }
    tojson_set(data, "costs", costs);
    tojson_set(data, "kinds", kinds);
}

bool memo_find_played(struct memo *memo, struct evaluator *evaluator, struct error *err)
{
    json_t *data = json_object(), *machines = json_array(), *places = json_array();
    bool shown[STUDY_STRATEGIES * 2];
    bool good = true;
    memo->played = data;
    tojson_set(data, "study", tojson_text(memo->study->path));
    tojson_set(data, "metric", tojson_text(words_metric(memo->metric[0])));
    tojson_set(data, "machines", machines);
    tojson_set(data, "places", places);
    if (!is_time(memo->metric[0])) {
        return true;
    }
    memo_lines(memo, shown);
    put_names(data);
    put_axis(memo, data);
    good = put_moved(memo, data, err);
    for (size_t m = 0; m < memo->study->role[AXIS_MACHINE]->values.count && good; m++) {
        good = put_machine(memo, evaluator, m, machines, err);
    }
    for (size_t p = 0; p < memo->places && good; p++) {
        good = put_place(memo, evaluator, p, shown, places, err);
    }
    return good;
}

/* --- the page's part --- */

/* A formula of EVENT_TABLE as JavaScript. */
static void put_formula(FILE *out, const char *formula)
{
    static const struct {
        const char *c, *js;
    } words[] = {{"COST(", "(cost."},
                 {"KIB_AT(", "(1024 / cost."},
                 {"WITHOUT_DIC(", "withoutDic("},
                 {"CLOCK_GHZ", "machine.clock"},
                 {"(double)PS_PER_NS", "1000"},
                 {"FREE", "0"},
                 {"PATH", "path"}};
    while (*formula) {
        size_t i = 0;
        while (i < sizeof words / sizeof *words &&
               strncmp(formula, words[i].c, strlen(words[i].c)) != 0) {
            i++;
        }
        if (i < sizeof words / sizeof *words) {
            fputs(words[i].js, out);
            formula += strlen(words[i].c);
        } else {
            fputc(*formula++, out);
        }
    }
}

/* What an event of each kind costs, and how far the model may be off. */
static void put_formulas(FILE *out)
{
    static const struct {
        const char *kind, *factor, *formula;
    } formulas[] = {
#define FORMULA(name, title, unit, part, sum, misfit, ns) {#name, #misfit, #ns},
        EVENT_TABLE(FORMULA)
#undef FORMULA
    };
    fputs("const formulas = {\n", out);
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        bool exact = strcmp(formulas[i].factor, "exact") == 0;
        fprintf(out, "    %s: (cost, path, machine, withoutDic) => %s%s%s * (", formulas[i].kind,
                exact ? "1" : "cost.", exact ? "" : formulas[i].factor, exact ? "" : "_misfit");
        put_formula(out, formulas[i].formula);
        fputs("),\n", out);
    }
    fputs("};\n", out);
}

/* In a script no text may end it. */
static void put_data(FILE *out, json_t *data)
{
    char *text = tojson_dump(json_incref(data), JSON_COMPACT | JSON_REAL_PRECISION(17));
    fputs("const data = ", out);
    for (const char *at = text; *at; at++) {
        if (*at == '<') {
            fputs("\\u003c", out);
        } else {
            fputc(*at, out);
        }
    }
    fputs(";\n", out);
    free(text);
}

void memo_put_played(const struct memo *memo, struct doc_node *doc)
{
    char *text = NULL;
    size_t size = 0;
    if (json_array_size(json_object_get(memo->played, "places")) == 0) {
        struct doc_node *words = doc_add(doc, DOC_PARAGRAPH, NULL);
        doc_text(words, "No costs can be moved in the page: the %s is no sum of costs. At others, ",
                 words_metric(memo->metric[0]));
        doc_code(words, "s2flush run --set dc_absent_ns=9 ...");
        doc_text(words, " plays the study.");
        return;
    }
    FILE *out = alloc_checked(open_memstream(&text, &size), "a memo");
    put_formulas(out);
    put_data(out, memo->played);
    if (fclose(out) != 0) {
        error_fatal("out of memory for a memo");
    }
    doc_applet(doc, text, "Move the costs yourself.", "whatif");
    free(text);
}
