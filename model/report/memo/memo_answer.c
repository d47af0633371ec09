/* The answer, in at most sixty words: what to do, what it gains, how sure that is, and what
 * it rests on. */
#include "report/memo/memo_input.h"

#include "core/error.h"
#include "kvm/strategy.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A sentence is made apart and joins the answer where there is room for its words. */
static struct doc_node *sentence(void)
{
    return doc_new();
}

static bool add_sentence(struct doc_node *answer, struct doc_node *words)
{
    if (!words->first || doc_words(answer) + doc_words(words) > MEMO_ANSWER_WORDS) {
        doc_free(words);
        return false;
    }
    if (answer->first) {
        doc_text(answer, " ");
    }
    doc_join(answer, words);
    return true;
}

static const char *machine_at(const struct memo *memo, size_t place)
{
    const struct axis *machine = memo->study->role[AXIS_MACHINE];
    return machine->values.text[study_digit(machine, memo->place[place])];
}

static bool has_several_machines(const struct memo *memo)
{
    bool several = false;
    for (size_t p = 1; p < memo->places; p++) {
        several |= strcmp(machine_at(memo, p), machine_at(memo, 0)) != 0;
    }
    return several;
}

/* How many words the shortest sentence on how well the model does takes. */
static size_t misfit_words(const struct memo *memo)
{
    return has_several_machines(memo) ? 8 : 6;
}

static bool misfit_of(const struct memo *memo, const char *name, char buf[QUANTITY_TEXT])
{
    struct memo_range error = MEMO_RANGE_EMPTY;
    for (size_t i = 0; i < memo->publisheds; i++) {
        const struct memo_published *one = &memo->published[i];
        if (one->predicted && memo_measured_on(memo, one, name)) {
            memo_range_take(&error, one->error);
        }
    }
    bool any = error.low <= error.high;
    buf[0] = '\0';
    if (any) {
        quantity_change_range(error.low, error.high, buf);
    }
    return any;
}

bool memo_misfit(const struct memo *memo, char buf[QUANTITY_TEXT])
{
    return misfit_of(memo, machine_at(memo, 0), buf);
}

/* How well the model does on this machine, or on the first one that figures are published of. */
static void add_misfit(const struct memo *memo, struct doc_node *answer)
{
    char error[QUANTITY_TEXT];
    bool several = has_several_machines(memo), published = false, added = false;
    const char *name = "";
    for (size_t p = 0; p < memo->places && !published; p++) {
        name = machine_at(memo, p);
        published = misfit_of(memo, name, error);
    }
    for (int brief = 0; brief < 2 && !added; brief++) {
        struct doc_node *words = sentence();
        if (published && brief) {
            doc_text(words, "Model error%s%s: %s.", several ? " on " : "", several ? name : "",
                     error);
        } else if (published) {
            doc_text(words, "On published measurements of %s the model errs by %s.",
                     several ? name : "this machine", error);
        } else if (brief) {
            doc_text(words, "Nothing published checks it.");
        } else {
            doc_text(words, "No measurement of %s is published to check it.",
                     several ? "these machines" : "this machine");
        }
        added = add_sentence(answer, words);
    }
}

/* --- which costs least --- */

static void add_choice(const struct memo *memo, struct doc_node *answer)
{
    memo_put_choice(memo, MEMO_ANSWER_WORDS - misfit_words(memo), answer);
}

/* --- limits --- */

/* The last value of the axis up to which the median keeps the limit; SIZE_MAX: none. */
static size_t last_within(const struct memo *memo, size_t place, size_t strategy, double limit)
{
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < memo->axis->values.count; i++) {
        const struct memo_scenario *there =
            memo_at(memo, memo_with(memo->axis, memo->place[place], i));
        if (!(memo_band(memo, there, 0, strategy).mid <= limit)) {
            break;
        }
        last = i;
    }
    return last;
}

/* "64 KiB", "none", "any". */
static void say_value(const struct memo *memo, size_t last, struct doc_node *words)
{
    char text[QUANTITY_TEXT];
    if (last == SIZE_MAX || last + 1 == memo->axis->values.count) {
        doc_text(words, "%s", last == SIZE_MAX ? "none" : "any");
    } else {
        doc_text(words, "%s",
                 quantity_value(strtod(memo->axis->values.text[last], NULL), memo->axis->kind.unit,
                                text));
    }
}

