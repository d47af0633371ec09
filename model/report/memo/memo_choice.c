/* What costs least, in which cases, and how sure that is: of all strategies where the memo has
 * a ladder, else of those that the study compares; and that in words. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

/* --- picks --- */

/* The share of the draws in which a strategy costs no more than the cheapest does, ties
 * included; NAN: there are no draws. */
double memo_share_least(const struct memo *memo, const struct memo_scenario *scenario,
                        size_t strategy)
{
    const double *own = scenario->value[0] + strategy * memo->runs;
    size_t count = 0;
    for (size_t run = 1; run < memo->runs; run++) {
        bool won = true;
        for (size_t s = 0; s < memo->strategies && won; s++) {
            double other = scenario->value[0][s * memo->runs + run];
            won = !memo_may_win(memo, scenario, s) || own[run] <= MEMO_TIE * other;
        }
        count += won;
    }
    return memo->runs > 1 ? (double)count / (double)(memo->runs - 1) : NAN;
}

static bool same_strategy(const struct strategy *a, const struct strategy *b)
{
    return a == b || (a && b && kernel_changes(a, b, NULL) == 0);
}

/* What costs least in a place, alone in its pick. */
static struct memo_pick pick_at(const struct memo *memo, size_t place, bool of_all)
{
    const struct memo_scenario *there = memo_place(memo, place);
    struct memo_pick pick = {.winner = there->best.winner, .places = 1, .own_low = NAN};
    pick.in[place] = true;
    if (of_all) {
        const struct advise_ladder *ladder = memo_ladder(memo, place);
        const struct advise_rung *last = &ladder->rung[ladder->count - 1];
        pick.rung = last;
        pick.strategy = &last->strategy;
        pick.low = last->cost.p50;
        pick.own_low = ladder->rung[0].cost.p50;
        pick.share = last->changes > 0 ? last->probability : NAN;
        pick.needs_guest = last->needs_guest;
        pick.unread = last->verdict.worst == NOT_READ;
        pick.conditions = last->verdict.worst == ONLY_IF ? last->verdict.conditions : 0;
    } else if (pick.winner != WINNER_NONE) {
        const struct strategy_verdict *verdict = &there->verdict[pick.winner];
        pick.strategy = memo->study->strategies[pick.winner];
        pick.low = memo_band(memo, there, 0, pick.winner).mid;
        pick.share = memo_share_least(memo, there, pick.winner);
        pick.unread = verdict->worst == NOT_READ;
        pick.conditions = verdict->worst == ONLY_IF ? verdict->conditions : 0;
    }
    if (!of_all && memo->upstream != SIZE_MAX) {
        pick.own_low = memo_band(memo, there, 0, memo->upstream).mid;
    }
    pick.high = pick.low;
    pick.own_high = pick.own_low;
    return pick;
}

/* A pick's places join another's. */
static void join(struct memo_pick *into, const struct memo_pick *pick)
{
    for (size_t p = 0; p < MEMO_PLACES; p++) {
        into->in[p] |= pick->in[p];
    }
    into->places += pick->places;
    into->low = fmin(into->low, pick->low);
    into->high = fmax(into->high, pick->high);
    into->own_low = fmin(into->own_low, pick->own_low);
    into->own_high = fmax(into->own_high, pick->own_high);
    into->share = fmin(into->share, pick->share);
    into->needs_guest |= pick->needs_guest;
    into->unread |= pick->unread;
    into->conditions |= pick->conditions;
}

/* What a strategy costs in the first place of a pick; NAN: the study has it not, or it may
 * not win there. */
static double cost_there(const struct memo *memo, const struct memo_pick *pick,
                         const struct strategy *strategy)
{
    size_t place = 0;
    while (!pick->in[place]) {
        place++;
    }
    const struct memo_scenario *there = memo_place(memo, place);
    for (size_t s = 0; s < memo->strategies; s++) {
        if (same_strategy(memo->study->strategies[s], strategy) && memo_may_win(memo, there, s)) {
            return memo_band(memo, there, 0, s).mid;
        }
    }
    return NAN;
}

static void most_places_first(struct memo_pick *pick, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t k = i; k > 0 && pick[k].places > pick[k - 1].places; k--) {
            struct memo_pick other = pick[k];
            pick[k] = pick[k - 1];
            pick[k - 1] = other;
        }
    }
}

