/* A memo in short, for the page over several. */
#include "report/memo/memo_input.h"

#include "core/tojson.h"

#include <math.h>
#include <stdio.h>

static json_t *runs_of(struct doc_node *answer)
{
    json_t *runs = json_array();
    for (const struct doc_node *run = answer->first; run; run = run->next) {
        json_t *one = json_object();
        tojson_set(one, run->kind == DOC_CODE ? "code" : "text", tojson_text(run->text));
        tojson_append(runs, one);
    }
    doc_free(answer);
    return runs;
}

static void set_cost(json_t *into, const char *key, const struct memo *memo,
                     const struct memo_scenario *there, size_t strategy)
{
    char text[QUANTITY_TEXT];
    if (strategy != SIZE_MAX && strategy != WINNER_NONE) {
        struct band band = memo_band(memo, there, 0, strategy);
        tojson_set(into, key,
                   tojson_text(quantity_mid(band, metric_quantity(memo->metric[0]), text)));
    }
}

static void set_strategy(json_t *into, const char *key, const struct strategy *strategy)
{
    const char *brief = strategy_brief(strategy);
    tojson_set(into, key, tojson_text(brief ? brief : strategy->name));
}

/* Of the first place: its best, by the ladder where there is one, what the next of those that the
 * study compares costs, and Linux. */
static void set_first(const struct memo *memo, json_t *summary)
{
    char text[QUANTITY_TEXT];
    const struct memo_scenario *there = memo_place(memo, 0);
    double share = there->best.probability, best = there->best.value;
    size_t next = memo_next(memo, there);
    if (memo->advised) {
        const struct advise_ladder *ladder = memo_ladder(memo, 0);
        const struct advise_rung *last = &ladder->rung[ladder->count - 1];
        if (last->strategy.name[0]) {
            set_strategy(summary, "winner", &last->strategy);
        } else {
            snprintf(text, sizeof text, "%zu changes to KVM", last->changes);
            tojson_set(summary, "winner", tojson_text(text));
        }
        tojson_set(summary, "best",
                   tojson_text(quantity_mid(memo_rung_band(last->cost), UNIT_NS, text)));
        tojson_set(summary, "upstream",
                   tojson_text(quantity_mid(memo_rung_band(ladder->rung[0].cost), UNIT_NS, text)));
        share = last->changes > 0 ? last->probability : NAN;
        best = last->cost.p50;
    } else if (there->best.winner != WINNER_NONE) {
        set_strategy(summary, "winner", memo->study->strategies[there->best.winner]);
        set_cost(summary, "best", memo, there, there->best.winner);
        set_cost(summary, "upstream", memo, there, memo->upstream);
        best = memo_band(memo, there, 0, there->best.winner).mid;
    }
    double times = next == WINNER_NONE ? NAN : memo_band(memo, there, 0, next).mid / best;
    if (isfinite(times) && best > 0) {
        char ratio[QUANTITY_TEXT + 8];
        snprintf(ratio, sizeof ratio, "%s times", quantity_times(times, 1, text));
        tojson_set(summary, "lead", tojson_text(ratio));
    }
    if (isfinite(share)) {
        snprintf(text, sizeof text, "%.0f %%", 100 * share);
        tojson_set(summary, "share", tojson_text(text));
    }
    tojson_set(summary, "misfit", tojson_text(memo_misfit(memo, text) ? text : "not known"));
}

json_t *memo_summary(const struct memo *memo)
{
    char words[2 * MEMO_TEXT];
    json_t *summary = json_object(), *machines = json_array(), *missing = json_array();
    const struct study *study = memo->study;
    const struct axis *machine = study->role[AXIS_MACHINE];
    tojson_set(summary, "name", tojson_text(study->name));
    tojson_set(summary, "title", tojson_text(study->title[0] ? study->title : study->name));
    tojson_set(summary, "question", tojson_text(study->question));
    tojson_set(summary, "answer", runs_of(memo_answer_words(memo)));
    tojson_set(summary, "scenario", tojson_text(memo_scenario_words(memo, false, words)));
    set_first(memo, summary);
    for (size_t m = 0; m < machine->values.count; m++) {
        const struct memo_scenario *there = memo_at(memo, memo_with(machine, memo->place[0], m));
        size_t best = there->best.winner;
        json_t *one = json_object();
        tojson_set(one, "name", tojson_text(machine->values.text[m]));
        tojson_set(one, "best", tojson_text(best == WINNER_NONE ? "none" : memo_name(memo, best)));
        if (there->failed) {
            tojson_set(one, "words", tojson_text(MEMO_FAILED));
        } else if (best != WINNER_NONE) {
            set_strategy(one, "words", memo->study->strategies[best]);
        }
        set_cost(one, "cost", memo, there, best);
        set_cost(one, "upstream", memo, there, memo->upstream);
        tojson_append(machines, one);
    }
    tojson_set(summary, "machines", machines);
    for (size_t i = 0; i < memo->missings; i++) {
        tojson_append(missing, tojson_text(memo->missing[i]));
    }
    if (memo->missings > 0) {
        tojson_set(summary, "left_out", json_incref(missing));
    }
    json_decref(missing);
    return summary;
}