/* The last value that keeps each limit, places that are alike together. */
static void say_kept(const struct memo *memo, size_t strategy, const double *limit, size_t limits,
                     struct doc_node *words)
{
    size_t last[MEMO_PLACES][STUDY_MEMO_LIST], said = 0;
    bool done[MEMO_PLACES] = {false};
    for (size_t p = 0; p < memo->places; p++) {
        for (size_t i = 0; i < limits; i++) {
            last[p][i] = last_within(memo, p, strategy, limit[i]);
        }
    }
    for (size_t p = 0; p < memo->places; p++) {
        bool in[MEMO_PLACES] = {false}, kept = false;
        char where[MEMO_TEXT];
        for (size_t q = p; q < memo->places && !done[p]; q++) {
            in[q] = memcmp(last[p], last[q], limits * sizeof last[p][0]) == 0;
            done[q] |= in[q] && q > p;
        }
        if (!in[p]) {
            continue;
        }
        doc_text(words, "%s", said++ ? "; " : " ");
        for (size_t i = 0; i < limits; i++) {
            kept |= last[p][i] != SIZE_MAX;
        }
        for (size_t i = 0; i < (kept ? limits : 1); i++) {
            doc_text(words, "%s", i == 0 ? "" : i + 1 == limits ? " and " : ", ");
            say_value(memo, last[p][i], words);
        }
        if (memo_where(memo, in, where)[0]) {
            doc_text(words, " ");
            memo_put_where(memo, where, words);
        }
    }
    doc_text(words, ".");
}

/* How long it takes today, at the worst of the places and of the axis. */
static void say_worst(const struct memo *memo, size_t strategy, struct doc_node *words)
{
    static const struct {
        enum metric metric;
        const char *before;
    } said[] = {{METRIC_pause_ns, "holds mmu_lock for up to "},
                {METRIC_stall_max_ns, "stalls a vCPU for "},
                {METRIC_added_boot_ns, "adds up to "}};
    size_t count = 0;
    for (size_t m = 0; m < memo->parts; m++) {
        double worst = fmax(memo_medians(memo, m, strategy).high, 0);
        char text[QUANTITY_TEXT];
        for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
            if (said[i].metric == memo->metric[m]) {
                struct band band = {worst, NAN, NAN};
                doc_text(words, "%s%s%s", count++ ? " and " : "", said[i].before,
                         quantity_mid(band, UNIT_NS, text));
            }
        }
    }
}

static void add_limits(const struct memo *memo, struct doc_node *answer)
{
    double limit[STUDY_MEMO_LIST];
    size_t limits = study_memo_targets(&memo->study->memo, limit);
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0;
    if (!memo->axis || limits == 0) {
        add_choice(memo, answer);
        return;
    }
    struct doc_node *words = sentence();
    doc_text(words, "The largest %s keeping ", memo->axis->name);
    if (strategy == memo->upstream) {
        doc_text(words, "Linux");
    } else {
        memo_put_strategy(memo->study->strategies[strategy], words);
    }
    doc_text(words, " under ");
    for (size_t i = 0; i < limits; i++) {
        char text[QUANTITY_TEXT];
        doc_text(words, "%s%s",
                 i == 0            ? ""
                 : i + 1 == limits ? " and "
                                   : ", ",
                 quantity_value(limit[i], UNIT_NS, text));
    }
    doc_text(words, ":");
    say_kept(memo, strategy, limit, limits, words);
    doc_join(answer, words); /* however long: it is what was asked */
    words = sentence();
    doc_text(words, "It ");
    say_worst(memo, strategy, words);
    doc_text(words, ".");
    if (doc_words(answer) + doc_words(words) + misfit_words(memo) > MEMO_ANSWER_WORDS) {
        doc_free(words);
        return;
    }
    add_sentence(answer, words);
}

/* --- readers --- */