/* Joins what is the same strategy, or `tied`: costs the same as one that has more places. */
static size_t join_like(const struct memo *memo, struct memo_pick *pick, size_t count, bool tied)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < kept &&
               !(tied ? cost_there(memo, &pick[i], pick[k].strategy) <= MEMO_TIE * pick[i].low
                      : same_strategy(pick[k].strategy, pick[i].strategy))) {
            k++;
        }
        if (k < kept) {
            join(&pick[k], &pick[i]);
        } else {
            pick[kept++] = pick[i];
        }
    }
    return kept;
}

size_t memo_picks(const struct memo *memo, bool of_all, struct memo_pick pick[MEMO_PLACES])
{
    size_t count = memo->places;
    for (size_t p = 0; p < count; p++) {
        pick[p] = pick_at(memo, p, of_all);
    }
    count = join_like(memo, pick, count, false);
    most_places_first(pick, count);
    return join_like(memo, pick, count, true);
}

/* What holds in places of the most words comes last: it is the rest. */
static void most_words_last(const struct memo *memo, struct memo_pick *pick, size_t picks)
{
    size_t index = 0, longest = 0;
    for (size_t i = 0; i < picks; i++) {
        char where[MEMO_TEXT];
        size_t length = strlen(memo_where(memo, pick[i].in, where));
        index = length > longest ? i : index;
        longest = length > longest ? length : longest;
    }
    struct memo_pick last = pick[index];
    for (size_t i = index; i + 1 < picks; i++) {
        pick[i] = pick[i + 1];
    }
    pick[picks - 1] = last;
}

/* --- in words --- */

/* How much is said; each manner takes fewer words than the one before. */
enum manner { BY_CASE, CHANGES, TITLES, LINUX_ONCE, DOUBTS, BRIEFS, BARE, EITHER, MANNERS };

void memo_put_where(const struct memo *memo, const char *where, struct doc_node *words)
{
    const struct values *machines = &memo->study->role[AXIS_MACHINE]->values;
    bool range = strncmp(where, "from ", 5) == 0 || strncmp(where, "up to ", 6) == 0;
    bool machine = false;
    for (size_t m = 0; m < machines->count; m++) {
        machine |= strncmp(where, machines->text[m], strlen(machines->text[m])) == 0;
    }
    doc_text(words, "%s%s", range ? "" : machine ? "on " : "with ", where);
}

static void say_changes(const struct advise_rung *rung, struct doc_node *words)
{
    for (size_t i = 0; i < rung->changes; i++) {
        doc_text(words, "%s%s", i ? ", " : "", rung->change[i].brief);
    }
}

/* Marks what was said last as words for a strategy. */
static void mark(const struct strategy *strategy, struct doc_node *block)
{
    block->last->name = alloc_checked(strdup(strategy->name), "a memo");
}

void memo_put_strategy(const struct strategy *strategy, struct doc_node *block)
{
    const char *brief = strategy_brief(strategy);
    if (brief) {
        doc_text(block, "%s", brief);
    } else {
        doc_code(block, strategy->name);
    }
    mark(strategy, block);
}

static void say_what(const struct memo *memo, const struct memo_pick *pick, size_t picks,
                     enum manner manner, struct doc_node *words)
{
    bool upstream = pick->rung ? pick->rung->changes == 0 : pick->winner == memo->upstream;
    if (!pick->strategy) {
        doc_text(words, "no strategy is coherent");
    } else if (upstream) {
        doc_text(words, "what Linux does");
    } else if (pick->rung && ((manner < TITLES && picks == 1) || !pick->strategy->name[0])) {
        say_changes(pick->rung, words);
        mark(pick->strategy, words);
    } else if (manner < BRIEFS && pick->strategy->title[0]) {
        doc_text(words, "%s", pick->strategy->title);
        mark(pick->strategy, words);
    } else {
        memo_put_strategy(pick->strategy, words);
    }
}

/* `against`: and what Linux does. */
static void say_cost(const struct memo_pick *pick, bool against, enum unit unit,
                     struct doc_node *words)
{
    char cost[QUANTITY_TEXT], own[QUANTITY_TEXT];
    doc_text(words, "%s", quantity_range(pick->low, pick->high, unit, cost));
    if (against && isfinite(pick->own_low)) {
        doc_text(words, " instead of %s", quantity_range(pick->own_low, pick->own_high, unit, own));
    }
}

