/* What the answer rests on: what would change it, published measurements, conditions, the
 * scenario in full, and the data. */
#include "report/memo/memo_input.h"

#include "core/error.h"
#include "core/version.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- 4: what would change it --- */

static void put_crossings(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"case", "costs less below", "above", ">the same at",
                                        ">of draws"};
    struct memo_sampling sampling = {0};
    struct doc_node *table = NULL;
    for (size_t i = 0; i < memo->crossings; i++) {
        const struct memo_crossing *one = &memo->crossing[i];
        char words[MEMO_TEXT], text[QUANTITY_TEXT];
        if (one->status != BREAKEVEN_CROSSING) {
            continue;
        }
        table = table ? table : doc_table(doc, names, 5);
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        doc_cell(line, "%s", memo_place_words(memo, memo->place[one->place], words));
        doc_code(doc_add(line, DOC_CELL, NULL), memo_name(memo, one->a_below ? one->a : one->b));
        doc_code(doc_add(line, DOC_CELL, NULL), memo_name(memo, one->a_below ? one->b : one->a));
        doc_number(line, "%s", quantity_band(one->at, memo->axis->kind.unit, text));
        memo_sampling_add(&sampling, one->at, one->error);
        if (isfinite(one->share)) {
            doc_number(line, "%.0f %%", 100 * one->share);
        } else {
            doc_number(line, "%s", "");
        }
    }
    struct doc_node *block = doc_add(doc, DOC_PARAGRAPH, NULL);
    bool unknown = !table && memo->crossings_missing;
    doc_text(block, table || unknown ? "Where two strategies cost the same along " : "Along ");
    doc_code(block, memo->axis->name);
    doc_text(block, "%s%s",
             table
                 ? ": of those that cost least somewhere, Linux, and those that the study compares"
             : unknown ? " is not known"
                       : " the best strategy, Linux and those that the study compares do not cross",
             memo->crossings_missing ? ": simulations failed." : ".");
    memo_put_sampling(memo, &sampling, doc);
}

#define SWING_ROWS 12

/* Each setting once, in the place where it does most. */
static bool first_of_key(const struct memo *memo, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(memo->swing[i].key, memo->swing[index].key) == 0) {
            return false;
        }
    }
    return true;
}

static void put_swings(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"assumption",
                                        ">from",
                                        ">to",
                                        "evidence",
                                        ">lead there (from)",
                                        ">lead there (to)",
                                        "case",
                                        "changes the best"};
    enum unit unit = metric_quantity(memo->metric[0]);
    struct doc_node *table = doc_table(doc, names, 8);
    size_t rows = 0;
    for (size_t i = 0; i < memo->swings && rows < SWING_ROWS; i++) {
        const struct memo_swing *swing = &memo->swing[i];
        char low[QUANTITY_TEXT], high[QUANTITY_TEXT], words[MEMO_TEXT];
        size_t turned = 0;
        if (!first_of_key(memo, i)) {
            continue;
        }
        for (size_t k = 0; k < memo->swings; k++) {
            turned += memo->swing[k].turns && strcmp(memo->swing[k].key, swing->key) == 0;
        }
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        rows++;
        if (swing->model) {
            doc_cell(line, "%s", swing->model);
        } else {
            doc_code(doc_add(line, DOC_CELL, NULL), swing->key);
        }
        doc_number(line, "%s", swing->low_text);
        doc_number(line, "%s", swing->high_text);
        doc_cell(line, "%s", swing->evidence);
        doc_number(line, "%s", quantity_value(swing->at_low, unit, low));
        doc_number(line, "%s", quantity_value(swing->at_high, unit, high));
        doc_cell(line, "%s", memo_place_words(memo, memo->place[swing->place], words));
        doc_cell(line,
                 turned == 0         ? "no"
                 : memo->places == 1 ? "yes"
                                     : "in %zu of %zu cases",
                 turned, memo->places);
    }
}

