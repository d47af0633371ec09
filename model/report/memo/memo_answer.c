/* The head of a memo: the question, and the answer with its confidence. */
#include "report/memo/memo_parts.h"

#include "study/winner_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 512
#define RIVALS 8

/* --- against what --- */

/* Strategies that the winner is held against. */
struct rivals {
    size_t strategy[RIVALS];
    size_t count;
};

/* What Linux does. */
static bool upstream(const struct memo *memo, size_t strategy)
{
    return strcmp(memo_text(memo->run, "configuration", "strategies", memo_strategy(memo, strategy),
                            "strategy", "upstream"),
                  "yes") == 0;
}

static void add_rival(struct rivals *rivals, size_t winner, size_t strategy)
{
    bool twice = strategy == SIZE_MAX || strategy == winner;
    for (size_t i = 0; i < rivals->count; i++) {
        twice |= rivals->strategy[i] == strategy;
    }
    if (!twice && rivals->count < RIVALS) {
        rivals->strategy[rivals->count++] = strategy;
    }
}

static bool compares(const struct memo *memo)
{
    return memo->compare[0] && memo->compare[1];
}

/* Those that [memo] names, or what it compares and what Linux does; whoever is best
 * without a condition, or exists, and one that cannot be told from the winner. */
static struct rivals find_rivals(const struct memo *memo, const struct memo_choice *choice)
{
    struct rivals rivals = {0};
    bool named = false;
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        named |= memo_lists(memo, "against", memo_strategy(memo, s));
    }
    add_rival(&rivals, choice->winner, choice->real);
    add_rival(&rivals, choice->winner, choice->sound);
    if (!choice->decided) {
        add_rival(&rivals, choice->winner, choice->runner_up);
    }
    for (size_t i = 0; i < 2 && compares(memo); i++) {
        add_rival(&rivals, choice->winner, memo_find_strategy(memo, memo->compare[i]));
    }
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        if (named ? memo_lists(memo, "against", memo_strategy(memo, s)) : upstream(memo, s)) {
            add_rival(&rivals, choice->winner, s);
        }
    }
    if (rivals.count == 0) {
        add_rival(&rivals, choice->winner, choice->runner_up);
    }
    return rivals;
}

/* By rising cost. */
static void sort_rivals(const struct memo *memo, const struct memo_place *place,
                        struct rivals *rivals)
{
    for (size_t i = 1; i < rivals->count; i++) {
        for (size_t j = i; j > 0; j--) {
            size_t *pair = &rivals->strategy[j - 1], keep = pair[0];
            if (memo_band(memo, place, pair[1]).mid < memo_band(memo, place, pair[0]).mid) {
                pair[0] = pair[1];
                pair[1] = keep;
            }
        }
    }
}

static void say_rivals(const struct memo *memo, const struct memo_place *place,
                       const struct memo_choice *choice, struct doc_node *block)
{
    struct rivals rivals = find_rivals(memo, choice);
    double least = memo_band(memo, place, choice->winner).mid;
    sort_rivals(memo, place, &rivals);
    for (size_t i = 0; i < rivals.count; i++) {
        size_t s = rivals.strategy[i];
        struct memo_band band = memo_band(memo, place, s);
        char text[WORDS], times[64];
        memo_say_band(band, text, sizeof text);
        memo_say_times(band.mid, least, times, sizeof times);
        doc_text(block, "; ");
        doc_code(block, memo_strategy(memo, s));
        const char *strings = memo_stale(memo, place, s)   ? "incoherent"
                              : memo_paper(memo, place, s) ? "hypothetical there"
                                                           : "";
        const char *linux_does = upstream(memo, s) ? "what Linux does" : "";
        bool both = strings[0] && linux_does[0], any = strings[0] || linux_does[0];
        doc_text(block, "%s%s%s%s%s %s%s%s", any ? " (" : "", linux_does, both ? ", " : "", strings,
                 any ? ")" : "", text, times[0] ? ", " : "", times);
    }
}

/* --- one place --- */

/* The medians of the two that are compared; false where nothing compares them. */
static bool find_compared(const struct memo *memo, const struct memo_place *place, double *first,
                          double *second)
{
    size_t a = compares(memo) ? memo_find_strategy(memo, memo->compare[0]) : SIZE_MAX;
    size_t b = compares(memo) ? memo_find_strategy(memo, memo->compare[1]) : SIZE_MAX;
    if (a == SIZE_MAX || b == SIZE_MAX) {
        return false;
    }
    *first = memo_band(memo, place, a).mid;
    *second = memo_band(memo, place, b).mid;
    return isfinite(*first - *second);
}