/* What a pick costs, for each place where these are few and there is room. */
static void say_costs(const struct memo *memo, const struct memo_pick *pick, enum manner manner,
                      struct doc_node *words)
{
    enum unit unit = metric_quantity(memo->metric[0]);
    bool each = manner == BY_CASE && pick->places > 1 && pick->places <= 3;
    size_t said = 0;
    for (size_t p = 0; p < memo->places && each; p++) {
        bool in[MEMO_PLACES] = {false};
        char where[MEMO_TEXT];
        struct memo_pick one = pick_at(memo, p, pick->rung != NULL);
        in[p] = true;
        if (pick->in[p]) {
            doc_text(words, "%s", said++ ? ", " : "");
            say_cost(&one, true, unit, words);
            doc_text(words, " ");
            memo_put_where(memo, memo_where(memo, in, where), words);
        }
    }
    if (!each) {
        say_cost(pick, manner < LINUX_ONCE, unit, words);
    }
    if (isfinite(pick->share) && pick->share < 0.995) {
        doc_text(words, ", %s%.0f %% of draws", manner < BRIEFS ? "best in " : "",
                 100 * pick->share);
    }
}

static void say_pick(const struct memo *memo, const struct memo_pick *pick, size_t picks,
                     enum manner manner, struct doc_node *words)
{
    bool upstream = pick->rung ? pick->rung->changes == 0 : pick->winner == memo->upstream;
    say_what(memo, pick, picks, manner, words);
    if (!pick->strategy) {
        return;
    }
    struct memo_pick own = *pick;
    own.own_low = upstream ? NAN : pick->own_low;
    doc_text(words, picks == 1 ? ": " : " (");
    say_costs(memo, &own, manner, words);
    doc_text(words, picks == 1 ? "" : ")");
}

/* What Linux costs in all places. */
static void say_linux(const struct memo *memo, const struct memo_pick *pick, size_t picks,
                      struct doc_node *words)
{
    struct memo_range range = MEMO_RANGE_EMPTY;
    char own[QUANTITY_TEXT];
    for (size_t i = 0; i < picks; i++) {
        memo_range_take(&range, pick[i].own_low);
        memo_range_take(&range, pick[i].own_high);
    }
    if (isfinite(range.low)) {
        doc_text(words, "; Linux %s",
                 quantity_range(range.low, range.high, metric_quantity(memo->metric[0]), own));
    }
}

/* Whether the draws leave no doubt about any of them. */
static bool is_sure(const struct memo_pick *pick, size_t picks)
{
    bool sure = true;
    for (size_t i = 0; i < picks; i++) {
        sure &= isfinite(pick[i].share) && pick[i].share >= 0.995;
    }
    return sure;
}

/* Which of the picks holds in a place. */
static size_t pick_of(const struct memo_pick *pick, size_t picks, size_t place)
{
    size_t i = 0;
    while (i < picks && !pick[i].in[place]) {
        i++;
    }
    return i;
}

/* Whether places that differ in nothing but a facet have other picks. */
static bool facet_decides(const struct memo *memo, const struct memo_pick *pick, size_t picks,
                          const struct axis *axis)
{
    for (size_t p = 0; p < memo->places; p++) {
        for (size_t q = 0; q < p; q++) {
            if (memo_with(axis, memo->place[p], 0) == memo_with(axis, memo->place[q], 0) &&
                pick_of(pick, picks, p) != pick_of(pick, picks, q)) {
                return true;
            }
        }
    }
    return false;
}

/* "by leaf size and what is touched again": what decides which it is. */
static void say_deciding(const struct memo *memo, const struct memo_pick *pick, size_t picks,
                         struct doc_node *words)
{
    const char *noun[STUDY_AXES];
    size_t count = 0;
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        const struct axis *axis = &memo->study->axes[i];
        if (memo->facet[i] && facet_decides(memo, pick, picks, axis)) {
            noun[count++] = words_noun(axis->name);
        }
    }
    doc_text(words, ", by ");
    for (size_t i = 0; i < count; i++) {
        doc_text(words, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ", noun[i]);
    }
    doc_text(words, "%s: ", count ? "" : "case");
}

