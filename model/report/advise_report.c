#include "report/analyses.h"

#include "core/tojson.h"
#include "report/cells.h"
#include "study/advise.h"
#include "study/verdict.h"

#include <math.h>
#include <string.h>

#define ADVISE_SCHEMA 1
#define COLUMNS 100

/* What kind of rung it is: what Linux does, one that is coherent, one only if. */
static const char *rung_kind(const struct advise_rung *rung, bool conditional)
{
    return conditional ? "only-if" : rung->changes == 0 ? "upstream" : "coherent";
}

/* "reinit_tlbi = vm, toggle = first", as a section [strategy] has it. */
static void spell_keys(const struct advise_rung *rung, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rung->changes && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s = %s", used ? ", " : "",
                                 rung->change[i].key, rung->change[i].value);
    }
}

/* --- text --- */

static void print_band(FILE *out, const struct advise_band *band)
{
    cells_print_band(out, UNIT_NS, band->p50, band->p10, band->p90, band->p10 < band->p90);
}

/* Words from column `indent` on, no line longer than COLUMNS. `at` is where the line is. */
static void print_words(FILE *out, const char *text, int indent, int at)
{
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at + 1 + length > COLUMNS && at > indent) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", length, text);
        at += length;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* How each change stands to the rung before: it is new, or was there already. */
static void print_changes(FILE *out, const struct advise_rung *rung)
{
    for (size_t i = 0; i < rung->changes; i++) {
        const struct kernel_change *change = &rung->change[i];
        char text[sizeof change->what + sizeof change->where + 96];
        snprintf(text, sizeof text, "%s (%s = %s): %s", change->what, change->key, change->value,
                 change->where);
        fprintf(out, "      %c ", rung->kept[i] ? ' ' : '+');
        print_words(out, rung->kept[i] ? change->what : text, 8, 8);
    }
}

/* By how much it is ahead, and how surely. */
static void print_gain(FILE *out, const struct advise_rung *rung, const char *against)
{
    fprintf(out, "        gains ");
    print_band(out, &rung->gain);
    fprintf(out, " on %s", against);
    if (!isnan(rung->probability)) {
        fprintf(out, ", is ahead in %.0f %% of the draws", 100 * rung->probability);
    }
    fputc('\n', out);
}

/* What stands beside the cost: verdict, pause, processor time, the row's name. */
static void print_beside(FILE *out, const struct advise_rung *rung)
{
    char pause[40], cpu[40], caveat[STRATEGY_CAVEAT_BYTES], text[STRATEGY_CAVEAT_BYTES + 400];
    const char *condition = verdict_conditions(rung->verdict.conditions);
    snprintf(text, sizeof text, "%s%s%s; mmu_lock held for up to %s, %s of processor time%s%s",
             outcome_name[rung->verdict.worst], condition ? ": " : "", condition ? condition : "",
             cells_human(rung->pause_ns.p50, UNIT_NS, pause, sizeof pause),
             cells_human(rung->cpu_ns.p50, UNIT_NS, cpu, sizeof cpu),
             rung->strategy.name[0] ? "; strategy " : "", rung->strategy.name);
    fprintf(out, "        ");
    print_words(out, text, 8, 8);
    if (strategy_caveat(&rung->strategy, caveat, sizeof caveat)[0]) {
        fprintf(out, "        ");
        print_words(out, caveat, 8, 8);
    }
    if (rung->needs_guest) {
        fprintf(out, "        ");
        print_words(out, ADVISE_NEEDS_GUEST, 8, 8);
    }
}

static void print_rung(FILE *out, const struct advise_rung *rung, const char *against)
{
    char title[40];
    snprintf(title, sizeof title, "%zu change%s", rung->changes, rung->changes == 1 ? "" : "s");
    fprintf(out, "  %-11s", rung->changes == 0 ? "today" : title);
    print_band(out, &rung->cost);
    fputc('\n', out);
    if (rung->changes > 0) {
        print_gain(out, rung, against);
    }
    print_changes(out, rung);
    print_beside(out, rung);
}

/* How the rungs were found, and what was not tried; `told` is what was said so of the
 * situation before. */
