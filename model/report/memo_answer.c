/* The head of a memo: the question, and the answer with its confidence. */
#include "report/memo_parts.h"

#include "study/winner_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 512

/* --- against what --- */

/* Strategies that the winner is held against, each with what is said of it. */
struct rivals {
    size_t strategy[4];
    const char *words[4];
    size_t count;
};

/* "as Linux ships it", where that is what a strategy's title says. */
static const char *shipped(const struct memo *memo, size_t strategy)
{
    static const char words[] = "as Linux ships it";
    const char *title = memo_text(memo->run, "configuration", "strategies",
                                  memo_strategy(memo, strategy), "strategy", "title");
    return strstr(title, words) ? words : NULL;
}

static void add_rival(const struct memo *memo, struct rivals *rivals, size_t winner,
                      size_t strategy, const char *words)
{
    bool twice = strategy == SIZE_MAX || strategy == winner;
    for (size_t i = 0; i < rivals->count; i++) {
        twice |= rivals->strategy[i] == strategy;
    }
    if (!twice && rivals->count < 4) {
        rivals->strategy[rivals->count] = strategy;
        rivals->words[rivals->count++] = words ? words : shipped(memo, strategy);
    }
}

static struct rivals find_rivals(const struct memo *memo, const struct memo_choice *choice)
{
    struct rivals rivals = {0};
    size_t winner = choice->winner;
    if (choice->real != winner) {
        add_rival(memo, &rivals, winner, choice->real, "the cheapest that exists there");
    }
    if (!choice->decided) {
        add_rival(memo, &rivals, winner, choice->runner_up, NULL);
    }
    for (size_t i = 0; i < 2 && memo->compare[0] && memo->compare[1]; i++) {
        add_rival(memo, &rivals, winner, memo_find_strategy(memo, memo->compare[i]), NULL);
    }
    add_rival(memo, &rivals, winner, memo_find_strategy(memo, "unmap"), NULL);
    if (rivals.count == 0) {
        add_rival(memo, &rivals, winner, choice->runner_up, "the next");
    }
    return rivals;
}

static void say_rivals(const struct memo *memo, const struct memo_place *place,
                       const struct memo_choice *choice, struct doc_node *block)
{
    struct rivals rivals = find_rivals(memo, choice);
    for (size_t i = 0; i < rivals.count; i++) {
        size_t strategy = rivals.strategy[i];
        const char *paper = memo_paper(memo, place, strategy);
        char text[WORDS];
        memo_say_band(memo_band(memo, place, strategy), text, sizeof text);
        doc_text(block, "%s%s with ",
                 i == 0                 ? ", against "
                 : i + 1 < rivals.count ? ", "
                                        : " and ",
                 text);
        doc_code(block, memo_strategy(memo, strategy));
        if (rivals.words[i]) {
            doc_text(block, ", %s%s", rivals.words[i], i + 1 < rivals.count ? "," : "");
        }
        if (memo_stale(memo, place, strategy)) {
            doc_text(block, " (incoherent)");
        } else if (paper) {
            doc_text(block, " (hypothetical: %s)", paper);
        }
    }
}

/* --- one place --- */

static void say_sound(const struct memo *memo, const struct memo_place *place,
                      const struct memo_choice *choice, struct doc_node *block)
{
    char band[WORDS];
    if (choice->sound == SIZE_MAX) {
        doc_text(block, " No strategy of the study is coherent without a condition there.");
        return;
    }
    memo_say_band(memo_band(memo, place, choice->sound), band, sizeof band);
    doc_text(block, " Without that condition ");
    doc_code(block, memo_strategy(memo, choice->sound));
    doc_text(block, " %s: %s", memo_verb(memo), band);
    if (isfinite(choice->sound_probability)) {
        doc_text(block, ", %s%.0f %% of the draws",
                 choice->sound_probability < MAP_DECIDED ? "undecided, with only " : "in ",
                 100 * choice->sound_probability);
    }
    doc_text(block, ".");
}

static void say_confidence(const struct memo_choice *choice, struct doc_node *block)
{
    if (isfinite(choice->probability)) {
        doc_text(block, "; it wins in %s%.0f %% of the %.0f draws.", choice->decided ? "" : "only ",
                 100 * choice->probability, choice->draws);
    } else if (choice->draws > 0) {
        doc_text(block,
                 "; in which share of the draws it wins a map would tell, which is missing.");
    } else {
        doc_text(block, "; every cost at its mode, so how sure that is is not known.");
    }
}

static void say_winner(const struct memo *memo, const struct memo_place *place,
                       const struct memo_choice *choice, struct doc_node *block)
{
    const char *condition = memo_condition(memo, place, choice->winner);
    const char *paper = memo_paper(memo, place, choice->winner);
    char band[WORDS];
    memo_say_band(memo_band(memo, place, choice->winner), band, sizeof band);
    doc_text(block, choice->decided ? "" : "undecided; by the median ");
    doc_code(block, memo_strategy(memo, choice->winner));
    if (paper) {
        doc_text(block, " (hypothetical: %s)", paper);
    }
    doc_text(block, " %s", memo_verb(memo));
    if (condition) {
        doc_text(block, ", provided that %s", condition);
    }
    doc_text(block, ": %s", band);
    say_rivals(memo, place, choice, block);
    say_confidence(choice, block);
    if (condition) {
        say_sound(memo, place, choice, block);
    }
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
            doc_text(block, " would take %s, but is not enough: readers find stale bytes.", text);
        }
    }
}

