/*
 * mistakes - what people get wrong in a value, derived from an option's row, and
 * what has to be said about it.
 *
 * Every mistake follows from the row's kind, unit and range: a value that the
 * row allows is never among them.
 */
#ifndef S2FLUSH_TESTS_MISTAKES_H
#define S2FLUSH_TESTS_MISTAKES_H

#include "check.h"

#include "core/error.h"
#include "core/option.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define MISTAKE_BYTES 400
#define FAILURES_SHOWN 25

/* How many bad inputs were tried, and how many were not answered as they should. */
struct tally {
    unsigned tried, failed;
};

/* Where a message has to point, and the text it has to quote; NULL: any. */
struct expectation {
    const char *file, *key, *found;
    unsigned line;
};

static inline void tally_end(const char *what, const struct tally *tally)
{
    printf("bad inputs tried: %u (%s)\n", tally->tried, what);
    assert_int_equal(tally->failed, 0);
    assert_true(tally->tried > 0);
}

/* A message that says what is wrong also says what would be right. */
static inline bool says_what_is_right(const char *text)
{
    static const char *const words[] = {"expected", "did you mean", "(valid:", "belongs in"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    return false;
}

static inline bool points_there(const char *text, const struct expectation *wanted)
{
    char place[1400];
    size_t used = 0;
    if (wanted->file) {
        used += (size_t)snprintf(place + used, sizeof place - used, "%s:", wanted->file);
    }
    if (wanted->line) {
        used += (size_t)snprintf(place + used, sizeof place - used, "%u: ", wanted->line);
    }
    if (wanted->key) {
        snprintf(place + used, sizeof place - used, "%s%s: ", wanted->line || !used ? "" : " ",
                 wanted->key);
    }
    return strncmp(text, place, strlen(place)) == 0;
}

/* Messages show the first 80 bytes of what was found, control characters as \xNN. */
static inline bool quotes(const char *text, const char *found)
{
    char quoted[48], bare[48];
    snprintf(quoted, sizeof quoted, "'%.40s", found);
    snprintf(bare, sizeof bare, "found %.40s", found);
    return strstr(text, quoted) || strstr(text, bare);
}

/* Why a message is not what it should be; NULL: it is. */
static inline const char *complaint(bool accepted, const struct error *err,
                                    const struct expectation *wanted)
{
    if (accepted) {
        return "accepted";
    }
    if (err->status != EXIT_INPUT) {
        return "another status than 2";
    }
    if (strchr(err->text, '\n') || err->text[0] == '\0') {
        return "not one line";
    }
    if (!points_there(err->text, wanted)) {
        return "not the place";
    }
    if (wanted->found && !quotes(err->text, wanted->found)) {
        return "not what was found";
    }
    return says_what_is_right(err->text) ? NULL : "not what would be right";
}

static inline void judge(struct tally *tally, const char *what, bool accepted,
                         const struct error *err, const struct expectation *wanted)
{
    const char *why = complaint(accepted, err, wanted);
    tally->tried++;
    if (why && tally->failed++ < FAILURES_SHOWN) {
        print_error("%s: line %u, %s, '%.60s': %s: %s\n", what, wanted->line,
                    wanted->key ? wanted->key : "-", wanted->found ? wanted->found : "-", why,
                    accepted ? "" : err->text);
    }
}

typedef void (*mistake_fn)(void *context, const struct option_row *row, const char *text);

/* ---- Numbers ---- */

static inline void junk_numbers(const struct option_row *row, mistake_fn each, void *context)
{
    static const char *const junk[] = {
        "",      "abc",   "?",     "-",    "+",          ".",     "e5",       "1e",
        "1e+",   "0x10",  "0X1F",  "nan",  "NaN",        "inf",   "-inf",     "infinity",
        "1e999", "--1",   "+-1",   "1 2",  "0,5",        "1_000", "3 apples", "3xyz",
        "\"3\"", "%",     "$HOME", "`id`", "=1",         "1/2",   "10%%",     "0b1",
        "1e5e5", "1.2.3", "(1)",   "1;2",  "1#2",        "null",  "None",     "true",
        "１",    "−1",    "1 000", "∞",    "1e-999999x", "0.1.",  "-nan",     "1n",
    };
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        bool address = row->unit == UNIT_ADDRESS && junk[i][0] == '0' && junk[i][1] != 'b' &&
                       toupper((unsigned char)junk[i][1]) == 'X';
        if (!address) {
            each(context, row, junk[i]);
        }
    }
}

static inline void wrong_units(const struct option_row *row, mistake_fn each, void *context)
{
    static const struct {
        const char *text;
        enum unit unit;
    } spelled[] = {{"3GHz", UNIT_GHZ},   {"3GB/s", UNIT_GBPS}, {"3ns", UNIT_NS},
                   {"3ms", UNIT_NS},     {"3s", UNIT_NS},      {"3M", UNIT_BYTES},
                   {"3KiB", UNIT_BYTES}, {"30%", UNIT_RATIO},  {"3 ns", UNIT_NS},
                   {"3GiB", UNIT_BYTES}};
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        bool bytes = row->unit == UNIT_ADDRESS && spelled[i].unit == UNIT_BYTES;
        if (spelled[i].unit != row->unit && !bytes) {
            each(context, row, spelled[i].text);
        }
    }
}