static void print_search(FILE *out, const struct advise_ladder *ladder, char told[2048])
{
    char fixed[1024], text[2048], few[64] = "";
    policy_space_print_fixed(&ladder->facts, fixed, sizeof fixed);
    if (ladder->changes_max < STRATEGY_KEYS) {
        snprintf(few, sizeof few, " with up to %zu changes", ladder->changes_max);
    }
    snprintf(text, sizeof text,
             "Of %zu strategies%s %zu were played. Of %zu another that does all that they do is "
             "stale, so are they; %zu do all that a coherent one does and more, and cost no less; "
             "%zu leave out what takes no time; %zu cannot be near the cheapest, by what one took "
             "that does more; %zu need more cores. Left out: %zu combinations with a key that has "
             "no effect, %zu "
             "with a flush where nothing is mapped; %s.",
             ladder->policies, few, ladder->played, ladder->stale, ladder->dominated,
             ladder->no_gain, ladder->dear, ladder->impossible, ladder->same, ladder->vain, fixed);
    if (strcmp(text, told) != 0) {
        fprintf(out, "  ");
        print_words(out, text, 2, 2);
        memcpy(told, text, sizeof text);
    }
}

static void print_ladder(FILE *out, const struct advise_ladder *ladder, char told[2048])
{
    for (size_t i = 0; i < ladder->count; i++) {
        print_rung(out, &ladder->rung[i], "the rung before");
    }
    if (ladder->conditional_count > 0) {
        fprintf(out, "  Coherent only if a condition holds, beside the cheapest with as many "
                     "changes without one:\n");
    }
    for (size_t i = 0; i < ladder->conditional_count; i++) {
        print_rung(out, &ladder->conditional[i], "that");
    }
    print_search(out, ladder, told);
}

/* What the machine lacks: today's kernel with it, and the best one with it. */
static void print_hardware(FILE *out, const struct advise_results *results, size_t group)
{
    fprintf(out, "  With hardware that the machine lacks, all else equal:\n");
    for (int i = HARDWARE_OWN + 1; i < HARDWARES; i++) {
        const struct advise_ladder *ladder = advise_ladder(results, group, (enum advise_hardware)i);
        if (!ladder) {
            continue;
        }
        const struct advise_rung *best = &ladder->rung[ladder->count - 1];
        fprintf(out, "    %s\n      today's kernel ", advise_hardware_name[i]);
        print_band(out, &ladder->rung[0].cost);
        if (best->changes > 0) {
            char keys[400];
            spell_keys(best, keys, sizeof keys);
            fprintf(out, "\n      the best       ");
            print_band(out, &best->cost);
            fprintf(out, "\n      ");
            print_words(out, keys, 6, 6);
        } else {
            fprintf(out, ", and no change gains\n");
        }
        fprintf(out, "      gains          ");
        print_band(out, &ladder->hardware_gain);
        fprintf(out, " on the best without it");
        if (!isnan(ladder->hardware_probability)) {
            fprintf(out, ", is ahead in %.0f %%", 100 * ladder->hardware_probability);
        }
        fprintf(out, "\n");
    }
}

static void print(FILE *out, const void *found)
{
    const struct advise_results *results = found;
    const struct study *study = results->groups.study;
    fprintf(out,
            "%s: what Linux does, and the cheapest coherent strategy with each number of changes\n",
            metric_name[results->request.metric]);
    if (study->draws > 0) {
        fprintf(out,
                "Medians of %llu draws of the costs (10 to 90 %%), the same for all; chosen with "
                "every cost at its mode\n",
                (unsigned long long)study->draws);
    } else {
        fprintf(out, "Every cost is at its mode\n");
    }
    char told[2048] = "";
    for (size_t group = 0; group < results->groups.count; group++) {
        const struct advise_ladder *ladder = advise_ladder(results, group, HARDWARE_OWN);
        fprintf(out, "\n");
        if (!ladder) {
            char text[512];
            groups_text(&results->groups, group, text, sizeof text);
            fprintf(out, "%s: no ladder, a simulation failed\n", text);
            continue;
        }
        print_words(out, ladder->situation, 2, 0);
        print_ladder(out, ladder, told);
        if (results->request.hardware) {
            print_hardware(out, results, group);
        }
    }
}

/* --- the table --- */

static void put_band(struct cells *cells, const char *prefix, const struct advise_band *band,
                     bool there)
{
    char name[64];
    const struct {
        const char *name;
        double value;
    } values[] = {{"p10", band->p10}, {"p50", band->p50}, {"p90", band->p90}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, values[i].name);
        cells_real(cells, name, there ? values[i].value : NAN);
    }
}

