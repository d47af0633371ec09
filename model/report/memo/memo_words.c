/* What a memo knows, for whoever asks: points, costs of strategies, and what things are
 * called. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- points --- */

size_t memo_with(const struct axis *axis, size_t point, size_t digit)
{
    return point - study_digit(axis, point) * axis->stride + digit * axis->stride;
}

const struct memo_scenario *memo_at(const struct memo *memo, size_t point)
{
    size_t low = 0, high = memo->scenarios;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        bool beyond = memo->scenario[middle].point > point;
        high = beyond ? middle : high;
        low = beyond ? low : middle;
    }
    return &memo->scenario[low];
}

const struct memo_scenario *memo_place(const struct memo *memo, size_t place)
{
    return memo_at(memo, memo->place[place]);
}

bool memo_is_panel(const struct memo *memo, size_t place)
{
    for (size_t p = 0; p < place && memo->axis; p++) {
        if (memo_with(memo->axis, memo->place[p], 0) ==
            memo_with(memo->axis, memo->place[place], 0)) {
            return false;
        }
    }
    return true;
}

/* --- strategies --- */

const char *memo_name(const struct memo *memo, size_t strategy)
{
    return memo->study->strategies[strategy]->name;
}

struct band memo_band(const struct memo *memo, const struct memo_scenario *scenario, size_t metric,
                      size_t strategy)
{
    const double *value = scenario->value[metric] + strategy * memo->runs;
    struct band band = {value[0], NAN, NAN};
    size_t draws = memo->runs - 1;
    if (draws > 0 && isfinite(value[1])) {
        double *copy = alloc_raw(draws, sizeof *copy, "a memo");
        memcpy(copy, value + 1, draws * sizeof *copy);
        band = (struct band){stats_quantile(copy, draws, 0.5), stats_quantile(copy, draws, 0.1),
                             stats_quantile(copy, draws, 0.9)};
        free(copy);
    }
    return band;
}

void memo_range_take(struct memo_range *range, double value)
{
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

struct memo_range memo_medians(const struct memo *memo, size_t metric, size_t strategy)
{
    struct memo_range range = MEMO_RANGE_EMPTY;
    for (size_t p = 0; p < memo->places; p++) {
        memo_range_take(&range, memo_band(memo, memo_place(memo, p), metric, strategy).mid);
    }
    return range;
}

bool memo_stale(const struct memo_scenario *scenario, size_t strategy)
{
    return scenario->verdict[strategy].worst == STALE;
}

bool memo_may_win(const struct memo *memo, const struct memo_scenario *scenario, size_t strategy)
{
    return winner_map_may_win(&scenario->verdict[strategy], memo->study->memo.what_if, false);
}

size_t memo_order(const struct memo *memo, const struct memo_scenario *scenario, size_t *order)
{
    for (size_t s = 0; s < memo->strategies; s++) {
        size_t at = s;
        double cost = memo_band(memo, scenario, 0, s).mid;
        while (at > 0) {
            size_t before = order[at - 1];
            bool stale = memo_stale(scenario, s), other = memo_stale(scenario, before);
            bool earlier = stale != other ? other : cost < memo_band(memo, scenario, 0, before).mid;
            if (!earlier) {
                break;
            }
            order[at] = before;
            at--;
        }
        order[at] = s;
    }
    return memo->strategies;
}

size_t memo_next(const struct memo *memo, const struct memo_scenario *scenario)
{
    size_t order[STUDY_STRATEGIES * 2], count = memo_order(memo, scenario, order);
    for (size_t i = 0; i < count; i++) {
        double mid = memo_band(memo, scenario, 0, order[i]).mid;
        if (order[i] != scenario->best.winner && memo_may_win(memo, scenario, order[i]) &&
            mid > MEMO_TIE * scenario->best.value) {
            return order[i];
        }
    }
    return WINNER_NONE;
}

static bool find_name(const struct memo *memo, const char *name, size_t *strategy)
{
    for (size_t s = 0; s < memo->strategies; s++) {
        if (strcmp(memo_name(memo, s), name) == 0) {
            *strategy = s;
            return true;
        }
    }
    return false;
}

bool memo_pair(const struct memo *memo, size_t *a, size_t *b)
{
    char first[64], second[64];
    return study_memo_pair(memo->study->memo.compare, first, second) && find_name(memo, first, a) &&
           find_name(memo, second, b);
}

const struct advise_ladder *memo_ladder(const struct memo *memo, size_t place)
{
    return memo->advised ? advise_ladder(&memo->advice, memo->ladder[place], HARDWARE_OWN) : NULL;
}

struct band memo_rung_band(struct advise_band band)
{
    bool drawn = band.p10 < band.p90;
    return (struct band){band.p50, drawn ? band.p10 : NAN, drawn ? band.p90 : NAN};
}

/* --- words --- */

const char *memo_condition(unsigned conditions)
{
    return conditions == CONDITION_NO_FILL
               ? "no core prefetches a flushed line before the guest writes it with its MMU off"
               : oracle_conditions_text(conditions);
}

char *memo_axis_words(const struct memo *memo, const struct axis *axis, size_t point,
                      char buf[MEMO_TEXT])
{
    if (strcmp(axis->name, "backing") == 0) {
        const struct memo_facts *facts = &memo_at(memo, point)->facts;
        return words_leaf(facts->granule, facts->backing, buf);
    }
    return words_value(axis->name, axis->values.text[study_digit(axis, point)], axis->kind, buf);
}

static void add_words(char *buf, size_t size, const char *words)
{
    size_t used = strlen(buf);
    if (words[0]) {
        snprintf(buf + used, size - used, "%s%s", used ? ", " : "", words);
    }
}

static char *facet_words(const struct memo *memo, size_t point, bool host, char buf[MEMO_TEXT])
{
    buf[0] = '\0';
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        const struct axis *axis = &memo->study->axes[i];
        char words[MEMO_TEXT];
        if (memo->facet[i] && (host || (axis->role != AXIS_MACHINE && axis->role != AXIS_KERNEL))) {
            add_words(buf, MEMO_TEXT, memo_axis_words(memo, axis, point, words));
        }
    }
    return buf;
}