/* Who gets stale bytes: "the guest reads and fetches stale bytes". */
static void say_readers(const bool reads[READERS], struct doc_node *words)
{
    bool off = reads[READER_GUEST_OFF], on = reads[READER_GUEST_ON], fetch = reads[READER_FETCH];
    const char *guest = off || on ? (fetch ? "the guest reads and fetches" : "the guest reads")
                                  : (fetch ? "the guest fetches" : "");
    bool host = reads[READER_HOST], device = reads[READER_DEVICE];
    doc_text(words, "%s%s%s%s%s stale bytes%s", guest, guest[0] && host ? ", the host reads" : "",
             !guest[0] && host ? "the host reads" : "",
             device && (guest[0] || host) ? ", a device reads" : "",
             device && !guest[0] && !host ? "a device reads" : "",
             off && !on ? " with its MMU off" : "");
}

/* A strategy as the first words of a sentence. */
static void put_first(const struct strategy *strategy, struct doc_node *words)
{
    memo_put_strategy(strategy, words);
    if (words->last->kind == DOC_TEXT) {
        words->last->text[0] = (char)toupper((unsigned char)words->last->text[0]);
    }
}

static struct doc_node *stale_sentence(const struct memo *memo, size_t strategy)
{
    struct doc_node *words = sentence();
    bool reads[READERS] = {false}, any = false;
    struct memo_range cost = memo_medians(memo, 0, strategy);
    char text[QUANTITY_TEXT];
    for (size_t p = 0; p < memo->places; p++) {
        for (int reader = 0; reader < READERS; reader++) {
            reads[reader] |= memo_place(memo, p)->reader[strategy][reader].outcome == STALE;
            any |= reads[reader];
        }
    }
    if (any) {
        put_first(memo->study->strategies[strategy], words);
        doc_text(words, " (%s) is not enough: ",
                 quantity_range(cost.low, cost.high, metric_quantity(memo->metric[0]), text));
        say_readers(reads, words);
        doc_text(words, ".");
    }
    return words;
}

static void add_readers(const struct memo *memo, struct doc_node *answer)
{
    for (size_t s = 0; s < memo->strategies; s++) {
        add_sentence(answer, stale_sentence(memo, s));
    }
    add_choice(memo, answer);
}

/* --- shares --- */

/* What cleaning and faults take is said for each value of the facet that tells the shares apart
 * best: the one with the narrowest ranges of what cleaning takes. */
static struct memo_range share_range(const struct memo *memo, const struct axis *axis, size_t digit,
                                     enum memo_share share)
{
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0;
    struct memo_range range = MEMO_RANGE_EMPTY;
    for (size_t p = 0; p < memo->places; p++) {
        double part[MEMO_SHARES];
        if (axis && study_digit(axis, memo->place[p]) != digit) {
            continue;
        }
        memo_share_parts(memo, memo_place(memo, p), strategy, part);
        memo_range_take(&range, part[share]);
    }
    return range;
}

/* NULL: no facet. */
static const struct axis *telling_facet(const struct memo *memo)
{
    const struct axis *best = NULL;
    double narrowest = INFINITY;
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        const struct axis *axis = &memo->study->axes[i];
        double width = 0;
        for (size_t v = 0; v < axis->values.count && memo->facet[i]; v++) {
            struct memo_range range = share_range(memo, axis, v, MEMO_CLEANING);
            width += fmax(range.high - range.low, 0);
        }
        width /= (double)axis->values.count;
        if (memo->facet[i] && axis->values.count <= 3 && width < narrowest) {
            best = axis;
            narrowest = width;
        }
    }
    return best;
}

static struct doc_node *shares_sentence(const struct memo *memo, const struct axis *axis)
{
    struct doc_node *words = sentence();
    for (size_t v = 0; v < (axis ? axis->values.count : 1); v++) {
        struct memo_range cleaning = share_range(memo, axis, v, MEMO_CLEANING);
        struct memo_range faults = share_range(memo, axis, v, MEMO_FAULTS);
        char text[QUANTITY_TEXT], where[MEMO_TEXT];
        doc_text(words, "%s%s", v ? "; " : "Cleaning takes ",
                 quantity_percents(cleaning.low, cleaning.high, text));
        doc_text(words, " and %s%s%s", v ? "" : "faults ",
                 quantity_percents(faults.low, faults.high, text), v ? "" : " of the time");
        if (axis) {
            doc_text(words, " ");
            memo_put_where(memo,
                           memo_axis_words(memo, axis, memo_with(axis, memo->place[0], v), where),
                           words);
        }
    }
    doc_text(words, ".");
    return words;
}