static void put_changes(struct cells *cells, const struct advise_rung *rung)
{
    char keys[600], what[1400] = "", where[1400] = "";
    size_t said = 0, stood = 0;
    spell_keys(rung, keys, sizeof keys);
    for (size_t i = 0; i < rung->changes && said < sizeof what && stood < sizeof where; i++) {
        said += (size_t)snprintf(what + said, sizeof what - said, "%s%s", i ? "; " : "",
                                 rung->change[i].what);
        stood += (size_t)snprintf(where + stood, sizeof where - stood, "%s%s", i ? "; " : "",
                                  rung->change[i].where);
    }
    cells_text(cells, "keys", keys);
    cells_text(cells, "what", what);
    cells_text(cells, "where", where);
}

static void put_rung(struct cells *cells, const struct advise_results *results, size_t group,
                     enum advise_hardware hardware, const struct advise_rung *rung,
                     bool conditional)
{
    char caveat[STRATEGY_CAVEAT_BYTES];
    const struct study *study = results->groups.study;
    cells_text(cells, "study", study->name);
    cells_text(cells, "metric", metric_name[results->request.metric]);
    cells_group(cells, &results->groups, group);
    cells_text(cells, "situation", advise_ladder(results, group, hardware)->situation);
    cells_text(cells, "hardware", hardware == HARDWARE_OWN ? NULL : advise_hardware_name[hardware]);
    cells_text(cells, "rung", rung_kind(rung, conditional));
    cells_whole(cells, "changes", rung->changes);
    cells_text(cells, "strategy", rung->strategy.name);
    put_changes(cells, rung);
    cells_text(cells, "unit", metric_unit[results->request.metric]);
    cells_whole(cells, "n", study->draws);
    cells_real(cells, "mode", rung->mode);
    put_band(cells, "", &rung->cost, study->draws > 0);
    put_band(cells, "gain_", &rung->gain, study->draws > 0 && rung->changes > 0);
    cells_real(cells, "probability", rung->probability);
    cells_text(cells, "verdict", outcome_name[rung->verdict.worst]);
    cells_text(cells, "condition", verdict_conditions(rung->verdict.conditions));
    cells_text(cells, "caveat", strategy_caveat(&rung->strategy, caveat, sizeof caveat));
    cells_flag(cells, "needs_guest", rung->needs_guest);
    cells_real(cells, "pause_ns", rung->pause_ns.p50);
    cells_real(cells, "cpu_ns", rung->cpu_ns.p50);
    cells_whole(cells, "schema_version", ADVISE_SCHEMA);
    cells_end(cells);
}

static void write_rows(FILE *out, const void *found)
{
    const struct advise_results *results = found;
    struct cells cells = {.out = out, .header = true};
    for (size_t group = 0; group < results->groups.count; group++) {
        for (int i = 0; i < HARDWARES; i++) {
            enum advise_hardware hardware = (enum advise_hardware)i;
            const struct advise_ladder *ladder = advise_ladder(results, group, hardware);
            if (ladder && cells.header) {
                put_rung(&cells, results, group, hardware, &ladder->rung[0], false);
                cells.header = false;
            }
            for (size_t rung = 0; ladder && rung < ladder->count; rung++) {
                put_rung(&cells, results, group, hardware, &ladder->rung[rung], false);
            }
            for (size_t rung = 0; ladder && rung < ladder->conditional_count; rung++) {
                put_rung(&cells, results, group, hardware, &ladder->conditional[rung], true);
            }
        }
    }
}

/* --- JSON --- */

static json_t *json_of_band(const struct advise_band *band)
{
    json_t *object = json_object();
    tojson_set(object, "p10", json_real(band->p10));
    tojson_set(object, "p50", json_real(band->p50));
    tojson_set(object, "p90", json_real(band->p90));
    return object;
}

