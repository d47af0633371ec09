/* How a memo says what a metric comes to, and how two strategies compare. */
#include "report/memo/memo_parts.h"

#include "study/information.h"

#include <math.h>
#include <string.h>

#define WORDS 256
#define LITTLE 1e-3 /* of what the other costs: nothing beside it */

/* --- metrics --- */

struct phrase {
    const char *metric, *least, *verb;
};

static const struct phrase *phrase_of(const struct memo *memo)
{
    static const struct phrase phrases[] = {
        {"added_boot_ns", "adds least to the reboot", "adds"},
        {"cpu_ns", "takes the least processor time", "takes"},
        {"pause_ns", "holds mmu_lock for write the shortest", "holds it for up to"},
        {"stall_max_ns", "keeps vCPUs waiting the shortest", "keeps one waiting for up to"},
        {"window_ns", "is done first", "takes"},
        {"first_insn_ns", "gets to the guest's first instruction first", "takes"},
        {NULL, "costs least", "costs"},
    };
    const struct phrase *phrase = phrases;
    while (phrase->metric && strcmp(phrase->metric, memo->metric) != 0) {
        phrase++;
    }
    return phrase;
}

const char *memo_verb(const struct memo *memo)
{
    return phrase_of(memo)->least;
}

void memo_say_cost(const struct memo *memo, struct memo_band band, char *buf, size_t size)
{
    char text[WORDS];
    memo_say_band(band, text, sizeof text);
    if (band.mid == 0 && !(band.p90 > 0)) {
        snprintf(buf, size, "%s nothing", phrase_of(memo)->verb);
    } else {
        snprintf(buf, size, "%s %s", phrase_of(memo)->verb, text);
    }
}

void memo_say_times(double more, double less, char *buf, size_t size)
{
    char text[32];
    buf[0] = '\0';
    if (less > LITTLE * more && more > less) {
        memo_say_digits(more / less, text, sizeof text);
        bool one = strcmp(text, "1") == 0;
        snprintf(buf, size, one ? "hardly more" : "%s times as much", text);
    }
}

/* --- other metrics --- */

static const char *noun_of(const char *metric)
{
    static const char *const nouns[][2] = {
        {"writeback_bytes", "written back to memory"},
        {"lines", "lines cleaned"},
        {"faults", "stage-2 faults"},
        {"tlbi", "TLB invalidations"},
        {"cpu_ns", "processor time of all cores from the reset on"},
        {"pause_ns", "longest hold of mmu_lock"},
        {"part_fault_path_ns", "exits and software of stage-2 faults"},
        {"part_lines_fault_ns", "cleaning at those faults"},
    };
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
        if (strcmp(nouns[i][0], metric) == 0) {
            return nouns[i][1];
        }
    }
    return metric;
}

static void say_count(double value, char *buf, size_t size)
{
    char text[32];
    double scale = value >= 1e9 ? 1e9 : value >= 1e6 ? 1e6 : 1;
    memo_say_digits(value / scale, text, sizeof text);
    snprintf(buf, size, "%s%s", text, scale == 1e9 ? " billion" : scale == 1e6 ? " million" : "");
}

/* The value of another metric; false where the rows have it not. */
static bool say_other(const struct memo *memo, const char *metric, const struct memo_place *place,
                      size_t strategy, char *buf, size_t size)
{
    const struct csv *csv = &memo->table[MEMO_ROWS].csv;
    for (size_t row = 0; row < csv->rows; row++) {
        if (strcmp(memo_cell(memo, MEMO_ROWS, row, "metric"), metric) != 0 ||
            strcmp(memo_cell(memo, MEMO_ROWS, row, "strategy"), memo_strategy(memo, strategy)) !=
                0 ||
            !memo_matches(memo, MEMO_ROWS, row, place)) {
            continue;
        }
        const char *unit = memo_cell(memo, MEMO_ROWS, row, "unit");
        struct memo_band band = memo_row_band(memo, row);
        if (strcmp(unit, "ns") == 0) {
            memo_say_band(band, buf, size);
        } else if (strcmp(unit, "bytes") == 0 && band.mid > 0) {
            memo_say_number(unit, band.mid, buf, size);
        } else {
            say_count(band.mid, buf, size);
        }
        return isfinite(band.mid);
    }
    return false;
}

void memo_say_also(const struct memo *memo, const struct memo_place *place, size_t first,
                   size_t second, struct doc_node *block)
{
    const json_t *settings = json_object_get(json_object_get(memo->run, "study"), "memo");
    const json_t *list = json_object_get(settings, "also"), *entry;
    size_t i, said = 0;
    json_array_foreach(list, i, entry)
    {
        const char *metric = json_string_value(entry);
        char a[WORDS], b[WORDS];
        if (!metric || second == SIZE_MAX || !say_other(memo, metric, place, first, a, sizeof a) ||
            !say_other(memo, metric, place, second, b, sizeof b)) {
            continue;
        }
        if (said++ == 0) {
            doc_text(block, " With ");
            doc_code(block, memo_strategy(memo, first));
            doc_text(block, " and ");
            doc_code(block, memo_strategy(memo, second));
            doc_text(block, ": ");
        }
        doc_text(block, "%s%s %s and %s", said > 1 ? "; " : "", noun_of(metric), a, b);
    }
    if (said > 0) {
        doc_text(block, ".");
    }
}

