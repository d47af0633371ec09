/* The situations that a memo answers for: which they are, who wins in them, and
 * how they are called. */
#include "report/memo/memo_parts.h"

#include "report/cells.h"
#include "study/winner_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- one strategy at one place --- */

size_t memo_row(const struct memo *memo, const struct memo_place *place, size_t strategy)
{
    size_t point = 0;
    for (size_t i = 0; i < memo->axes; i++) {
        point += memo->axis[i].stride * (i == memo->strategy ? strategy : place->digit[i]);
    }
    return memo->row[point];
}

struct memo_band memo_band(const struct memo *memo, const struct memo_place *place, size_t strategy)
{
    return memo_row_band(memo, memo_row(memo, place, strategy));
}

struct memo_band memo_row_band(const struct memo *memo, size_t row)
{
    bool drawn = memo_number(memo, MEMO_ROWS, row, "n") > 0;
    return (struct memo_band){memo_number(memo, MEMO_ROWS, row, drawn ? "p50" : "mode"),
                              drawn ? memo_number(memo, MEMO_ROWS, row, "p10") : NAN,
                              drawn ? memo_number(memo, MEMO_ROWS, row, "p90") : NAN};
}

bool memo_stale(const struct memo *memo, const struct memo_place *place, size_t strategy)
{
    size_t row = memo_row(memo, place, strategy);
    return strcmp(memo_cell(memo, MEMO_ROWS, row, "verdict"), "stale") == 0;
}

const char *memo_paper(const struct memo *memo, const struct memo_place *place, size_t strategy)
{
    const char *why = memo_cell(memo, MEMO_ROWS, memo_row(memo, place, strategy), "hypothetical");
    return why[0] == '\0' || strcmp(why, "no") == 0 ? NULL : why;
}

const char *memo_condition(const struct memo *memo, const struct memo_place *place, size_t strategy)
{
    size_t row = memo_row(memo, place, strategy);
    bool leans = strcmp(memo_cell(memo, MEMO_ROWS, row, "verdict"), "only-if") == 0;
    return leans ? memo_cell(memo, MEMO_ROWS, row, "condition") : NULL;
}

const char *memo_strategy(const struct memo *memo, size_t strategy)
{
    return memo_value(&memo->axis[memo->strategy], strategy);
}