static void say_estimate(const struct memo *memo, struct doc_node *words)
{
    if (memo->estimated == 0) {
        return;
    }
    doc_text(words, " Where actors wait for each other ");
    if (memo->places > 1) {
        doc_text(words, "(%zu of %zu cases) ", memo->estimated, memo->places);
    }
    doc_text(words,
             "the lead is taken as linear in what events cost; in the study's draws that is off by "
             "%.2g %% at most. What turns the answer there, and what moves it most, is played.",
             100 * memo->estimate_off);
}

/* What costs the same as the best one is not the next: where there is one answer, both by name. */
static void put_next(const struct memo *memo, struct doc_node *words)
{
    if (memo->places == 1) {
        const struct memo_scenario *there = memo_place(memo, 0);
        doc_code(words, memo_name(memo, memo_next(memo, there)));
        doc_text(words, " then costs more than ");
        doc_code(words, memo_name(memo, there->best.winner));
    } else {
        doc_text(words, "the next strategy then costs more than the best one");
    }
}

static void put_change(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "4 What would change the answer");
    if (memo->axis && memo->axis->values.count > 1) {
        put_crossings(memo, doc);
    }
    if (memo->swings == 0) {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "%s",
                 memo->swings_missing ? "It is not known: simulations failed."
                                      : "No single assumption moves the lead.");
        return;
    }
    struct doc_node *words = doc_add(doc, DOC_PARAGRAPH, NULL);
    doc_text(words, "Each assumption at either end of its range, all others at their modes, and by "
                    "how much ");
    put_next(memo, words);
    doc_text(words, "; below 0 the answer is the other one. The ends of a workload's keys are "
                    "their own range or, without one, half "
                    "and twice the value.");
    say_estimate(memo, words);
    doc_text(words, "%s", memo->swings_missing ? " Some are left out: simulations failed." : "");
    for (size_t p = 0; p < memo->places && p < 2; p++) {
        memo_swing_figure(memo, p, doc);
    }
    put_swings(memo, doc);
}

/* --- 5: published measurements --- */

static bool first_of_table(const struct memo *memo, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(memo->published[i].table, memo->published[index].table) == 0) {
            return false;
        }
    }
    return true;
}

static void put_table_score(const struct memo *memo, const char *name, struct doc_node *line)
{
    struct memo_range error = MEMO_RANGE_EMPTY;
    size_t rows = 0, inside = 0;
    const char *host = "";
    for (size_t i = 0; i < memo->publisheds; i++) {
        const struct memo_published *one = &memo->published[i];
        if (strcmp(one->table, name) == 0 && one->predicted) {
            rows++;
            inside += one->inside;
            memo_range_take(&error, one->error);
            host = one->host;
        }
    }
    doc_cell(line, "%s", name);
    doc_cell(line, "%s", host);
    doc_number(line, "%zu", rows);
    doc_number(line, "%zu", inside);
    if (rows > 0) {
        char text[QUANTITY_TEXT];
        doc_number(line, "%s", quantity_change_range(error.low, error.high, text));
    } else {
        doc_number(line, "%s", "");
    }
}

/* Whether the study has the machine that a row was measured on. */
static bool is_ours(const struct memo *memo, const struct memo_published *published)
{
    const struct values *machines = &memo->study->role[AXIS_MACHINE]->values;
    bool ours = false;
    for (size_t i = 0; i < machines->count; i++) {
        ours |= memo_measured_on(memo, published, machines->text[i]);
    }
    return ours;
}

static void put_rows(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"table",     "row",    "machine", "operation", "role",
                                        ">measured", ">model", ">error",  "within"};
    struct doc_node *table = NULL;
    for (size_t i = 0; i < memo->publisheds; i++) {
        const struct memo_published *one = &memo->published[i];
        char text[QUANTITY_TEXT];
        if (!is_ours(memo, one)) {
            continue;
        }
        table = table
                    ? table
                    : doc_table(doc_add(doc, DOC_DETAILS, "All rows of these machines"), names, 9);
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        doc_cell(line, "%s", one->table);
        doc_cell(line, "%s", one->row);
        doc_cell(line, "%s", one->host);
        doc_cell(line, "%s", one->phase);
        doc_cell(line, "%s", one->predicted ? "predicted" : "fitted to");
        doc_number(line, "%s", quantity_value(one->measured, one->unit, text));
        doc_number(line, "%s", quantity_band(one->band, one->unit, text));
        doc_number(line, "%s", quantity_change(one->error, text));
        doc_cell(line, "%s", one->inside ? "yes" : "no");
    }
}