/* Whether two scenarios are of the same VM. */
static bool same_vm(const struct memo_scenario *a, const struct memo_scenario *b)
{
    return strcmp(a->facts.ram, b->facts.ram) == 0 &&
           strcmp(a->facts.footprint, b->facts.footprint) == 0 &&
           strcmp(a->facts.vcpus, b->facts.vcpus) == 0;
}

/* The places in which a value of a facet takes longer than the first one, or not so; those in
 * which that is another VM are none. Returns how many there are. */
static size_t places_with(const struct memo *memo, const struct axis *axis, size_t value,
                          bool longer, bool in[MEMO_PLACES], struct memo_range *ratio)
{
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0, count = 0;
    *ratio = MEMO_RANGE_EMPTY;
    for (size_t p = 0; p < memo->places; p++) {
        size_t first = memo_with(axis, memo->place[p], 0);
        const struct memo_scenario *one = memo_at(memo, first);
        const struct memo_scenario *other = memo_at(memo, memo_with(axis, first, value));
        double times =
            memo_band(memo, other, 0, strategy).mid / memo_band(memo, one, 0, strategy).mid;
        in[p] = isfinite(times) && same_vm(one, other) && (times >= 1) == longer;
        count += in[p];
        if (in[p]) {
            memo_range_take(ratio, times);
        }
    }
    return count;
}

static void say_times(struct memo_range ratio, struct doc_node *words)
{
    char less[QUANTITY_TEXT], more[QUANTITY_TEXT];
    quantity_times(ratio.low, 1, less);
    quantity_times(ratio.high, 1, more);
    doc_text(words, "%s%s%s times", less, strcmp(less, more) ? " to " : "",
             strcmp(less, more) ? more : "");
}

#define FACET_TITLE 40 /* letters, of what a workload is called in an answer */

/* A value of a facet; a workload is called what its title begins with. */
static void say_facet(const struct memo *memo, const struct axis *axis, size_t value,
                      struct doc_node *words)
{
    char text[MEMO_TEXT];
    memo_axis_words(memo, axis, memo_with(axis, memo->place[0], value), text);
    if (axis == memo->study->role[AXIS_WORKLOAD]) {
        const char *title = workload_title(memo->study->workloads[value]);
        int length = (int)strcspn(title, ":,");
        bool short_one = length > 0 && length <= FACET_TITLE;
        doc_text(words, "%.*s", short_one ? length : 0, title);
        if (!short_one) {
            doc_code(words, text);
        }
    } else {
        doc_text(words, "%s", text);
    }
}

/* How long another value of a facet takes against the first one, all else equal; places in
 * which it is the other way round apart. */
static struct doc_node *facet_sentence(const struct memo *memo, const struct axis *axis,
                                       size_t value, bool was_first_said)
{
    bool longer[MEMO_PLACES], shorter[MEMO_PLACES];
    struct memo_range more, less;
    size_t up = places_with(memo, axis, value, true, longer, &more);
    size_t down = places_with(memo, axis, value, false, shorter, &less);
    struct doc_node *words = sentence();
    char text[MEMO_TEXT];
    if (up + down == 0) {
        return words;
    }
    bool plural = strcmp(axis->name, "backing") == 0;
    say_facet(memo, axis, value, words);
    words->first->text[0] = (char)toupper((unsigned char)words->first->text[0]);
    doc_text(words, " take%s ", plural ? "" : "s");
    say_times(up >= down ? more : less, words);
    doc_text(words, " as long");
    if (!was_first_said && words->first->kind == DOC_CODE) {
        doc_text(words, " as ");
        say_facet(memo, axis, 0, words);
    }
    if (up > 0 && down > 0) {
        doc_text(words, ", ");
        say_times(up >= down ? less : more, words);
        doc_text(words, " ");
        memo_put_where(memo, memo_where(memo, up >= down ? shorter : longer, text), words);
    }
    doc_text(words, ".");
    return words;
}