size_t memo_find_strategy(const struct memo *memo, const char *name)
{
    const struct memo_axis *axis = &memo->axis[memo->strategy];
    for (size_t i = 0; i < axis->count; i++) {
        if (strcmp(memo_value(axis, i), name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

const char *memo_caveat(const struct memo *memo, size_t strategy)
{
    return memo_text(memo->run, "configuration", "strategies", memo_strategy(memo, strategy),
                     "strategy", "caveat");
}

/* --- who wins --- */

enum among { AMONG_ALL, AMONG_SOUND, AMONG_REAL };

/* The one with the lowest median among those that may win and are not `except`. */
static size_t cheapest(const struct memo *memo, const struct memo_place *place, enum among among,
                       size_t except)
{
    size_t best = SIZE_MAX;
    double least = INFINITY;
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        double mid = memo_band(memo, place, s).mid;
        bool paper = memo_paper(memo, place, s) && (among == AMONG_REAL || !memo->what_if);
        bool leans = among == AMONG_SOUND && memo_condition(memo, place, s);
        if (s != except && !memo_stale(memo, place, s) && !paper && !leans && mid < least) {
            best = s;
            least = mid;
        }
    }
    return best;
}

static size_t map_row(const struct memo *memo, const struct memo_place *place)
{
    for (size_t row = 0; row < memo->table[MEMO_MAP].csv.rows; row++) {
        if (memo_matches(memo, MEMO_MAP, row, place)) {
            return row;
        }
    }
    return SIZE_MAX;
}

static size_t map_strategy(const struct memo *memo, size_t row, const char *column)
{
    return memo_find_strategy(memo, memo_cell(memo, MEMO_MAP, row, column));
}

struct memo_choice memo_choose(const struct memo *memo, const struct memo_place *place)
{
    size_t row = map_row(memo, place);
    struct memo_choice choice = {.winner = cheapest(memo, place, AMONG_ALL, SIZE_MAX),
                                 .probability = NAN,
                                 .sound = cheapest(memo, place, AMONG_SOUND, SIZE_MAX),
                                 .sound_probability = NAN,
                                 .decided = true};
    if (row != SIZE_MAX) {
        choice.winner = map_strategy(memo, row, "winner");
        choice.probability = memo_number(memo, MEMO_MAP, row, "probability");
        choice.sound = map_strategy(memo, row, "sound_winner");
        choice.sound_probability = memo_number(memo, MEMO_MAP, row, "sound_probability");
        choice.decided = !(choice.probability < MAP_DECIDED);
    }
    choice.runner_up = cheapest(memo, place, AMONG_ALL, choice.winner);
    choice.real = choice.winner != SIZE_MAX && memo_paper(memo, place, choice.winner)
                      ? cheapest(memo, place, AMONG_REAL, SIZE_MAX)
                      : choice.winner;
    choice.draws = memo_number(memo, MEMO_ROWS, memo_row(memo, place, 0), "n");
    return choice;
}

/* --- which places --- */

static size_t count_places(const struct memo *memo)
{
    size_t count = 1;
    for (size_t i = 0; i < memo->axes; i++) {
        count *= memo->facet[i] ? memo->axis[i].count : 1;
    }
    return count;
}

bool memo_lists(const struct memo *memo, const char *key, const char *word)
{
    const json_t *settings = json_object_get(json_object_get(memo->run, "study"), "memo");
    const json_t *list = json_object_get(settings, key);
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);
        if (text && strcmp(text, word) == 0) {
            return true;
        }
    }
    return false;
}

/* An axis that the case does not name makes an answer for each of its values, as
 * long as those are names and the answers few; of numbers the middle one stands
 * for all. */
void memo_find_places(struct memo *memo)
{
    for (size_t i = 0; i < memo->axes; i++) {
        const struct memo_axis *axis = &memo->axis[i];
        bool by = memo_lists(memo, "by", axis->name);
        memo->facet[i] = i != memo->strategy && axis->count > 1 &&
                         (by || (!axis->number && axis->fixed == SIZE_MAX));
        memo->facet[i] = memo->facet[i] && count_places(memo) <= MEMO_PLACES;
    }
    memo->places = count_places(memo);
    for (size_t p = 0; p < memo->places; p++) {
        size_t rest = p;
        for (size_t i = memo->axes; i-- > 0;) {
            const struct memo_axis *axis = &memo->axis[i];
            size_t middle = axis->number ? axis->count / 2 : 0;
            memo->place[p].digit[i] = axis->fixed == SIZE_MAX ? middle : axis->fixed;
            if (memo->facet[i]) {
                memo->place[p].digit[i] = rest % axis->count;
                rest /= axis->count;
            }
        }
    }
}

/* --- words --- */

static void say_bytes(double value, char *buf, size_t size)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    char text[32];
    size_t unit = 0;
    while (unit < 4 && fabs(value) >= 1024) {
        value /= 1024;
        unit++;
    }
    memo_say_digits(value, text, sizeof text);
    snprintf(buf, size, "%s %s", text, names[unit]);
}

void memo_say_number(const char *unit, double value, char *buf, size_t size)
{
    if (strcmp(unit, "bytes") == 0) {
        say_bytes(value, buf, size);
        return;
    }
    if (strcmp(unit, "ns") == 0 && isfinite(value)) {
        memo_say_band((struct memo_band){value, NAN, NAN}, buf, size);
        return;
    }
    for (int i = UNIT_NONE; i <= UNIT_INSNS; i++) {
        if (i != UNIT_NONE && strcmp(unit_name((enum unit)i), unit) == 0) {
            cells_human(value, (enum unit)i, buf, size);
            return;
        }
    }
    snprintf(buf, size, "%.4g", value);
}

void memo_say_value(const struct memo_axis *axis, const char *text, char *buf, size_t size)
{
    double value;
    if (axis->number && unit_parse(text, UNIT_NONE, &value)) {
        memo_say_number(unit_name(axis->unit), value, buf, size);
    } else {
        snprintf(buf, size, "%s", text);
    }
}

void memo_say_digits(double value, char *buf, size_t size)
{
    snprintf(buf, size, fabs(value) >= 999.5 ? "%.0f" : "%.3g", value);
}

/* All three in the unit that suits the middle one. */
void memo_say_band(struct memo_band band, char *buf, size_t size)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    char mid[48], p10[48], p90[48];
    size_t unit = 0;
    while (unit < 3 && fabs(band.mid) < units[unit].ns) {
        unit++;
    }
    double scale = units[unit].ns;
    memo_say_digits(band.mid / scale, mid, sizeof mid);
    if (!isfinite(band.mid)) {
        snprintf(buf, size, "not known");
    } else if (isfinite(band.p10)) {
        memo_say_digits(band.p10 / scale, p10, sizeof p10);
        memo_say_digits(band.p90 / scale, p90, sizeof p90);
        snprintf(buf, size, "%s %s (%s to %s)", mid, units[unit].name, p10, p90);
    } else {
        snprintf(buf, size, "%s %s", mid, units[unit].name);
    }
}