/* Machines of the study that somebody published figures of. */
static void put_machine_figures(const struct memo *memo, struct doc_node *doc)
{
    const struct axis *machine = memo->study->role[AXIS_MACHINE];
    size_t pictures = 0;
    for (size_t m = 0; m < machine->values.count; m++) {
        const char *name = machine->values.text[m];
        bool answered = false;
        size_t rows = 0;
        for (size_t p = 0; p < memo->places; p++) {
            answered |= study_digit(machine, memo->place[p]) == m;
        }
        for (size_t i = 0; i < memo->publisheds; i++) {
            const struct memo_published *one = &memo->published[i];
            rows += one->predicted && memo_measured_on(memo, one, name);
        }
        if (rows == 0) {
            char words[MEMO_TEXT];
            doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "No figure of %s is published.",
                     words_value(machine->name, name, machine->kind, words));
        } else if (answered) {
            memo_published_figure(memo, name, ++pictures, doc);
        }
    }
}

static void put_validation(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"published table", "machine", ">rows predicted",
                                        ">within p10 to p90", ">error"};
    doc_heading(doc, "5 How well the model does");
    if (memo->publisheds == 0) {
        struct doc_node *block = doc_add(doc, DOC_PARAGRAPH, NULL);
        doc_text(block, "No table of predictions against published measurements was found; ");
        doc_code(block, "s2flush validate");
        doc_text(block, " makes one.");
        return;
    }
    put_machine_figures(memo, doc);
    struct doc_node *table = doc_table(doc, names, 5);
    for (size_t i = 0; i < memo->publisheds; i++) {
        if (first_of_table(memo, i)) {
            put_table_score(memo, memo->published[i].table, doc_add(table, DOC_ROW, NULL));
        }
    }
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "Published are unmaps, faults and permission changes, none of a reboot. %s%s.",
             memo->validated_by[0] ? "The table was made by "
                                   : "The table does not say what made it",
             memo->validated_by);
    put_rows(memo, doc);
}

/* --- 7: conditions --- */

static void put_strategies(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"strategy", "what it does", "exists", "coherent",
                                        "what to know"};
    struct doc_node *table = doc_table(doc, names, 5);
    for (size_t s = 0; s < memo->strategies; s++) {
        const struct strategy *one = memo->study->strategies[s];
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        char caveat[STRATEGY_CAVEAT_BYTES], stale[MEMO_TEXT] = "";
        unsigned conditions = 0;
        bool unread = true;
        const char *hypothetical = memo_place(memo, 0)->verdict[s].hypothetical;
        for (size_t p = 0; p < memo->places; p++) {
            const struct memo_scenario *there = memo_place(memo, p);
            conditions |= there->verdict[s].worst == ONLY_IF ? there->verdict[s].conditions : 0;
            unread &= there->verdict[s].worst == NOT_READ;
            for (int reader = 0; reader < READERS; reader++) {
                size_t used = strlen(stale);
                if (there->reader[s][reader].outcome == STALE &&
                    !strstr(stale, reader_name[reader])) {
                    snprintf(stale + used, sizeof stale - used, "%s%s", used ? ", " : "",
                             reader_name[reader]);
                }
            }
        }
        doc_code(doc_add(line, DOC_CELL, NULL), one->name);
        doc_cell(line, "%s", one->title);
        doc_cell(line, "%s",
                 hypothetical    ? hypothetical
                 : one->upstream ? "in Linux"
                                 : "not in Linux");
        struct doc_node *coherent = doc_add(line, DOC_CELL, NULL);
        if (stale[0]) {
            doc_text(coherent, "no: %s", stale);
        } else {
            doc_text(coherent, "%s%s",
                     conditions ? "only if "
                     : unread   ? MEMO_UNREAD
                                : "yes",
                     memo_condition(conditions));
        }
        memo_put_seen(memo, s, coherent);
        doc_cell(line, "%s", strategy_caveat(one, caveat, sizeof caveat));
    }
}

