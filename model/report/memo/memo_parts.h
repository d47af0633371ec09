/*
 * memo_parts - what the files behind memo.h share; not for others.
 */
#ifndef S2FLUSH_REPORT_MEMO_MEMO_PARTS_H
#define S2FLUSH_REPORT_MEMO_MEMO_PARTS_H

#include "core/csv.h"
#include "report/memo/memo.h"
#include "study/breakeven.h"
#include "study/metrics.h"
#include "study/study.h"

#include <jansson.h>

struct error;

/* Answers side by side; more would be no answer. */
#define MEMO_PLACES 12

enum memo_table_id {
    MEMO_ROWS,
    MEMO_MAP,
    MEMO_BREAKEVEN,
    MEMO_CURVES,
    MEMO_SENSITIVITY,
    MEMO_INFORMATION,
    MEMO_TARGET,
    MEMO_VALIDATION,
    MEMO_TABLES
};

struct memo_table {
    const char *name; /* of the file */
    char path[4096];
    struct csv csv;
    bool there;
};

struct memo_axis {
    const char *name;
    bool number;
    enum unit unit;
    json_t *values; /* texts */
    size_t count, stride;
    double *numbers; /* NULL where it has none */
    size_t fixed; /* the value that the case names; SIZE_MAX: none */
};

/* One situation: a value of each axis. The strategy's does not count. */
struct memo_place {
    size_t digit[STUDY_AXES];
};

struct memo {
    const char *folder;
    json_t *run;
    struct memo_table table[MEMO_TABLES];
    char metric[64];
    struct memo_axis axis[STUDY_AXES];
    size_t axes, strategy; /* index of that axis */
    size_t points, *row; /* [points]: of rows.csv with the metric */
    const char *breakeven, *compare[2]; /* NULL: not given */
    bool given, what_if;

    struct memo_place place[MEMO_PLACES];
    size_t places;
    bool facet[STUDY_AXES]; /* the places differ in it */
};

/* --- run.json --- */

/* A text below an object by the names of its members; "" where there is none. */
#define memo_text(object, ...) memo_text_at(object, (const char *const[]){__VA_ARGS__, NULL})
const char *memo_text_at(const json_t *object, const char *const *names);
const char *memo_value(const struct memo_axis *axis, size_t digit);

/* The name of a table's file in the folder. */
const char *memo_table_name(enum memo_table_id id);

/* Reads the tables and checks that they belong together. */
bool memo_read_tables(struct memo *memo, struct error *err);

/* Whether the other tables say of places and strategies what rows.csv says; false with
 * a line that names the first cell that does not. The tables must have been read. */
bool memo_check_tables(const struct memo *memo, struct error *err);

/* The index of a value among those of an axis; SIZE_MAX: the study has it not. */
size_t memo_digit(const struct memo_axis *axis, const char *text);

/* The value that a row has on an axis: in the axis's own column, or as the x or y
 * of a map. NULL: the table has it not. */
const char *memo_axis_cell(const struct csv *csv, size_t row, const char *name);

/* --- rows --- */

size_t memo_row(const struct memo *memo, const struct memo_place *place, size_t strategy);
const char *memo_cell(const struct memo *memo, enum memo_table_id table, size_t row,
                      const char *column);
/* NAN where the cell is empty. */
double memo_number(const struct memo *memo, enum memo_table_id table, size_t row,
                   const char *column);

/* Median, p10 and p90 of a strategy at a place; where there are no draws the
 * value at the modes, and NANs. */
struct memo_band {
    double mid, p10, p90;
};
struct memo_band memo_band(const struct memo *memo, const struct memo_place *place,
                           size_t strategy);

/* The same of a row of rows.csv. */
struct memo_band memo_row_band(const struct memo *memo, size_t row);

bool memo_stale(const struct memo *memo, const struct memo_place *place, size_t strategy);
/* What the machine would have to have: "if it had FWB"; NULL: it exists. */
const char *memo_paper(const struct memo *memo, const struct memo_place *place, size_t strategy);
/* What its verdict leans on; NULL: on nothing. */
const char *memo_condition(const struct memo *memo, const struct memo_place *place,
                           size_t strategy);
const char *memo_caveat(const struct memo *memo, size_t strategy);
const char *memo_strategy(const struct memo *memo, size_t strategy);
/* SIZE_MAX where the study has none of that name. */
size_t memo_find_strategy(const struct memo *memo, const char *name);

/* Whether a row of another table is of that place: its columns that are axes
 * have the place's values. */
bool memo_matches(const struct memo *memo, enum memo_table_id table, size_t row,
                  const struct memo_place *place);

/* The same, but whatever it says of the axes of a map: the row is of the place's
 * panel. */
bool memo_in_panel(const struct memo *memo, enum memo_table_id table, size_t row,
                   const struct memo_place *place);

/* --- who wins --- */

struct memo_choice {
    size_t winner, runner_up; /* SIZE_MAX: nobody */
    double probability; /* share of the draws; NAN: not known */
    size_t sound; /* the best without any condition; SIZE_MAX: nobody */
    double sound_probability;
    size_t real; /* the best that exists, where the winner does not */
    bool decided;
    double draws;
};
struct memo_choice memo_choose(const struct memo *memo, const struct memo_place *place);

/* --- words --- */

/* Whether a list of [memo] has the word. */
bool memo_lists(const struct memo *memo, const char *key, const char *word);

