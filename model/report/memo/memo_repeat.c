/* The last section of a memo: the lines that make it again, and what its rows are of. */
#include "report/memo/memo_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define WORDS 512
#define COMMAND 4096

/* Appends a word as a shell takes it, whole or not at all; a control character
 * would mean something to a terminal. */
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

void memo_say_command(const struct memo *memo, const char *command, const char *more, char *buf,
                      size_t size)
{
    const char *file = memo_text(memo->run, "study", "file");
    const json_t *changes = json_object_get(json_object_get(memo->run, "study"), "changes");
    snprintf(buf, size, "s2flush %s", command);
    add_word(buf, size, strncmp(file, "./", 2) == 0 ? file + 2 : file);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const char *change = json_string_value(json_array_get(changes, i));
        add_word(buf, size, "--set");
        add_word(buf, size, change ? change : "");
    }
    size_t used = strlen(buf);
    snprintf(buf + used, size - used, "%s", more);
    add_word(buf, size, "-o");
    add_word(buf, size, memo->folder);
}

/* The axis of a table as an option. */
static void add_option(const struct memo *memo, enum memo_table_id id, const char *option,
                       const char *column, char *buf, size_t size)
{
    const char *axis = memo->table[id].csv.rows > 0 ? memo_cell(memo, id, 0, column) : "";
    if (axis[0]) {
        add_word(buf, size, option);
        add_word(buf, size, axis);
    }
}

/* Whether the curves go along the values that the study has of their axis. */
static bool own_values(const struct memo *memo, const double *x, size_t count)
{
    const char *name = memo_cell(memo, MEMO_CURVES, 0, "axis");
    for (size_t i = 0; i < memo->axes; i++) {
        const struct memo_axis *axis = &memo->axis[i];
        size_t found = 0;
        for (size_t v = 0; v < axis->count && axis->number && strcmp(axis->name, name) == 0; v++) {
            for (size_t k = 0; k < count; k++) {
                found += axis->numbers[v] == x[k];
            }
        }
        if (found == count && count == axis->count) {
            return true;
        }
    }
    return false;
}

/* The values at which the curves were looked at: those of the first strategy, as they
 * rise. */
static size_t find_values(const struct memo *memo, double x[BREAKEVEN_STEPS_MAX])
{
    size_t count = 0;
    for (size_t row = 0; row < memo->table[MEMO_CURVES].csv.rows; row++) {
        double value = memo_number(memo, MEMO_CURVES, row, "x");
        if (count > 0 && value <= x[count - 1]) {
            break; /* the next strategy's */
        }
        if (count < BREAKEVEN_STEPS_MAX && isfinite(value)) {
            x[count++] = value;
        }
    }
    return count;
}

/* From where to where they went and at how many values, where that was asked for. */
static void add_range(const struct memo *memo, char *buf, size_t size)
{
    double x[BREAKEVEN_STEPS_MAX];
    size_t count = memo->table[MEMO_CURVES].there ? find_values(memo, x) : 0;
    char text[64];
    if (count < 2 || own_values(memo, x, count)) {
        return;
    }
    add_word(buf, size, "--from");
    add_word(buf, size, unit_format_real(x[0], text, sizeof text));
    add_word(buf, size, "--to");
    add_word(buf, size, unit_format_real(x[count - 1], text, sizeof text));
    add_word(buf, size, "--steps");
    snprintf(text, sizeof text, "%zu", count);
    add_word(buf, size, text);
}

static void commands(const struct memo *memo, struct doc_node *doc)
{
    struct doc_node *block = doc_add(doc, DOC_COMMANDS, NULL);
    char line[COMMAND], more[512] = "";
    memo_say_command(memo, "run", "", line, sizeof line);
    doc_text(block, "%s", line);
    if (memo->table[MEMO_BREAKEVEN].there) {
        add_option(memo, MEMO_BREAKEVEN, "--axis", "axis", more, sizeof more);
        add_range(memo, more, sizeof more);
        memo_say_command(memo, "breakeven", more, line, sizeof line);
        doc_text(block, "%s", line);
    }
    if (memo->table[MEMO_MAP].there) {
        more[0] = '\0';
        add_option(memo, MEMO_MAP, "--x", "x_key", more, sizeof more);
        add_option(memo, MEMO_MAP, "--y", "y_key", more, sizeof more);
        memo_say_command(memo, "map", more, line, sizeof line);
        doc_text(block, "%s", line);
    }
    if (memo->table[MEMO_SENSITIVITY].there) {
        memo_say_command(memo, "sensitivity", "", line, sizeof line);
        doc_text(block, "%s", line);
    }
    snprintf(line, sizeof line, "s2flush memo");
    add_word(line, sizeof line, memo->folder);
    doc_text(block, "%s", line);
}

static void hashes(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"situation", "strategy", "config_hash"};
    struct doc_node *table =
        doc_table(doc_add(doc, DOC_DETAILS, "Configurations of the rows above"), names, 3);
    for (size_t p = 0; p < memo->places; p++) {
        char words[2 * WORDS];
        memo_say_place(memo, &memo->place[p], false, words, sizeof words);
        for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
            struct doc_node *line = doc_add(table, DOC_ROW, NULL);
            size_t row = memo_row(memo, &memo->place[p], s);
            doc_cell(line, "%s", words);
            doc_code(doc_add(line, DOC_CELL, NULL), memo_strategy(memo, s));
            doc_code(doc_add(line, DOC_CELL, NULL), memo_cell(memo, MEMO_ROWS, row, "config_hash"));
        }
    }
}

static int64_t whole(const struct memo *memo, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(json_object_get(memo->run, "study"), key));
}

/* The values of an axis that the places have. */
static void say_values(const struct memo *memo, const char *name, struct doc_node *block)
{
    for (size_t i = 0; i < memo->axes; i++) {
        const struct memo_axis *axis = &memo->axis[i];
        size_t said = 0;
        for (size_t v = 0; v < axis->count && strcmp(axis->name, name) == 0; v++) {
            if (memo_in_places(memo, name, memo_value(axis, v))) {
                doc_text(block, "%s", said++ ? ", " : "");
                doc_code(block, memo_value(axis, v));
            }
        }
    }
}

void memo_repeat_section(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "8 How to repeat it");
    commands(memo, doc);
    struct doc_node *block = doc_add(doc, DOC_PARAGRAPH, NULL);
    doc_text(block, "s2flush %s; study ", memo_text(memo->run, "program", "version"));
    doc_code(block, memo_text(memo->run, "study", "name"));
    doc_text(block, ", seed %" PRId64 ", %" PRId64 " draws in %" PRId64 " shifts (%s), machine ",
             whole(memo, "seed"), whole(memo, "draws"), whole(memo, "shifts"),
             memo_text(memo->run, "study", "sequence"));
    say_values(memo, "machine", block);
    doc_text(block, ", workload ");
    say_values(memo, "workload", block);
    doc_text(block, ", kernel ");
    say_values(memo, "kernel", block);
    doc_text(block, ". The same seed gives the same rows.");
    hashes(memo, doc);
}