char *memo_place_words(const struct memo *memo, size_t point, char buf[MEMO_TEXT])
{
    return facet_words(memo, point, true, buf);
}

char *memo_rest_words(const struct memo *memo, size_t point, char buf[MEMO_TEXT])
{
    return facet_words(memo, point, false, buf);
}

/* Whether a key has one value in the scenario of all places. */
static bool is_common(const struct memo *memo, const char *key, bool along)
{
    const struct axis *axis = groups_axis(memo->study, key);
    size_t index = axis ? (size_t)(axis - memo->study->axes) : 0;
    return !axis || (!memo->facet[index] && !(along && axis == memo->axis));
}

/* Whether all places have the same there: workloads differ in what no axis says. */
static bool is_same_fact(const struct memo *memo, size_t at)
{
    const char *first = (const char *)&memo_place(memo, 0)->facts + at;
    for (size_t p = 1; p < memo->places; p++) {
        if (strcmp((const char *)&memo_place(memo, p)->facts + at, first) != 0) {
            return false;
        }
    }
    return true;
}

char *memo_scenario_words(const struct memo *memo, bool along, char buf[2 * MEMO_TEXT])
{
    const struct memo_facts *facts = &memo_place(memo, 0)->facts;
    const struct {
        const char *key, *value;
        enum unit unit;
        size_t at; /* among the facts */
    } said[] = {{"footprint", facts->footprint, UNIT_BYTES, offsetof(struct memo_facts, footprint)},
                {"vcpus", facts->vcpus, UNIT_NONE, offsetof(struct memo_facts, vcpus)},
                {"touched", facts->touched, UNIT_RATIO, offsetof(struct memo_facts, touched)}};
    const size_t room = (size_t)2 * MEMO_TEXT;
    char words[MEMO_TEXT];
    buf[0] = '\0';
    if (!facts->footprint[0] && is_common(memo, "workload", along)) {
        add_words(buf, room,
                  memo->study->role[AXIS_WORKLOAD]
                      ->values.text[study_digit(memo->study->role[AXIS_WORKLOAD], memo->place[0])]);
    }
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (said[i].value[0] && is_common(memo, said[i].key, along) &&
            is_same_fact(memo, said[i].at)) {
            add_words(buf, room,
                      words_value(said[i].key, said[i].value,
                                  (struct value_kind){.number = true, .unit = said[i].unit},
                                  words));
        }
    }
    if (is_common(memo, "backing", along) && is_common(memo, "granule", along)) {
        add_words(buf, room, words_leaf(facts->granule, facts->backing, words));
    }
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        const struct axis *axis = &memo->study->axes[i];
        bool other = axis->role != AXIS_STRATEGY && axis->role != AXIS_WORKLOAD &&
                     strcmp(axis->name, "backing") != 0 && strcmp(axis->name, "footprint") != 0 &&
                     strcmp(axis->name, "vcpus") != 0 && strcmp(axis->name, "touched") != 0;
        if (other && is_common(memo, axis->name, along)) {
            add_words(buf, room, memo_axis_words(memo, axis, memo->place[0], words));
        }
    }
    return buf;
}

/* --- shares --- */

const char *const memo_share_name[MEMO_SHARES] = {[MEMO_CLEANING] = "cleaning caches",
                                                  [MEMO_FAULTS] = "faults and their software",
                                                  [MEMO_TLBI] = "TLB invalidation",
                                                  [MEMO_ICACHE] = "instruction cache",
                                                  [MEMO_GUEST] = "guest and VMM"};

static enum memo_share share_of(enum part_id part)
{
    switch (part) {
    case PART_lines_unmap:
    case PART_lines_fault:
    case PART_lines_flush:
    case PART_lines_toggle:
        return MEMO_CLEANING;
    case PART_tlbi:
        return MEMO_TLBI;
    case PART_fault_path:
    case PART_unmap_path:
    case PART_flush_path:
    case PART_traps:
        return MEMO_FAULTS;
    case PART_icache:
        return MEMO_ICACHE;
    case PART_refetch:
    case PART_uncached:
    case PART_walks:
    case PART_other:
    case PART_BY_SITE_LINES:
    case PART_BY_SITE_WALK:
    case PARTS:
        break;
    }
    return MEMO_GUEST;
}

double memo_share_parts(const struct memo *memo, const struct memo_scenario *scenario,
                        size_t strategy, double part[MEMO_SHARES])
{
    double all = 0;
    for (int i = 0; i < MEMO_SHARES; i++) {
        part[i] = 0;
    }
    for (size_t m = memo->parts; m < memo->metrics; m++) {
        double mid = memo_band(memo, scenario, m, strategy).mid;
        part[share_of((enum part_id)(m - memo->parts))] += mid;
        all += mid;
    }
    for (int i = 0; i < MEMO_SHARES && all > 0; i++) {
        part[i] /= all;
    }
    return all;
}