/* --- which costs decide --- */

/* The cost with the largest total index at a place. */
static size_t top_cost(const struct memo *memo, const struct memo_place *place)
{
    size_t best = SIZE_MAX;
    double most = 0;
    for (size_t row = 0; row < memo->table[MEMO_SENSITIVITY].csv.rows; row++) {
        double total = memo_number(memo, MEMO_SENSITIVITY, row, "total");
        if (total > most && memo_matches(memo, MEMO_SENSITIVITY, row, place)) {
            best = row;
            most = total;
        }
    }
    return best;
}

/* The places at which the row's cost is the one that decides most, and in what
 * share; those of an earlier row with the same cost are not said again. */
static void say_cost_places(const struct memo *memo, const size_t top[MEMO_PLACES], size_t first,
                            struct doc_node *block)
{
    const char *cost = memo_cell(memo, MEMO_SENSITIVITY, top[first], "cost");
    double least = INFINITY, most = 0;
    size_t said = 0, all = 0;
    for (size_t p = 0; p < memo->places; p++) {
        all += top[p] != SIZE_MAX &&
               strcmp(memo_cell(memo, MEMO_SENSITIVITY, top[p], "cost"), cost) == 0;
    }
    doc_code(block, cost);
    for (size_t p = 0; p < memo->places; p++) {
        char where[WORDS];
        if (top[p] == SIZE_MAX ||
            strcmp(memo_cell(memo, MEMO_SENSITIVITY, top[p], "cost"), cost) != 0) {
            continue;
        }
        double total = fmin(memo_number(memo, MEMO_SENSITIVITY, top[p], "total"), 1);
        least = fmin(least, total);
        most = fmax(most, total);
        if (all < memo->places) {
            memo_say_facets(memo, &memo->place[p], where, sizeof where);
            doc_text(block, "%s%s", said++ ? ", " : " at ", where);
        }
    }
    doc_text(block, " (%.0f", 100 * least);
    if (round(100 * least) < round(100 * most)) {
        doc_text(block, " to %.0f", 100 * most);
    }
    doc_text(block, " %% of the variance)");
}

void memo_costs_words(const struct memo *memo, struct doc_node *block)
{
    size_t top[MEMO_PLACES], said = 0;
    for (size_t p = 0; p < memo->places; p++) {
        top[p] = top_cost(memo, &memo->place[p]);
    }
    for (size_t p = 0; p < memo->places; p++) {
        bool known = top[p] == SIZE_MAX;
        for (size_t q = 0; q < p && !known; q++) {
            known = top[q] != SIZE_MAX &&
                    strcmp(memo_cell(memo, MEMO_SENSITIVITY, top[q], "cost"),
                           memo_cell(memo, MEMO_SENSITIVITY, top[p], "cost")) == 0;
        }
        if (!known && said++ == 0) {
            const char *b = memo_cell(memo, MEMO_SENSITIVITY, top[p], "b");
            doc_text(block, "How far ");
            doc_code(block, memo_cell(memo, MEMO_SENSITIVITY, top[p], "a"));
            doc_text(block, b[0] ? " and " : "");
            if (b[0]) {
                doc_code(block, b);
            }
            doc_text(block, b[0] ? " are apart hangs on " : " reaches hangs on ");
            say_cost_places(memo, top, p, block);
        } else if (!known) {
            doc_text(block, ", ");
            say_cost_places(memo, top, p, block);
        }
    }
    if (said > 0) {
        doc_text(block, ".");
    }
}

bool memo_gains(const struct memo *memo, size_t row)
{
    return memo_number(memo, MEMO_INFORMATION, row, "gain") >=
           information_least_gain(memo_number(memo, MEMO_INFORMATION, row, "noise"));
}

/* By machine the cost that, known, decides most situations. */
void memo_measure_words(const struct memo *memo, struct doc_node *block)
{
    size_t said = 0;
    for (size_t row = 0; row < memo->table[MEMO_INFORMATION].csv.rows; row++) {
        double undecided = memo_number(memo, MEMO_INFORMATION, row, "undecided");
        double gain = memo_number(memo, MEMO_INFORMATION, row, "gain");
        if (memo_number(memo, MEMO_INFORMATION, row, "rank") != 1 || !memo_gains(memo, row)) {
            continue;
        }
        doc_text(block, said++ ? "; " : " Measure first: ");
        doc_code(block, memo_cell(memo, MEMO_INFORMATION, row, "cost"));
        doc_text(block,
                 " on %s, which leaves %.1f %% of the situations undecided in place of %.1f %%",
                 memo_cell(memo, MEMO_INFORMATION, row, "machine"), 100 * fmax(undecided - gain, 0),
                 100 * undecided);
    }
    if (said > 0) {
        doc_text(block, ".");
    }
}