/* Which draws were not played. */
static void say_fitted(const struct memo *memo, struct doc_node *words)
{
    size_t fitted = 0, played = 0;
    for (size_t i = 0; i < memo->scenarios; i++) {
        fitted += memo->scenario[i].fitted;
        played += memo->scenario[i].played;
    }
    if (fitted > 0) {
        doc_text(words,
                 " Where actors wait for each other %.0f %% of the draws were not played: they are "
                 "fitted to those that were, as far as these foresee each other (",
                 100 * (double)fitted / (double)(fitted + played));
        doc_code(words, "fitted");
        doc_text(words, " in rows.csv).");
    }
}

static void put_conditions(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "7 Conditions");
    struct doc_node *bands = doc_add(doc, DOC_PARAGRAPH, NULL);
    doc_text(bands, "%s",
             memo->runs > 1
                 ? "Bands show what is not known of the machine's costs, and how far the model is "
                   "off on published measurements; all strategies have the same draws of both. "
                   "Runs have no noise of their own."
                 : "Every cost is at its mode: how sure the answer is is not known.");
    say_fitted(memo, bands);
    put_strategies(memo, doc);
    memo_seen_table(memo, doc);
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        const struct axis *axis = &memo->study->axes[i];
        char words[MEMO_TEXT];
        if (axis->values.count > 1 && !memo->facet[i] && axis->role != AXIS_STRATEGY &&
            study_memo_case(memo->study, i) == SIZE_MAX) {
            doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
                     "The study names no %s for its answer; of its %zu values %s is taken.",
                     axis->name, axis->values.count,
                     memo_axis_words(memo, axis, memo->place[0], words));
        }
    }
}

/* --- 8: the scenario --- */

struct setting_table {
    struct doc_node *table;
    const char *of;
};

/* Costs come as several lines of their own section; one line has them all. */
static void put_setting(void *context, const struct setting_line *line)
{
    struct setting_table *into = context;
    struct doc_node *row = doc_add(into->table, DOC_ROW, NULL);
    bool own = strcmp(line->section, into->of) == 0;
    doc_cell(row, "%s%s%s", into->of, own ? "" : " ", own ? "" : line->section);
    doc_code(doc_add(row, DOC_CELL, NULL), line->key);
    doc_cell(row, "%s", line->value);
    doc_cell(row, "%s", line->note ? line->note : "");
}

static void put_cost(struct doc_node *table, const struct platform *platform, enum cost_id id)
{
    const struct cost *cost = &platform->cost[id];
    enum unit unit = cost_entry[id].unit;
    char low[48], mode[48], high[48];
    struct doc_node *row = doc_add(table, DOC_ROW, NULL);
    doc_cell(row, "cost");
    doc_code(doc_add(row, DOC_CELL, NULL), cost_name[id]);
    doc_cell(row, "%s, %s to %s", unit_format(cost->mode, unit, mode, sizeof mode),
             unit_format(cost->low, unit, low, sizeof low),
             unit_format(cost->high, unit, high, sizeof high));
    doc_cell(row, "%s: %s", cost->evidence, cost->source);
}

static void put_case(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"of", "key", "value", "source"};
    char words[2 * MEMO_TEXT];
    struct setup setup;
    struct error unused;
    doc_heading(doc, "8 The scenario");
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "%s.", memo_scenario_words(memo, false, words));
    for (size_t i = 0; i < memo->merges; i++) {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
                 "%s: within 0.1 %% of another case in every figure, and not shown apart.",
                 memo_place_words(memo, memo->merged[i], words));
    }
    if (!study_setup(memo->study, memo->place[0], &setup, &unused)) {
        return;
    }
    struct doc_node *details = doc_add(doc, DOC_DETAILS, "Every setting");
    struct doc_node *table = doc_table(details, names, 4);
    struct setting_table into = {table, "workload"};
    setup_list_said(setup.workload, put_setting, &into);
    for (int id = 0; id < COSTS; id++) {
        put_cost(table, &setup.platform, (enum cost_id)id);
    }
    into.of = "kernel";
    setup_list_kernel(&setup.kernel, put_setting, &into);
    setup_free(&setup);
}