/* All of them in one go, where each one's own places would be too many words. */
static void say_either(const struct memo *memo, const struct memo_pick *pick, size_t picks,
                       struct doc_node *words)
{
    struct memo_pick all = pick[0];
    say_deciding(memo, pick, picks, words);
    for (size_t i = 0; i < picks; i++) {
        doc_text(words, "%s", i == 0 ? "" : i + 1 == picks ? ", or " : "; ");
        say_what(memo, &pick[i], picks, EITHER, words);
        if (i > 0) {
            join(&all, &pick[i]);
        }
    }
    doc_text(words, ": ");
    all.share = NAN;
    say_costs(memo, &all, EITHER, words);
}

static struct doc_node *choice_sentence(const struct memo *memo, const struct memo_pick *pick,
                                        size_t picks, enum manner manner)
{
    struct doc_node *words = doc_new();
    char where[MEMO_TEXT];
    if (picks == 1 && !pick->strategy) {
        doc_text(words, "No coherent strategy exists.");
        return words;
    }
    doc_text(words, "Cheapest");
    if (manner != BARE && pick->rung) {
        doc_text(words, " of all %zu%s", memo_ladder(memo, 0)->policies,
                 manner < BRIEFS ? " strategies" : "");
    } else if (manner != BARE) {
        doc_text(words, " of these %zu", memo->strategies);
    }
    if (picks > 1 && manner == EITHER) {
        say_either(memo, pick, picks, words);
    }
    for (size_t i = 0; i < picks && picks > 1 && manner < EITHER; i++) {
        if (i + 1 == picks) {
            doc_text(words, "; else ");
        } else {
            doc_text(words, i ? "; " : " ");
            memo_put_where(memo, memo_where(memo, pick[i].in, where), words);
            doc_text(words, ": ");
        }
        say_pick(memo, &pick[i], picks, manner, words);
    }
    if (picks == 1) {
        doc_text(words, ": ");
        say_pick(memo, pick, picks, manner, words);
    }
    if (is_sure(pick, picks) && manner < DOUBTS) {
        doc_text(words, ", in all draws");
    }
    if (manner >= LINUX_ONCE) {
        say_linux(memo, pick, picks, words);
    }
    doc_text(words, ".");
    return words;
}

/* What the picks ask of the guest or of the machine. */
static struct doc_node *condition_sentence(const struct memo *memo, const struct memo_pick *pick,
                                           size_t picks, bool brief)
{
    struct doc_node *words = doc_new();
    bool needs_guest = false, unread = false;
    unsigned conditions = 0;
    for (size_t i = 0; i < picks; i++) {
        needs_guest |= pick[i].needs_guest;
        unread |= pick[i].unread;
        conditions |= pick[i].conditions;
    }
    if (conditions && brief) {
        doc_text(words, "Safe under a ");
        doc_link(words, "condition", "#7-conditions");
        doc_text(words, " only.");
    } else if (conditions) {
        doc_text(words, "Safe only if %s.", memo_condition(conditions));
    } else if (needs_guest) {
        doc_text(words, "Safe for %s.",
                 brief ? "Linux guests" : "guests that maintain their own caches, as Linux does");
    } else if (unread) {
        doc_text(words, "Nothing reads it: safety is not judged.");
    }
    const struct memo_scenario *there = memo_place(memo, 0);
    if (conditions && !pick->rung && there->sound.winner != WINNER_NONE) {
        char text[QUANTITY_TEXT];
        doc_text(words, " Without it ");
        memo_put_strategy(memo->study->strategies[there->sound.winner], words);
        doc_text(words, ": %s.",
                 quantity_mid(memo_band(memo, there, 0, there->sound.winner),
                              metric_quantity(memo->metric[0]), text));
    }
    return words;
}

/* --- hardware --- */

/* The cheapest that may win without FWB; WINNER_NONE: none. */
static size_t best_software(const struct memo *memo, const struct memo_scenario *there)
{
    size_t best = WINNER_NONE;
    for (size_t s = 0; s < memo->strategies; s++) {
        bool better = best == WINNER_NONE ||
                      memo_band(memo, there, 0, s).mid < memo_band(memo, there, 0, best).mid;
        if (better && memo_may_win(memo, there, s) && !memo->study->strategies[s]->fwb) {
            best = s;
        }
    }
    return best;
}

/* "adds 1.2 to 8.3 s and writes back 30 to 38 MiB", in all places. */
static void say_medians(const struct memo *memo, size_t strategy, struct doc_node *words)
{
    size_t said = 0;
    for (size_t m = 0; m < memo->parts; m++) {
        enum unit unit = metric_quantity(memo->metric[m]);
        struct memo_range range = memo_medians(memo, m, strategy);
        char text[QUANTITY_TEXT];
        if (m == 0 || unit == UNIT_BYTES) {
            doc_text(words, "%s %s", said++ ? " and writes back" : " adds",
                     quantity_range(range.low, range.high, unit, text));
        }
    }
}