/* Chooses the places that the memo answers for. */
void memo_find_places(struct memo *memo);

/* A value of an axis for people: "16 GiB", "10 %". */
void memo_say_value(const struct memo_axis *axis, const char *text, char *buf, size_t size);
void memo_say_number(const char *unit, double value, char *buf, size_t size);
/* "16 GiB, 10 % touched, backing 4k on kunpeng-920"; `only_facets`: what tells
 * the places apart. */
void memo_say_place(const struct memo *memo, const struct memo_place *place, bool only_facets,
                    char *buf, size_t size);
/* What tells the place from the others, shortest: "4K/thp" where there are two axes. */
void memo_say_facets(const struct memo *memo, const struct memo_place *place, char *buf,
                     size_t size);
/* What of that all places share. */
void memo_say_common(const struct memo *memo, char *buf, size_t size);
/* Three digits, as many as such numbers can bear. */
void memo_say_digits(double value, char *buf, size_t size);
/* "1.3 s (1.1 to 1.6)" */
void memo_say_band(struct memo_band band, char *buf, size_t size);
/* "adds least", by the metric. */
const char *memo_verb(const struct memo *memo);
/* "adds 1.3 s (1.1 to 1.6)", "adds nothing" */
void memo_say_cost(const struct memo *memo, struct memo_band band, char *buf, size_t size);
/* "3.7 times as much"; nothing where the smaller one is next to nothing. */
void memo_say_times(double more, double less, char *buf, size_t size);
/* What the metrics of `also` come to with two strategies, as a sentence. */
void memo_say_also(const struct memo *memo, const struct memo_place *place, size_t first,
                   size_t second, struct doc_node *block);
/* Which values of the break-even axis keep the limits of [memo]: with one strategy,
 * in words; with all of them, as a table. */
void memo_limits_lead(const struct memo *memo, size_t strategy, struct doc_node *block);
void memo_limits_table(const struct memo *memo, struct doc_node *doc);
/* The cost that decides most, place by place; what to measure first. */
void memo_costs_words(const struct memo *memo, struct doc_node *block);
void memo_measure_words(const struct memo *memo, struct doc_node *block);
/* Whether a row of information.csv gains more than chance would. */
bool memo_gains(const struct memo *memo, size_t row);

/* The first sentence of the answer, about all places. */
void memo_headline(const struct memo *memo, struct doc_node *block);

/* Whether one of the places has that value of an axis. */
bool memo_in_places(const struct memo *memo, const char *axis, const char *value);

/* --- sections --- */

void memo_answer(const struct memo *memo, struct doc_node *doc);
void memo_map_section(const struct memo *memo, struct doc_node *doc);
void memo_curve_section(const struct memo *memo, struct doc_node *doc);
void memo_change_section(const struct memo *memo, struct doc_node *doc);
void memo_validation_section(const struct memo *memo, struct doc_node *doc);
void memo_assumption_section(const struct memo *memo, struct doc_node *doc);
void memo_repeat_section(const struct memo *memo, struct doc_node *doc);

/* The median at a row of the curves, or without draws what all modes give. */
double memo_curve_mid(const struct memo *memo, size_t row);
/* What a crossing of two strategies along the break-even axis comes to, and who
 * is cheapest where along it, at one place. */
void memo_breakeven_words(const struct memo *memo, const struct memo_place *place,
                          struct doc_node *block);
/* Where there is an answer for each value of that axis: how the two that are
 * compared fare along it. */
void memo_trend_words(const struct memo *memo, struct doc_node *block);
/* All pairs at all places; those that cross, or may, in front. */
void memo_breakeven_table(const struct memo *memo, struct doc_node *doc);

/* Of a row of breakeven.csv: whether it has the status; a place on its axis as people
 * say it; and where the two cross: the draws' median, which lies in their band, or
 * without draws that at the modes. */
bool memo_has_status(const struct memo *memo, size_t row, enum breakeven_status status);
void memo_say_at(const struct memo *memo, size_t row, double value, char *buf, size_t size);
double memo_crossing_at(const struct memo *memo, size_t row);

/* Which of a pair that does not cross costs less. */
struct throughout {
    const char *winner, *loser;
    char factor[80]; /* "1.83 to 3.24", at the ends of the axis; "": the one costs nothing */
    double share; /* of the draws in which it does all along; NAN: no draws */
};
void memo_find_throughout(const struct memo *memo, size_t row, struct throughout *found);

/* By row of breakeven.csv, whether the words above speak of it. The caller frees it. */
bool *memo_breakeven_marks(const struct memo *memo);

/* A command on the study and into the folder, as a shell takes it: "s2flush map
 * STUDY -o DIR". `more`: further words, or "". */
void memo_say_command(const struct memo *memo, const char *command, const char *more, char *buf,
                      size_t size);

/* The command that makes what is missing, as a paragraph. */
void memo_missing(const struct memo *memo, struct doc_node *doc, const char *what,
                  const char *command, const char *more);

/* Draws a script of bench/plots on the rows of a table (and those of another,
 * that it reads as well) that are of the memo's places; of break-even points
 * only those are marked that the words speak of. Adds the picture, or a paragraph
 * that says why it is not there. */
struct memo_figure {
    const char *script, *name, *note;
    enum memo_table_id table[2];
    size_t tables;
};
void memo_figure(const struct memo *memo, struct doc_node *doc, const struct memo_figure *figure);

#endif