static inline void number_outside(const struct option_row *row, double value, mistake_fn each,
                                  void *context)
{
    char text[64];
    bool outside = value < row->low || value > row->high;
    bool whole = row->kind == OPTION_WHOLE && value >= 0 && value < 1e19;
    if (outside && isfinite(value)) {
        each(context, row,
             whole ? unit_format_whole((uint64_t)value, row->unit, text, sizeof text)
                   : unit_format(value, row->unit, text, sizeof text));
    }
}

/* Values just outside, and far outside, of what the row allows. */
static inline void outside_range(const struct option_row *row, mistake_fn each, void *context)
{
    double low = row->low, high = row->high;
    const double tried[] = {
        0,        -1,       -0.5,        -1e-9,      low - 1, low / 2, low / 1024,
        high + 1, high * 2, high * 1.01, high * 1e3, 1e24,    1e300,   nextafter(high, INFINITY)};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        bool exact = row->kind == OPTION_REAL || fabs(high) < 0x1p52 || tried[i] > high * 1.001 ||
                     tried[i] < low;
        bool whole = row->kind != OPTION_WHOLE || floor(tried[i]) >= tried[i] || tried[i] < 0;
        if (exact && whole) {
            number_outside(row, tried[i], each, context);
        }
    }
    if (row->high < 1e19) {
        each(context, row, "18446744073709551616");
        each(context, row, "99999999999999999999999999");
    }
    if (row->kind == OPTION_WHOLE) {
        each(context, row, "0.3");
        each(context, row, "1.0000001");
    }
}

/* ---- Words ---- */

static inline bool is_choice(const struct option_row *row, const char *text)
{
    for (const struct choice *choice = row->choices; choice->word; choice++) {
        if (strcmp(choice->word, text) == 0) {
            return true;
        }
    }
    return false;
}

static inline void wrong_choice(const struct option_row *row, const char *text, mistake_fn each,
                                void *context)
{
    if (!is_choice(row, text)) {
        each(context, row, text);
    }
}

static inline void wrong_choices(const struct option_row *row, mistake_fn each, void *context)
{
    static const char *const junk[] = {"", "0", "-1", "none of these", "?", "4 k", "nan", "fast,"};
    char text[MISTAKE_BYTES];
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        wrong_choice(row, junk[i], each, context);
    }
    for (const struct choice *choice = row->choices; choice->word; choice++) {
        const char *good = choice->word;
        snprintf(text, sizeof text, "%sx", good);
        wrong_choice(row, text, each, context);
        snprintf(text, sizeof text, "%s", good + 1);
        wrong_choice(row, text, each, context);
        snprintf(text, sizeof text, "%s %s", good, good);
        wrong_choice(row, text, each, context);
        snprintf(text, sizeof text, "%s", good);
        text[0] = (char)toupper((unsigned char)text[0]);
        wrong_choice(row, text, each, context);
        snprintf(text, sizeof text, "\"%s\"", good);
        wrong_choice(row, text, each, context);
    }
}

static inline void wrong_flags(const struct option_row *row, mistake_fn each, void *context)
{
    static const char *const junk[] = {"",     "maybe", "YES", "2",   "-1",      "yes no", "y",
                                       "tru",  "1.0",   "01",  "nan", "\"yes\"", "t",      "No",
                                       "both", "oui",   "00",  "0x1", "yes.",    "!"};
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        each(context, row, junk[i]);
    }
}

/* All mistakes in a value of that row that stands alone; lists are where only
 * one value is expected. */
static inline void each_mistake(const struct option_row *row, mistake_fn each, void *context)
{
    if (row->kind == OPTION_REAL || row->kind == OPTION_WHOLE) {
        junk_numbers(row, each, context);
        wrong_units(row, each, context);
        outside_range(row, each, context);
    } else if (row->kind == OPTION_CHOICE) {
        wrong_choices(row, each, context);
    } else if (row->kind == OPTION_FLAG) {
        wrong_flags(row, each, context);
    }
}

static inline void each_list(const struct option_row *row, mistake_fn each, void *context)
{
    char text[MISTAKE_BYTES];
    if (row->kind == OPTION_CHOICE) {
        snprintf(text, sizeof text, "%s, %s", row->choices[0].word, row->choices[0].word);
        each(context, row, text);
    } else if (row->kind == OPTION_FLAG) {
        each(context, row, "yes, no");
    } else if (row->kind != OPTION_TEXT) {
        each(context, row, "1, 2");
        each(context, row, "1..2 +1");
        each(context, row, "1,");
    }
}

#endif