/* What the hardware adds, what the best software without it does, and what Linux does. */
static struct doc_node *hardware_sentence(const struct memo *memo, const struct memo_pick *pick)
{
    struct doc_node *words = doc_new();
    size_t software = best_software(memo, memo_place(memo, 0));
    doc_text(words, "FWB");
    say_medians(memo, pick->winner, words);
    if (software != WINNER_NONE && software != memo->upstream) {
        doc_text(words, "; without it the cheapest (");
        memo_put_strategy(memo->study->strategies[software], words);
        doc_text(words, ")");
        say_medians(memo, software, words);
    }
    if (memo->upstream != SIZE_MAX) {
        doc_text(words, "; Linux");
        say_medians(memo, memo->upstream, words);
    }
    doc_text(words, ".");
    return words;
}

/* --- along the axis --- */

#define GAIN_MIN 0.05 /* less is not worth more of it */

/* From which value of the axis on more of it gains next to nothing, where it is a facet and a
 * pick gains along it; nothing where it does not. */
static struct doc_node *gain_sentence(const struct memo *memo, const struct memo_pick *pick,
                                      bool brief)
{
    struct doc_node *words = doc_new();
    size_t place = 0, from = SIZE_MAX, last = SIZE_MAX, count = 0;
    double cost[VALUES_MAX];
    while (!pick->in[place]) {
        place++;
    }
    for (size_t p = place; p < memo->places && memo->axis && !pick->rung; p++) {
        if (pick->in[p] && pick->strategy &&
            memo_with(memo->axis, memo->place[p], 0) ==
                memo_with(memo->axis, memo->place[place], 0)) {
            cost[count++] = memo_band(memo, memo_place(memo, p), 0, pick->winner).mid;
            last = p;
        }
    }
    for (size_t p = place, i = 0; count > 2 && p <= last && from == SIZE_MAX; p++) {
        if (pick->in[p] && cost[i++] <= (1 + GAIN_MIN) * cost[count - 1]) {
            from = p;
        }
    }
    if (from != SIZE_MAX && from != last && from != place) {
        char text[MEMO_TEXT];
        doc_text(words, "More than %s gain ",
                 memo_axis_words(memo, memo->axis, memo->place[from], text));
        if (brief) {
            doc_text(words, "little.");
        } else {
            doc_text(words, "less than %.0f %%.", 100 * GAIN_MIN);
        }
    }
    return words;
}

/* --- all of it --- */

/* Further sentences on the choice: what it asks for, and how far more of the axis helps. */
static struct doc_node *further_sentences(const struct memo *memo, const struct memo_pick *pick,
                                          size_t picks, bool brief)
{
    struct doc_node *all = condition_sentence(memo, pick, picks, brief);
    for (size_t i = 0; i < picks; i++) {
        struct doc_node *gain = gain_sentence(memo, &pick[i], brief);
        if (gain->first && all->first) {
            doc_text(all, " ");
        }
        doc_join(all, gain);
    }
    return all;
}

void memo_put_choice(const struct memo *memo, size_t room, struct doc_node *answer)
{
    struct memo_pick pick[MEMO_PLACES];
    size_t picks = memo_picks(memo, memo->advised, pick);
    most_words_last(memo, pick, picks);
    for (int manner = 0; manner < MANNERS; manner++) {
        for (int brief = 0; brief < 2; brief++) {
            bool hardware = !memo->advised && picks == 1 && pick->strategy && pick->strategy->fwb;
            struct doc_node *words = hardware
                                         ? hardware_sentence(memo, pick)
                                         : choice_sentence(memo, pick, picks, (enum manner)manner);
            struct doc_node *further = further_sentences(memo, pick, picks, brief);
            bool last = manner + 1 == MANNERS && brief;
            if (last || doc_words(answer) + doc_words(words) + doc_words(further) <= room) {
                if (answer->first) {
                    doc_text(answer, " ");
                }
                if (further->first) {
                    doc_text(words, " ");
                }
                doc_join(answer, words);
                doc_join(answer, further);
                return;
            }
            doc_free(words);
            doc_free(further);
        }
    }
}