static void say_place(const struct memo *memo, const struct memo_place *place,
                      struct doc_node *block)
{
    struct memo_choice choice = memo_choose(memo, place);
    if (choice.winner == SIZE_MAX) {
        doc_text(block, "no strategy of the study is coherent and exists on this machine.");
        say_stale(memo, place, INFINITY, block);
    } else {
        say_winner(memo, place, &choice, block);
        say_stale(memo, place, memo_band(memo, place, choice.winner).mid, block);
    }
}

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
            doc_text(block, " Caveat of ");
            doc_code(block, memo_strategy(memo, s));
            doc_text(block, ": %s.", memo_caveat(memo, s));
        }
    }
}

/* --- several places --- */

/* Of the places of one winner, decided or not, in how many draws it wins at
 * least. */
static void say_shares(const struct memo *memo, const struct memo_choice *choices, size_t winner,
                       bool decided, struct doc_node *block)
{
    double least = INFINITY, most = 0;
    for (size_t p = 0; p < memo->places; p++) {
        if (choices[p].winner == winner && choices[p].decided == decided) {
            least = fmin(least, choices[p].probability);
            most = fmax(most, choices[p].probability);
        }
    }
    if (!isfinite(least)) {
        return;
    }
    if (round(100 * least) == round(100 * most)) {
        doc_text(block, " (%sin %.0f %% of the draws)", decided ? "" : "only ", 100 * least);
    } else {
        doc_text(block, " (%sin %.0f to %.0f %% of the draws)", decided ? "" : "only ", 100 * least,
                 100 * most);
    }
}

/* The names of those places. */
static void say_group(const struct memo *memo, const struct memo_choice *choices, size_t winner,
                      bool decided, struct doc_node *block)
{
    size_t said = 0, last = 0;
    for (size_t p = 0; p < memo->places; p++) {
        last = choices[p].winner == winner && choices[p].decided == decided ? p : last;
    }
    for (size_t p = 0; p < memo->places; p++) {
        char name[WORDS];
        if (choices[p].winner == winner && choices[p].decided == decided) {
            memo_say_place(memo, &memo->place[p], true, name, sizeof name);
            doc_text(block, "%s%s", said++ == 0 ? "" : p == last ? " and " : ", ", name);
        }
    }
    say_shares(memo, choices, winner, decided, block);
}

/* What the winner leans on or lacks at the first of its places. */
static void say_strings(const struct memo *memo, const struct memo_place *place, size_t winner,
                        struct doc_node *block)
{
    const char *condition = memo_condition(memo, place, winner);
    const char *paper = memo_paper(memo, place, winner);
    if (paper) {
        doc_text(block, " (hypothetical: %s)", paper);
    }
    if (condition) {
        doc_text(block, " (provided that %s)", condition);
    }
}

static void say_headline(const struct memo *memo, struct doc_node *block)
{
    struct memo_choice choices[MEMO_PLACES];
    size_t parts = 0;
    for (size_t p = 0; p < memo->places; p++) {
        choices[p] = memo_choose(memo, &memo->place[p]);
    }
    for (size_t p = 0; p < memo->places; p++) {
        bool seen = false;
        for (size_t q = 0; q < p; q++) {
            seen |=
                choices[q].winner == choices[p].winner && choices[q].decided == choices[p].decided;
        }
        if (seen) {
            continue;
        }
        doc_text(block, "%s", parts++ ? "; " : "");
        if (choices[p].winner == SIZE_MAX) {
            doc_text(block, "no coherent strategy exists for ");
        } else if (choices[p].decided) {
            doc_code(block, memo_strategy(memo, choices[p].winner));
            say_strings(memo, &memo->place[p], choices[p].winner, block);
            doc_text(block, " %s for ", memo_verb(memo));
        } else {
            doc_text(block, "undecided, with ");
            doc_code(block, memo_strategy(memo, choices[p].winner));
            say_strings(memo, &memo->place[p], choices[p].winner, block);
            doc_text(block, " ahead by the median, for ");
        }
        say_group(memo, choices, choices[p].winner, choices[p].decided, block);
    }
    doc_text(block, ".");
}

void memo_answer(const struct memo *memo, struct doc_node *doc)
{
    const char *title = memo_text(memo->run, "study", "title");
    const char *name = memo_text(memo->run, "study", "name");
    const char *question = memo_text(memo->run, "study", "question");
    char words[2 * WORDS];
    doc_text(doc_add(doc, DOC_TITLE, NULL), "%s", title[0] ? title : name);
    doc_text(doc_add(doc, DOC_LEAD, "1 The question"), "%s", question[0] ? question : title);
    struct doc_node *answer = doc_add(doc, DOC_LEAD, "2 The answer");
    if (memo->places == 1) {
        memo_say_place(memo, &memo->place[0], false, words, sizeof words);
        doc_text(answer, "For %s: ", words);
        say_place(memo, &memo->place[0], answer);
        say_caveats(memo, answer);
        memo_breakeven_words(memo, &memo->place[0], answer);
        return;
    }
    say_headline(memo, answer);
    say_caveats(memo, answer);
    struct doc_node *list = doc_add(doc, DOC_LIST, NULL);
    for (size_t p = 0; p < memo->places; p++) {
        struct doc_node *item = doc_add(list, DOC_ITEM, NULL);
        memo_say_place(memo, &memo->place[p], false, words, sizeof words);
        doc_strong(item, "%s:", words);
        doc_text(item, " ");
        say_place(memo, &memo->place[p], item);
        memo_breakeven_words(memo, &memo->place[p], item);
    }
}