/* "1.24 s to 8.35 s" */
static void say_range(double low, double high, char *buf, size_t size)
{
    char from[64], to[64];
    memo_say_number("ns", low, from, sizeof from);
    memo_say_number("ns", high, to, sizeof to);
    bool same = strcmp(from, to) == 0;
    snprintf(buf, size, "%s%s%s", from, same ? "" : " to ", same ? "" : to);
}

/* What the first of the compared saves against the second, or costs more, over all
 * places; nothing where that differs from place to place. */
static void say_saving(const struct memo *memo, struct doc_node *block)
{
    double least = INFINITY, most = -INFINITY, share_least = INFINITY, share_most = -INFINITY;
    char range[160];
    for (size_t p = 0; p < memo->places; p++) {
        double a, b;
        if (!find_compared(memo, &memo->place[p], &a, &b)) {
            return;
        }
        least = fmin(least, b - a);
        most = fmax(most, b - a);
        share_least = fmin(share_least, (b - a) / fmax(a, b));
        share_most = fmax(share_most, (b - a) / fmax(a, b));
    }
    if (least <= 0 && most >= 0) {
        return;
    }
    bool saves = least > 0;
    say_range(saves ? least : -most, saves ? most : -least, range, sizeof range);
    doc_text(block, " ");
    doc_code(block, memo->compare[0]);
    doc_text(block, saves ? " saves %s (%.0f" : " costs %s", range, 100 * share_least);
    if (saves && round(100 * share_least) < round(100 * share_most)) {
        doc_text(block, " to %.0f", 100 * share_most);
    }
    doc_text(block, saves ? " %%) against " : " more than ");
    doc_code(block, memo->compare[1]);
    doc_text(block, ".");
}

/* What would be cheaper if it were right: somebody will ask. */
static void say_stale(const struct memo *memo, const struct memo_place *place, double least,
                      struct doc_node *block)
{
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        struct memo_band band = memo_band(memo, place, s);
        char text[WORDS];
        if (memo_stale(memo, place, s) && band.mid < least) {
            memo_say_band(band, text, sizeof text);
            doc_text(block, " ");
            doc_code(block, memo_strategy(memo, s));
            doc_text(block, " would take %s, but leaves stale bytes.", text);
        }
    }
}

/* Those of them that are cheapest at all places. */
static void say_not_enough(const struct memo *memo, struct doc_node *block)
{
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        bool all = true;
        for (size_t p = 0; p < memo->places; p++) {
            struct memo_choice choice = memo_choose(memo, &memo->place[p]);
            all &= memo_stale(memo, &memo->place[p], s) && choice.winner != SIZE_MAX &&
                   memo_band(memo, &memo->place[p], s).mid <
                       memo_band(memo, &memo->place[p], choice.winner).mid;
        }
        if (all) {
            doc_text(block, " ");
            doc_code(block, memo_strategy(memo, s));
            doc_text(block, " is cheaper, but not enough: readers find stale bytes.");
        }
    }
}

static void say_place(const struct memo *memo, const struct memo_place *place,
                      struct doc_node *block)
{
    struct memo_choice choice = memo_choose(memo, place);
    char text[WORDS];
    if (choice.winner == SIZE_MAX) {
        doc_text(block, "No strategy of the study is coherent and exists on this machine.");
        say_stale(memo, place, INFINITY, block);
        return;
    }
    struct memo_band band = memo_band(memo, place, choice.winner);
    memo_say_cost(memo, band, text, sizeof text);
    doc_code(block, memo_strategy(memo, choice.winner));
    doc_text(block, " %s", text);
    say_rivals(memo, place, &choice, block);
    doc_text(block, ".");
    size_t other = compares(memo) ? memo_find_strategy(memo, memo->compare[1]) : choice.runner_up;
    size_t first = compares(memo) ? memo_find_strategy(memo, memo->compare[0]) : choice.winner;
    memo_say_also(memo, place, first, other, block);
    say_stale(memo, place, band.mid, block);
}

/* --- below the answer --- */

/* What is said against the strategies that win somewhere; the conditions of
 * verdicts stand beside the wins. */