/* --- 9: data --- */

/* Appends a word as a shell takes it, whole or not at all; a control character would mean
 * something to a terminal. */
static void add_word(char *buf, size_t size, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./=,:%+-";
    size_t used = strlen(buf), needed = sizeof " ''";
    bool quote = word[0] == '\0' || word[strspn(word, plain)];
    for (const char *at = word; *at; at++) {
        needed += *at == '\'' ? 4 : 1;
    }
    if (needed > size - used) {
        snprintf(buf + used, size - used, " ...");
        return;
    }
    used += (size_t)snprintf(buf + used, size - used, " %s", quote ? "'" : "");
    for (; *word; word++) {
        unsigned char c = (unsigned char)*word;
        used += (size_t)snprintf(buf + used, size - used, c == '\'' ? "'\\''" : "%c",
                                 c < 0x20 || c == 0x7f ? '?' : c);
    }
    snprintf(buf + used, size - used, "%s", quote ? "'" : "");
}

static void put_command(const struct memo *memo, const char *command, const char *folder,
                        struct doc_node *block)
{
    const struct study *study = memo->study;
    char line[4096];
    snprintf(line, sizeof line, "s2flush %s", command);
    add_word(line, sizeof line, strncmp(study->path, "./", 2) == 0 ? study->path + 2 : study->path);
    for (size_t i = 0; i < study->change_count; i++) {
        add_word(line, sizeof line, "--set");
        add_word(line, sizeof line, study->changes[i]);
    }
    add_word(line, sizeof line, "-o");
    add_word(line, sizeof line, folder);
    doc_text(block, "%s", line);
}

static void add_option(char *line, size_t size, const char *option, const char *value)
{
    add_word(line, size, option);
    add_word(line, size, value);
}

/* What sets a key, where that changes what is played: `explain` refuses it elsewhere. */
static void add_key(char *line, size_t size, const struct setup *setup, const char *key,
                    const char *value)
{
    char word[400];
    if (!setup_without_effect(setup, key)) {
        snprintf(word, sizeof word, "%s=%.300s", key, value);
        add_option(line, size, "--set", word);
    }
}

/* What shows a strategy's run in the first place over time. */
static void put_timeline(const struct memo *memo, size_t strategy, struct doc_node *block)
{
    const struct study *study = memo->study;
    char line[4096] = "s2flush explain", path[STUDY_VALUE_PATH], name[STRATEGY_NAME_BYTES + 8];
    const struct axis *workload = study->role[AXIS_WORKLOAD];
    const struct axis *strategies = study->role[AXIS_STRATEGY];
    struct setup setup;
    struct error unused;
    size_t point = memo_with(strategies, memo->place[0], strategy);
    if (!study_setup(study, point, &setup, &unused)) {
        return;
    }
    add_word(line, sizeof line,
             study_value_path(study, workload, study_digit(workload, point), path));
    if (!strategy_find(memo_name(memo, strategy), &unused)) {
        add_option(line, sizeof line, "--study", study->path);
    }
    add_option(line, sizeof line, "--strategy", memo_name(memo, strategy));
    for (size_t i = 0; i < study->setting_count; i++) {
        const struct setting *setting = &study->settings[i];
        if (strcmp(setting->key, "workload") != 0 && !groups_axis(study, setting->key)) {
            add_key(line, sizeof line, &setup, setting->key, setting->text);
        }
    }
    for (size_t i = 0; i < study->axis_count; i++) {
        const struct axis *axis = &study->axes[i];
        size_t digit = study_digit(axis, point);
        switch (axis->role) {
        case AXIS_MACHINE:
            add_option(line, sizeof line, "--machine", study_value_path(study, axis, digit, path));
            break;
        case AXIS_KERNEL:
            add_option(line, sizeof line, "--kernel", axis->values.text[digit]);
            break;
        case AXIS_KEY:
            add_key(line, sizeof line, &setup, axis->name, axis->values.text[digit]);
            break;
        case AXIS_WORKLOAD:
        case AXIS_STRATEGY:
            break;
        }
    }
    snprintf(name, sizeof name, "%s.json", memo_name(memo, strategy));
    add_option(line, sizeof line, "--timeline", name);
    doc_text(block, "%s", line);
    setup_free(&setup);
}