/* How people say a value of an axis: %s is the value. */
static void say_axis(const char *name, const char *value, char *buf, size_t size)
{
    static const struct {
        const char *name, *before, *after;
    } ways[] = {{"footprint", "", " in use"}, {"touched", "", " touched again"},
                {"vcpus", "", " vCPUs"},      {"machine", "", ""},
                {"workload", "", ""},         {"kernel", "kernel ", ""},
                {"backing", "", " backing"},  {"granule", "", " granule"},
                {"dirty", "", " dirty"},      {"workers", "", " workers"}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, name) == 0) {
            bool plural = ways[i].after[0] && ways[i].after[strlen(ways[i].after) - 1] == 's';
            snprintf(buf, size, "%s%s%s", ways[i].before, value, ways[i].after);
            if (plural && strcmp(value, "1") == 0) {
                buf[strlen(buf) - 1] = '\0';
            }
            return;
        }
    }
    snprintf(buf, size, "%s %s", name, value);
}

static void add_words(char *buf, size_t size, const char *words)
{
    size_t used = strlen(buf);
    snprintf(buf + used, size - used, "%s%s", used ? ", " : "", words);
}

/* What [set] says of the guest's size and shape belongs to the situation, too. */
static void say_settings(const struct memo *memo, char *buf, size_t size)
{
    static const struct {
        const char *key;
        enum unit unit;
    } keys[] = {{"footprint", UNIT_BYTES},
                {"touched", UNIT_RATIO},
                {"backing", UNIT_NONE},
                {"vcpus", UNIT_NONE}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = memo_text(memo->run, "study", "set", keys[i].key);
        char words[160], human[48];
        double value;
        if (text[0]) {
            bool number = keys[i].unit != UNIT_NONE && unit_parse(text, keys[i].unit, &value);
            say_axis(keys[i].key,
                     number ? cells_human(value, keys[i].unit, human, sizeof human) : text, words,
                     sizeof words);
            add_words(buf, size, words);
        }
    }
}

enum words { WORDS_ALL, WORDS_FACETS, WORDS_COMMON };

static void say_words(const struct memo *memo, const struct memo_place *place, enum words which,
                      char *buf, size_t size)
{
    const char *machine = NULL;
    buf[0] = '\0';
    if (which != WORDS_FACETS) {
        say_settings(memo, buf, size);
    }
    for (size_t i = 0; i < memo->axes; i++) {
        const struct memo_axis *axis = &memo->axis[i];
        bool said = which == WORDS_FACETS   ? memo->facet[i]
                    : which == WORDS_COMMON ? !memo->facet[i] && axis->count > 1
                                            : axis->count > 1;
        char value[160], words[256];
        if (strcmp(axis->name, "machine") == 0 && which != WORDS_FACETS) {
            machine =
                which == WORDS_COMMON && memo->facet[i] ? NULL : memo_value(axis, place->digit[i]);
        } else if (said && i != memo->strategy) {
            memo_say_value(axis, memo_value(axis, place->digit[i]), value, sizeof value);
            say_axis(axis->name, value, words, sizeof words);
            add_words(buf, size, words);
        }
    }
    if (machine) {
        size_t used = strlen(buf);
        snprintf(buf + used, size - used, "%s%s", used ? " on " : "", machine);
    }
}

void memo_say_place(const struct memo *memo, const struct memo_place *place, bool only_facets,
                    char *buf, size_t size)
{
    say_words(memo, place, only_facets ? WORDS_FACETS : WORDS_ALL, buf, size);
}

void memo_say_facets(const struct memo *memo, const struct memo_place *place, char *buf,
                     size_t size)
{
    size_t facets = 0, used = 0;
    for (size_t i = 0; i < memo->axes; i++) {
        facets += memo->facet[i];
    }
    if (facets < 2) {
        say_words(memo, place, WORDS_FACETS, buf, size);
        return;
    }
    for (size_t i = 0; i < memo->axes && used < size; i++) {
        if (memo->facet[i]) {
            char value[160];
            memo_say_value(&memo->axis[i], memo_value(&memo->axis[i], place->digit[i]), value,
                           sizeof value);
            used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "/" : "", value);
        }
    }
}

void memo_say_common(const struct memo *memo, char *buf, size_t size)
{
    say_words(memo, &memo->place[0], WORDS_COMMON, buf, size);
}