static json_t *json_of_rung(const struct advise_rung *rung, bool conditional)
{
    char caveat[STRATEGY_CAVEAT_BYTES];
    json_t *object = json_object(), *changes = json_array();
    for (size_t i = 0; i < rung->changes; i++) {
        json_t *change = json_object();
        tojson_set(change, "key", tojson_text(rung->change[i].key));
        tojson_set(change, "value", tojson_text(rung->change[i].value));
        tojson_set(change, "what", tojson_text(rung->change[i].what));
        tojson_set(change, "where", tojson_text(rung->change[i].where));
        tojson_append(changes, change);
    }
    tojson_set(object, "rung", tojson_text(rung_kind(rung, conditional)));
    tojson_set(object, "strategy",
               tojson_text(rung->strategy.name[0] ? rung->strategy.name : NULL));
    tojson_set(object, "changes", changes);
    tojson_set(object, "mode", json_real(rung->mode));
    tojson_set(object, "cost", json_of_band(&rung->cost));
    if (rung->changes > 0) {
        tojson_set(object, "gain", json_of_band(&rung->gain));
        tojson_set(object, "probability",
                   isnan(rung->probability) ? json_null() : json_real(rung->probability));
    }
    tojson_set(object, "verdict", tojson_text(outcome_name[rung->verdict.worst]));
    tojson_set(object, "condition", tojson_text(verdict_conditions(rung->verdict.conditions)));
    tojson_set(object, "caveat",
               tojson_text(strategy_caveat(&rung->strategy, caveat, sizeof caveat)));
    tojson_set(object, "needs_guest", json_boolean(rung->needs_guest));
    tojson_set(object, "pause_ns", json_real(rung->pause_ns.p50));
    tojson_set(object, "cpu_ns", json_of_band(&rung->cpu_ns));
    return object;
}

static json_t *json_of_search(const struct advise_ladder *ladder)
{
    char fixed[1024];
    json_t *object = json_object();
    policy_space_print_fixed(&ladder->facts, fixed, sizeof fixed);
    tojson_set(object, "strategies", tojson_whole(ladder->policies));
    tojson_set(object, "changes_max", tojson_whole(ladder->changes_max));
    tojson_set(object, "played", tojson_whole(ladder->played));
    tojson_set(object, "stale", tojson_whole(ladder->stale));
    tojson_set(object, "dominated", tojson_whole(ladder->dominated));
    tojson_set(object, "no_gain", tojson_whole(ladder->no_gain));
    tojson_set(object, "dear", tojson_whole(ladder->dear));
    tojson_set(object, "impossible", tojson_whole(ladder->impossible));
    tojson_set(object, "without_effect", tojson_whole(ladder->same));
    tojson_set(object, "nothing_mapped", tojson_whole(ladder->vain));
    tojson_set(object, "not_tried", tojson_text(fixed));
    return object;
}

static json_t *json_of_ladder(const struct advise_results *results, size_t group,
                              enum advise_hardware hardware)
{
    const struct advise_ladder *ladder = advise_ladder(results, group, hardware);
    char text[512];
    json_t *object = json_object(), *rungs = json_array();
    groups_text(&results->groups, group, text, sizeof text);
    for (size_t i = 0; i < ladder->count; i++) {
        tojson_append(rungs, json_of_rung(&ladder->rung[i], false));
    }
    for (size_t i = 0; i < ladder->conditional_count; i++) {
        tojson_append(rungs, json_of_rung(&ladder->conditional[i], true));
    }
    tojson_set(object, "case", tojson_text(text));
    tojson_set(object, "situation", tojson_text(ladder->situation));
    tojson_set(object, "hardware",
               tojson_text(hardware == HARDWARE_OWN ? NULL : advise_hardware_name[hardware]));
    tojson_set(object, "rungs", rungs);
    if (hardware != HARDWARE_OWN && advise_ladder(results, group, HARDWARE_OWN)) {
        tojson_set(object, "hardware_gain", json_of_band(&ladder->hardware_gain));
    }
    tojson_set(object, "search", json_of_search(ladder));
    return object;
}

static void write_json(FILE *out, const void *found)
{
    const struct advise_results *results = found;
    json_t *object = json_object(), *ladders = json_array();
    for (size_t group = 0; group < results->groups.count; group++) {
        for (int i = 0; i < HARDWARES; i++) {
            if (advise_ladder(results, group, (enum advise_hardware)i)) {
                tojson_append(ladders, json_of_ladder(results, group, (enum advise_hardware)i));
            }
        }
    }
    tojson_set(object, "study", tojson_text(results->groups.study->name));
    tojson_set(object, "metric", tojson_text(metric_name[results->request.metric]));
    tojson_set(object, "unit", tojson_text(metric_unit[results->request.metric]));
    tojson_set(object, "draws", tojson_whole(results->groups.study->draws));
    tojson_set(object, "ladders", ladders);
    tojson_set(object, "schema_version", tojson_whole(ADVISE_SCHEMA));
    tojson_print(out, object, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    fputc('\n', out);
}

const struct analysis_report advise_report = {
    .table = {{"advise.csv", write_rows}, {"advise.json", write_json}}, .print = print};
