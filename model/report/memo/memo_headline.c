/* The first sentence of an answer: who wins, where, how surely, and on what
 * condition. */
#include "report/memo/memo_parts.h"

#include "study/winner_map.h"

#include <math.h>
#include <string.h>

#define WORDS 512

/* Places of one winner that are alike decided. */
struct group {
    size_t winner;
    bool decided, listed[MEMO_PLACES];
    size_t count;
    double least, most, draws; /* share of the draws; how many there are */
};

/* Who wins where; `sound`: among those without a condition. Returns how many
 * groups there are. */
static size_t find_groups(const struct memo *memo, bool sound, struct group groups[MEMO_PLACES])
{
    size_t count = 0;
    for (size_t p = 0; p < memo->places; p++) {
        struct memo_choice choice = memo_choose(memo, &memo->place[p]);
        double share = sound ? choice.sound_probability : choice.probability;
        size_t winner = sound ? choice.sound : choice.winner, g = 0;
        bool decided = !(share < MAP_DECIDED);
        while (g < count && (groups[g].winner != winner || groups[g].decided != decided)) {
            g++;
        }
        if (g == count) {
            groups[count++] = (struct group){.winner = winner,
                                             .decided = decided,
                                             .least = INFINITY,
                                             .most = -INFINITY,
                                             .draws = choice.draws};
        }
        groups[g].listed[p] = true;
        groups[g].count++;
        groups[g].least = fmin(groups[g].least, share);
        groups[g].most = fmax(groups[g].most, share);
    }
    return count;
}

/* " with 4k backing and thp backing" */
static void say_where(const struct memo *memo, const struct group *group, struct doc_node *block)
{
    size_t said = 0, facets = 0;
    bool machine = false;
    for (size_t i = 0; i < memo->axes; i++) {
        facets += memo->facet[i];
        machine |= memo->facet[i] && strcmp(memo->axis[i].name, "machine") == 0;
    }
    for (size_t i = 0; i < memo->axes && group->count == memo->places; i++) {
        if (memo->facet[i]) {
            bool number = strcmp(memo->axis[i].name, "vcpus") == 0 ||
                          strcmp(memo->axis[i].name, "workers") == 0;
            doc_text(block, "%s %s%s", said++ ? " and" : " whatever the",
                     number ? "number of " : "", memo->axis[i].name);
        }
    }
    for (size_t p = 0; p < memo->places && group->count < memo->places; p++) {
        char name[WORDS];
        if (group->listed[p]) {
            memo_say_facets(memo, &memo->place[p], name, sizeof name);
            said++;
            doc_text(block, "%s%s",
                     said == 1              ? (machine || facets > 1 ? " on " : " with ")
                     : said == group->count ? " and "
                                            : ", ",
                     name);
        }
    }
}

static void say_shares(const struct group *group, struct doc_node *block)
{
    double least = round(100 * group->least), most = round(100 * group->most);
    if (!isfinite(group->least)) {
        return;
    }
    if (least == most) {
        doc_text(block, " (in %s%.0f %% of %.0f draws)", group->decided ? "" : "only ", least,
                 group->draws);
    } else {
        doc_text(block, " (in %s%.0f to %.0f %% of %.0f draws)", group->decided ? "" : "only ",
                 least, most, group->draws);
    }
}

static bool group_leans(const struct memo *memo, const struct group *group)
{
    for (size_t p = 0; p < memo->places; p++) {
        if (group->listed[p] && group->winner != SIZE_MAX &&
            memo_condition(memo, &memo->place[p], group->winner)) {
            return true;
        }
    }
    return false;
}

static bool group_paper(const struct memo *memo, const struct group *group)
{
    for (size_t p = 0; p < memo->places; p++) {
        if (group->listed[p] && group->winner != SIZE_MAX &&
            memo_paper(memo, &memo->place[p], group->winner)) {
            return true;
        }
    }
    return false;
}

/* "`eager` adds least to the reboot with 4k backing (in 97 % of the draws)"; returns
 * how many of the groups lean on a condition, and all of them in `count`. */
static size_t say_groups(const struct memo *memo, bool sound, size_t *groups_count,
                         struct doc_node *block)
{
    struct group groups[MEMO_PLACES];
    size_t count = find_groups(memo, sound, groups), leans = 0;
    bool verb = false;
    *groups_count = count;
    for (size_t g = 0; g < count; g++) {
        doc_text(block, "%s", g ? "; " : "");
        if (groups[g].winner == SIZE_MAX) {
            doc_text(block, "nothing is coherent and exists");
        } else {
            bool condition = group_leans(memo, &groups[g]);
            leans += condition;
            doc_text(block, "%s", groups[g].decided ? "" : "undecided, with ");
            doc_code(block, memo_strategy(memo, groups[g].winner));
            doc_text(block, "%s%s", group_paper(memo, &groups[g]) ? " (hypothetical there)" : "",
                     condition && count > 1 ? " (conditional)" : "");
            doc_text(block, "%s%s", groups[g].decided && (sound || verb) ? "" : " ",
                     !groups[g].decided ? "ahead by the median"
                     : sound || verb    ? ""
                                        : memo_verb(memo));
            verb |= groups[g].decided;
        }
        say_where(memo, &groups[g], block);
        say_shares(&groups[g], block);
    }
    return leans;
}

/* The conditions that the winners lean on, each once. */
static void say_conditions(const struct memo *memo, struct doc_node *block)
{
    const char *said[MEMO_PLACES];
    size_t count = 0;
    for (size_t p = 0; p < memo->places; p++) {
        struct memo_choice choice = memo_choose(memo, &memo->place[p]);
        const char *condition =
            choice.winner == SIZE_MAX ? NULL : memo_condition(memo, &memo->place[p], choice.winner);
        bool known = !condition;
        for (size_t i = 0; i < count; i++) {
            known |= strcmp(said[i], condition ? condition : "") == 0;
        }
        if (!known) {
            doc_text(block, "%s%s", count ? ", or that " : "", condition);
            said[count++] = condition;
        }
    }
}

/* "by granule/backing", where places are called by several values. */
static void say_facet_names(const struct memo *memo, bool more, struct doc_node *block)
{
    size_t facets = 0, said = 0;
    for (size_t i = 0; i < memo->axes; i++) {
        facets += memo->facet[i];
    }
    for (size_t i = 0; i < memo->axes && facets > 1 && more; i++) {
        if (memo->facet[i]) {
            doc_text(block, "%s%s", said++ ? "/" : ", by ", memo->axis[i].name);
        }
    }
}

/* The one sentence: who wins, how surely, on what condition, and who without it. */
void memo_headline(const struct memo *memo, struct doc_node *block)
{
    char common[WORDS];
    memo_say_common(memo, common, sizeof common);
    doc_text(block, "%s", common);
    say_facet_names(memo, common[0] != '\0', block);
    doc_text(block, "%s", common[0] ? ": " : "");
    size_t groups, leans = say_groups(memo, false, &groups, block);
    struct memo_choice first = memo_choose(memo, &memo->place[0]);
    if (first.winner != SIZE_MAX && !isfinite(first.probability)) {
        doc_text(block, first.draws > 0
                            ? " (in which share of the draws a map would tell, which is missing)"
                            : " (every cost at its mode, so how sure that is is not known)");
    }
    if (leans > 0) {
        doc_text(block, groups == 1 ? ", but only if " : ". The condition: ");
        say_conditions(memo, block);
        doc_text(block, ". Without it: ");
        say_groups(memo, true, &groups, block);
    }
    doc_text(block, ".");
}