static void say_caveats(const struct memo *memo, struct doc_node *block)
{
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        bool wins = false;
        for (size_t p = 0; p < memo->places; p++) {
            struct memo_choice choice = memo_choose(memo, &memo->place[p]);
            bool leans = choice.winner == s && memo_condition(memo, &memo->place[p], s) != NULL;
            wins |= (choice.winner == s && !leans) || (choice.sound == s && choice.winner != s);
        }
        if (wins && memo_caveat(memo, s)[0]) {
            doc_text(block, "%sCaveat of ", block->first ? " " : "");
            doc_code(block, memo_strategy(memo, s));
            doc_text(block, ": %s.", memo_caveat(memo, s));
        }
    }
}

static bool same_runs(const struct doc_node *a, const struct doc_node *b)
{
    const struct doc_node *x = a->first, *y = b->first;
    while (x && y && strcmp(x->text, y->text) == 0) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

/* Whether the words on break-even points are the same for all places: then they
 * are said once. */
static bool words_agree(const struct memo *memo)
{
    struct doc_node *first = doc_new();
    bool same = true;
    memo_breakeven_words(memo, &memo->place[0], first);
    for (size_t p = 1; p < memo->places && same; p++) {
        struct doc_node *other = doc_new();
        memo_breakeven_words(memo, &memo->place[p], other);
        same = same_runs(first, other);
        doc_free(other);
    }
    doc_free(first);
    return same;
}

static void say_places(const struct memo *memo, bool once, struct doc_node *doc)
{
    struct doc_node *list = doc_add(doc, DOC_LIST, NULL);
    for (size_t p = 0; p < memo->places; p++) {
        struct doc_node *item = doc_add(list, DOC_ITEM, NULL);
        char words[WORDS];
        memo_say_place(memo, &memo->place[p], true, words, sizeof words);
        if (words[0]) {
            doc_strong(item, "%s:", words);
            doc_text(item, " ");
        }
        say_place(memo, &memo->place[p], item);
        if (!once) {
            memo_breakeven_words(memo, &memo->place[p], item);
        }
    }
}

/* The strategy that limits are about in the lead: what Linux does, or the first
 * that is compared. */
static size_t limited(const struct memo *memo)
{
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        if (upstream(memo, s)) {
            return s;
        }
    }
    return compares(memo) ? memo_find_strategy(memo, memo->compare[0]) : 0;
}

/* Caveats, and which costs decide where the lead does not say it. */
static void say_rest(const struct memo *memo, bool costs, struct doc_node *doc)
{
    struct doc_node *rest = doc_add(doc, DOC_PARAGRAPH, NULL);
    if (costs) {
        memo_costs_words(memo, rest);
    }
    say_caveats(memo, rest);
    if (!rest->first) {
        doc_text(rest, "No caveats beside the verdicts of section 7.");
    }
}

void memo_answer(const struct memo *memo, struct doc_node *doc)
{
    const json_t *settings = json_object_get(json_object_get(memo->run, "study"), "memo");
    bool costs = json_is_true(json_object_get(settings, "sensitivity_all"));
    const char *title = memo_text(memo->run, "study", "title");
    const char *name = memo_text(memo->run, "study", "name");
    const char *question = memo_text(memo->run, "study", "question");
    doc_text(doc_add(doc, DOC_TITLE, NULL), "%s", title[0] ? title : name);
    doc_text(doc_add(doc, DOC_LEAD, "1 The question"), "%s",
             question[0] ? question
             : title[0]  ? title
                         : "Which strategy costs least, and where does that change?");
    struct doc_node *answer = doc_add(doc, DOC_LEAD, "2 The answer");
    if (memo->table[MEMO_TARGET].there) {
        memo_limits_lead(memo, limited(memo), answer);
    }
    if (costs && memo->table[MEMO_SENSITIVITY].there) {
        memo_costs_words(memo, answer);
        memo_measure_words(memo, answer);
        doc_text(answer, " ");
    }
    memo_headline(memo, answer);
    say_saving(memo, answer);
    say_not_enough(memo, answer);
    memo_trend_words(memo, answer);
    bool once = words_agree(memo);
    if (once) {
        memo_breakeven_words(memo, &memo->place[0], answer);
    }
    say_places(memo, once, doc);
    say_rest(memo, !costs, doc);
}