static void add_shares(const struct memo *memo, struct doc_node *answer)
{
    const struct axis *telling = telling_facet(memo);
    add_sentence(answer, shares_sentence(memo, telling));
    for (size_t i = memo->study->axis_count; i-- > 0;) { /* leaf sizes before workloads */
        const struct axis *axis = &memo->study->axes[i];
        for (size_t v = 1; v < axis->values.count && memo->facet[i]; v++) {
            add_sentence(answer, facet_sentence(memo, axis, v, axis == telling));
        }
    }
}

/* --- costs --- */

/* "7.002ns" as files have it, as "7.0 ns". */
static void say_spaced(const char *text, struct doc_node *words)
{
    char *unit, number[QUANTITY_TEXT];
    double value = strtod(text, &unit);
    doc_text(words, "%s%s%s", quantity_times(value, 1, number), unit[0] ? " " : "", unit);
}

/* "DC CIVAC of a line in no cache (`dc_absent_ns`)". */
static void put_assumption(const char *key, struct doc_node *words)
{
    enum cost_id cost = cost_find(key);
    const char *help = cost < COSTS ? cost_entry[cost].help : "";
    doc_text(words, "%.*s%s", (int)strcspn(help, ",;"), help, help[0] ? " (" : "");
    doc_code(words, key);
    doc_text(words, "%s", help[0] ? ")" : "");
}

static void add_costs(const struct memo *memo, struct doc_node *answer)
{
    char where[MEMO_TEXT];
    const struct memo_swing *decides = NULL, *largest = NULL;
    for (size_t i = 0; i < memo->swings; i++) {
        const struct memo_swing *swing = memo->swing[i].model ? NULL : &memo->swing[i];
        largest = largest ? largest : swing;
        decides = !decides && swing && swing->turns ? swing : decides;
    }
    struct doc_node *words = sentence();
    if (decides) {
        doc_text(words, "Measure first: ");
        put_assumption(decides->key, words);
        doc_text(words, "; ");
        if (memo->places > 1) {
            memo_put_where(memo, memo_place_words(memo, memo->place[decides->place], where), words);
            doc_text(words, " ");
        }
        doc_text(words, "the best strategy changes between ");
        say_spaced(decides->low_text, words);
        doc_text(words, " and ");
        say_spaced(decides->high_text, words);
        doc_text(words, ".");
    } else if (largest) {
        doc_text(words, "Nothing needs measuring first: no single cost changes the best "
                        "strategy; ");
        put_assumption(largest->key, words);
        doc_text(words, " moves its lead most.");
    }
    add_sentence(answer, words);
    add_choice(memo, answer);
}

/* --- one against the others --- */

/* What a strategy costs over the cheapest of the others, in all places and along the axis. */
static struct memo_range against_others(const struct memo *memo, size_t strategy)
{
    struct memo_range ratio = MEMO_RANGE_EMPTY;
    for (size_t p = 0; p < memo->places; p++) {
        for (size_t i = 0; i < (memo->axis ? memo->axis->values.count : 1); i++) {
            const struct memo_scenario *there = memo_at(
                memo, memo->axis ? memo_with(memo->axis, memo->place[p], i) : memo->place[p]);
            double min = INFINITY;
            for (size_t s = 0; s < memo->strategies; s++) {
                if (s != strategy && memo_may_win(memo, there, s)) {
                    min = fmin(min, memo_band(memo, there, 0, s).mid);
                }
            }
            double times = memo_band(memo, there, 0, strategy).mid / min;
            memo_range_take(&ratio, times);
        }
    }
    return ratio;
}