/* The way from a folder to a file, where both are below the same one; false where they are not. */
static bool way_to(const char *folder, const char *path, char *way, size_t size)
{
    size_t used = 0;
    bool inside =
        folder[0] != '/' && path[0] != '/' && !strstr(folder, "..") && !strstr(path, "..");
    for (const char *at = folder; *at && inside && used + 3 < size;) {
        size_t length = strcspn(at, "/");
        bool here = length == 0 || (length == 1 && at[0] == '.');
        used += (size_t)snprintf(way + used, size - used, "%s", here ? "" : "../");
        at += length + (at[length] == '/');
    }
    path += strncmp(path, "./", 2) == 0 ? 2 : 0;
    return inside && (size_t)snprintf(way + used, size - used, "%s", path) < size - used;
}

/* The files that are there, and the study that they come from. */
static void put_files(const struct memo *memo, const char *folder, struct doc_node *doc)
{
    static const struct {
        const char *name, *what;
    } files[] = {{"rows.csv", "every metric of every point"},
                 {"run.json", "every setting with its source; the first line below makes it"},
                 {"samples.db", "every draw of what was played, an SQLite file, made so, too"},
                 {"map.csv", "who costs least where"},
                 {"breakeven.csv", "where strategies cost the same"},
                 {"sensitivity.csv", "which cost matters how much"}};
    char way[4096];
    struct doc_node *list = doc_add(doc, DOC_LIST, NULL);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[4096];
        int used = snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        if (used > 0 && (size_t)used < sizeof path && access(path, F_OK) == 0) {
            struct doc_node *item = doc_add(list, DOC_ITEM, NULL);
            doc_link(item, files[i].name, files[i].name);
            doc_text(item, ": %s", files[i].what);
        }
    }
    memo_list_timelines(memo, list);
    struct doc_node *item = doc_add(list, DOC_ITEM, NULL);
    if (way_to(folder, memo->study->path, way, sizeof way)) {
        doc_link(item, memo->study->name, way);
    } else {
        doc_code(item, memo->study->path);
    }
    doc_text(item, ": the study");
}

static void put_data(const struct memo *memo, const char *folder, struct doc_node *doc)
{
    const struct study *study = memo->study;
    doc_heading(doc, "9 Data");
    put_files(memo, folder, doc);
    doc_text(
        doc_add(doc, DOC_PARAGRAPH, NULL),
        "What repeats it, and what shows the strategy that costs least and Linux over time, for "
        "Perfetto:");
    struct doc_node *commands = doc_add(doc, DOC_COMMANDS, NULL);
    put_command(memo, "run", folder, commands);
    put_command(memo, "memo", folder, commands);
    size_t winner = memo_place(memo, 0)->best.winner;
    if (winner != WINNER_NONE) {
        put_timeline(memo, winner, commands);
    }
    if (memo->upstream != SIZE_MAX && memo->upstream != winner) {
        put_timeline(memo, memo->upstream, commands);
    }
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "s2flush %s; study %s, seed %" PRIu64 ", %" PRIu64 " draws in %" PRIu64
             " shifts. The same seed gives the same figures.",
             version_program, study->name, study->seed, study->draws, study->shifts);
}

/* --- all of it --- */

struct doc_node *memo_write(const struct memo *memo, const char *folder)
{
    struct doc_node *doc = doc_new();
    memo_answer(memo, doc);
    memo_figures(memo, doc);
    memo_comparison(memo, doc);
    put_change(memo, doc);
    memo_put_played(memo, doc);
    put_validation(memo, doc);
    memo_machines(memo, doc);
    put_conditions(memo, doc);
    put_case(memo, doc);
    put_data(memo, folder, doc);
    doc_drop_empty_columns(doc);
    return doc;
}