static void add_one(const struct memo *memo, struct doc_node *answer)
{
    size_t one, other;
    struct doc_node *words = sentence();
    if (memo_pair(memo, &one, &other)) {
        struct memo_range ratio = against_others(memo, one);
        const char *axis = memo->axis ? words_axis(memo->axis->name) : NULL;
        put_first(memo->study->strategies[one], words);
        doc_text(words, " costs ");
        say_times(ratio, words);
        doc_text(words, " as much as the cheapest other%s%s.", axis ? ", whatever the " : "",
                 axis ? axis : "");
    }
    add_sentence(answer, words);
    add_choice(memo, answer);
}

/* --- the section --- */

struct doc_node *memo_answer_words(const struct memo *memo)
{
    struct doc_node *answer = doc_new();
    answer->kind = DOC_PARAGRAPH;
    switch (memo->study->memo.about) {
    case MEMO_ABOUT_CHOICE:
        add_choice(memo, answer);
        break;
    case MEMO_ABOUT_LIMITS:
        add_limits(memo, answer);
        break;
    case MEMO_ABOUT_READERS:
        add_readers(memo, answer);
        break;
    case MEMO_ABOUT_SHARES:
        add_shares(memo, answer);
        break;
    case MEMO_ABOUT_COSTS:
        add_costs(memo, answer);
        break;
    case MEMO_ABOUT_ONE:
        add_one(memo, answer);
        break;
    }
    add_misfit(memo, answer);
    return answer;
}

static const struct strategy *strategy_of(const struct memo *memo, const char *name)
{
    struct error unused;
    for (size_t s = 0; s < memo->strategies; s++) {
        if (strcmp(memo_name(memo, s), name) == 0) {
            return memo->study->strategies[s];
        }
    }
    return strategy_find(name, &unused);
}

/* Whether what a run of text is of was said of an earlier one. */
static bool is_again(const struct doc_node *answer, const struct doc_node *at)
{
    const struct doc_node *run = answer->first;
    while (run != at && !(run->name && strcmp(run->name, at->name) == 0)) {
        run = run->next;
    }
    return run != at;
}

/* The strategies that the answer is about, each with its name and all that it does. */
static void put_names(const struct memo *memo, const struct doc_node *answer, struct doc_node *doc)
{
    struct doc_node *names = doc_new();
    names->kind = DOC_PARAGRAPH;
    for (const struct doc_node *run = answer->first; run; run = run->next) {
        const struct strategy *one =
            run->name && !is_again(answer, run) ? strategy_of(memo, run->name) : NULL;
        if (!one || one->upstream || !one->title[0]) {
            continue;
        }
        const char *brief = strategy_brief(one);
        bool said = brief && strcasecmp(brief, run->text) == 0;
        doc_text(names, "%s%s%s",
                 names->first ? "; " : "In tables and figures: ", said ? brief : "",
                 said ? " is " : "");
        doc_code(names, one->name);
        doc_text(names, ", %s", one->title);
    }
    if (names->first) {
        doc_text(names, ".");
        doc_join(doc_add(doc, DOC_PARAGRAPH, NULL), names);
    } else {
        doc_free(names);
    }
}

/* What the answer leaves out, and why. */
static void put_missing(const struct memo *memo, struct doc_node *doc)
{
    if (memo->missings == 0) {
        return;
    }
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
             "Left out of the answer and of what follows, since a simulation failed:");
    struct doc_node *list = doc_add(doc, DOC_LIST, NULL);
    for (size_t i = 0; i < memo->missings; i++) {
        doc_text(doc_add(list, DOC_ITEM, NULL), "%s", memo->missing[i]);
    }
}

void memo_answer(const struct memo *memo, struct doc_node *doc)
{
    char scenario[2 * MEMO_TEXT];
    const struct study *study = memo->study;
    doc_text(doc_add(doc, DOC_TITLE, NULL), "%s", study->title[0] ? study->title : study->name);
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "%s",
             study->question[0] ? study->question : "Which strategy costs least?");
    doc_heading(doc, "1 Answer");
    struct doc_node *answer = doc_add(doc, DOC_PARAGRAPH, NULL);
    doc_join(answer, memo_answer_words(memo));
    put_names(memo, answer, doc);
    put_missing(memo, doc);
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "Scenario: %s; %s.",
             memo_scenario_words(memo, false, scenario), words_metric(memo->metric[0]));
}
