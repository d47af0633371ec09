#include "study/study_memo.h"

#include "core/error.h"
#include "study/groups.h"
#include "study/metrics.h"

#include <stdio.h>
#include <string.h>

enum {
    KEY_ABOUT,
    KEY_METRIC,
    KEY_BREAKEVEN,
    KEY_MAP,
    KEY_CASE,
    KEY_BY,
    KEY_COMPARE,
    KEY_SENSITIVITY,
    KEY_ALSO,
    KEY_TARGETS,
    KEY_WHAT_IF,
    KEYS
};

#define AT(field) .section = "memo", OPTION_FIELD(struct study_memo, field)
#define KEY(field) .name = #field, AT(field)

const struct option_row study_memo_options[STUDY_MEMO_KEYS] = {
    [KEY_ABOUT] = {KEY(about), .choices = CHOICES_OF(MEMO_ABOUT_CHOICES), .fallback = "choice",
                   .help = "what the memo's answer says"},
    [KEY_METRIC] = {KEY(metric), .fallback = "added_boot",
                    .help = "by which strategies are compared"},
    [KEY_BREAKEVEN] = {KEY(breakeven), .fallback = "",
                       .help = "the axis along which break-even points are looked for"},
    [KEY_MAP] = {KEY(map), .fallback = "", .help = "the two axes of the decision map"},
    [KEY_CASE] = {AT(situation), .name = "case", .fallback = "",
                  .help = "the scenario of the answer: axis=value, blanks between"},
    [KEY_BY] = {KEY(by), .fallback = "", .help = "axes: an answer for each of their values"},
    [KEY_COMPARE] = {KEY(compare), .fallback = "",
                     .help = "the two strategies that the break-even is about"},
    [KEY_SENSITIVITY] = {KEY(sensitivity), .choices = CHOICES_OF(MEMO_SENSITIVITY_CHOICES),
                         .fallback = "yes",
                         .help = "whether the memo tells which costs decide: in its case or all"},
    [KEY_ALSO] = {KEY(also), .fallback = "", .help = "metrics that stand beside the answer"},
    [KEY_TARGETS] = {KEY(targets), .fallback = "",
                     .help = "limits of the metric along the break-even axis"},
    [KEY_WHAT_IF] = {KEY(what_if), .fallback = "no",
                     .help = "also strategies that need hardware that the machine lacks"},
};

_Static_assert(KEYS == STUDY_MEMO_KEYS, "a line for each key");

void study_memo_defaults(struct study_memo *memo)
{
    option_defaults(study_memo_options, KEYS, memo);
}

bool study_memo_set(struct study_memo *memo, const char *name, const char *value,
                    const struct source_location *at, struct error *err)
{
    const struct option_row *row = option_find(study_memo_options, KEYS, "memo", name);
    memo->given = true;
    if (row && memo->line[row - study_memo_options] > 0) {
        return error_input(err, at, "is set already");
    }
    if (!option_assign(study_memo_options, KEYS, "memo", name, value, memo, at, err)) {
        return false;
    }
    memo->line[row - study_memo_options] = at->line;
    return true;
}

/* --- words --- */

/* A copy without the blanks around it; false where nothing, or too much, is left. */
static bool trimmed(const char *from, size_t length, char word[64])
{
    while (length > 0 && (*from == ' ' || *from == '\t')) {
        from++;
        length--;
    }
    while (length > 0 && (from[length - 1] == ' ' || from[length - 1] == '\t')) {
        length--;
    }
    if (length == 0 || length >= 64) {
        return false;
    }
    memcpy(word, from, length);
    word[length] = '\0';
    return true;
}

bool study_memo_pair(const char *text, char first[64], char second[64])
{
    const char *comma = strchr(text, ',');
    return comma && !strchr(comma + 1, ',') && trimmed(text, (size_t)(comma - text), first) &&
           trimmed(comma + 1, strlen(comma + 1), second);
}

size_t study_memo_list(const char *text, char words[STUDY_MEMO_LIST][64])
{
    size_t count = 0;
    for (bool more = text[0] != '\0'; more; count++) {
        size_t length = strcspn(text, ",");
        if (count == STUDY_MEMO_LIST || !trimmed(text, length, words[count])) {
            return 0;
        }
        more = text[length] == ',';
        text += length + more;
    }
    return count;
}

bool study_memo_by(const struct study_memo *memo, const char *axis)
{
    char words[STUDY_MEMO_LIST][64];
    size_t count = study_memo_list(memo->by, words);
    bool named = false;
    for (size_t i = 0; i < count; i++) {
        named |= strcmp(words[i], axis) == 0;
    }
    return named;
}

size_t study_memo_targets(const struct study_memo *memo, double limits[STUDY_MEMO_LIST])
{
    char words[STUDY_MEMO_LIST][64];
    size_t count = study_memo_list(memo->targets, words);
    for (size_t i = 0; i < count; i++) {
        if (!unit_parse(words[i], UNIT_NS, &limits[i]) || !(limits[i] > 0)) {
            return 0;
        }
    }
    return count;
}

/* The next `axis=value` of a case. Values hold no blanks, except for a kernel's
 * switches: a word without '=' before the next axis belongs to the last one. */
struct item {
    char key[64], text[256];
};

static bool next_item(const struct study *study, const char **at, struct item *item)
{
    char word[256];
    item->key[0] = item->text[0] = '\0';
    for (;;) {
        *at += strspn(*at, " \t");
        size_t length = strcspn(*at, " \t"), name = strcspn(*at, "= \t");
        snprintf(word, sizeof word, "%.*s", (int)(name < 64 ? name : 63), *at);
        bool starts = (*at)[name] == '=' && (item->key[0] == '\0' || groups_axis(study, word));
        if (length == 0 || (item->key[0] && starts)) {
            return item->key[0] != '\0';
        }
        size_t used = strlen(item->text);
        if (starts) {
            snprintf(item->key, sizeof item->key, "%.63s", word);
            snprintf(item->text, sizeof item->text, "%.*s", (int)(length - name - 1),
                     *at + name + 1);
        } else if (item->key[0]) {
            snprintf(item->text + used, sizeof item->text - used, " %.*s", (int)length, *at);
        } else {
            snprintf(item->key, sizeof item->key, "%.*s", (int)(length < 64 ? length : 63), *at);
        }
        *at += length;
    }
}

/* The index of a value as people write it: 10% is the axis's 0.1. */
static size_t value_index(const struct axis *axis, const char *text)
{
    struct values values;
    struct error unused;
    size_t index = SIZE_MAX;
    if (!values_parse(text, axis->kind, NULL, &values, &unused)) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < axis->values.count && values.count == 1; i++) {
        index = strcmp(axis->values.text[i], values.text[0]) == 0 ? i : index;
    }
    values_free(&values);
    return index;
}

size_t study_memo_case(const struct study *study, size_t axis)
{
    const char *at = study->memo.situation;
    struct item item;
    while (next_item(study, &at, &item)) {
        if (strcmp(item.key, study->axes[axis].name) == 0) {
            return value_index(&study->axes[axis], item.text);
        }
    }
    return SIZE_MAX;
}

/* --- checks --- */

static bool is_axis(const struct study *study, const char *name, const struct source_location *at,
                    struct error *err)
{
    const struct axis *axis = groups_axis(study, name);
    const char *names[STUDY_AXES];
    char hint[256] = "";
    if (axis && axis->role != AXIS_STRATEGY) {
        return true;
    }
    for (size_t i = 0; i < study->axis_count; i++) {
        names[i] = study->axes[i].name;
    }
    error_suggest(hint, sizeof hint, name, names, study->axis_count);
    return error_input(err, at, "found '%.80s', which is no axis of this study%s", name,
                       axis ? ": the strategies are what is compared" : hint);
}

static bool check_case(const struct study *study, const struct source_location *at,
                       struct error *err)
{
    const char *next = study->memo.situation;
    struct item item;
    while (next_item(study, &next, &item)) {
        if (!is_axis(study, item.key, at, err)) {
            return false;
        }
        if (item.text[0] == '\0') {
            return error_input(err, at, "found %s, expected axis=value", item.key);
        }
        const struct axis *axis = groups_axis(study, item.key);
        bool ours = axis->line > 0 || study->change_count == 0;
        if (ours && value_index(axis, item.text) == SIZE_MAX) {
            return error_input(err, at, "found %s=%.80s, expected one of the axis's values",
                               item.key, item.text);
        }
    }
    return true;
}

static bool check_map(const struct study *study, const struct source_location *at,
                      struct error *err)
{
    char x[64], y[64];
    if (!study_memo_pair(study->memo.map, x, y)) {
        return error_input(err, at, "found '%.80s', expected two axes: x, y", study->memo.map);
    }
    if (!is_axis(study, x, at, err) || !is_axis(study, y, at, err)) {
        return false;
    }
    return strcmp(x, y) != 0 || error_input(err, at, "found %s twice, expected two axes", x);
}

static bool check_compare(const struct study *study, const struct source_location *at,
                          struct error *err)
{
    char a[64], b[64];
    size_t unused;
    struct error inner;
    if (!study_memo_pair(study->memo.compare, a, b) || strcmp(a, b) == 0) {
        return error_input(err, at, "found '%.80s', expected two strategies: A, B",
                           study->memo.compare);
    }
    /* --set may have taken a strategy out. */
    return study->role[AXIS_STRATEGY]->line == 0 ||
           (groups_strategy(study, NULL, a, strlen(a), &unused, &inner) &&
            groups_strategy(study, NULL, b, strlen(b), &unused, &inner)) ||
           error_input(err, at, "%s", inner.text);
}

static bool check_by(const struct study *study, const struct source_location *at, struct error *err)
{
    char words[STUDY_MEMO_LIST][64];
    size_t count = study_memo_list(study->memo.by, words);
    for (size_t i = 0; i < count; i++) {
        if (!is_axis(study, words[i], at, err)) {
            return false;
        }
    }
    return count > 0 || error_input(err, at, "found '%.80s', expected axes: x, y", study->memo.by);
}

/* What stands beside the answer has to be in the rows. */
static bool check_also(const struct study *study, const struct source_location *at,
                       struct error *err)
{
    char words[STUDY_MEMO_LIST][64];
    bool kept[METRICS], asked[METRICS];
    size_t count = study_memo_list(study->memo.also, words);
    if (count == 0) {
        return error_input(err, at, "found '%.80s', expected up to %d metrics: A, B",
                           study->memo.also, STUDY_MEMO_LIST);
    }
    if (!metric_select(study->memo.also, asked, at, err) ||
        !metric_select(study->metrics, kept, at, err)) {
        return false;
    }
    for (int i = 0; i < METRICS; i++) {
        if (asked[i] && !kept[i]) {
            return error_input(err, at, "found %s, which the study's metrics leave out",
                               metric_name[i]);
        }
    }
    return true;
}

static bool check_targets(const struct study *study, const struct source_location *at,
                          struct error *err)
{
    double unused[STUDY_MEMO_LIST];
    if (study_memo_targets(&study->memo, unused) == 0) {
        return error_input(err, at, "found '%.80s', expected up to %d times: 200us, 10ms",
                           study->memo.targets, STUDY_MEMO_LIST);
    }
    return study->memo.breakeven[0] ||
           error_input(err, at, "needs breakeven, the axis along which limits are looked for");
}

static bool check_breakeven(const struct study *study, const struct source_location *at,
                            struct error *err)
{
    const struct axis *axis = groups_axis(study, study->memo.breakeven);
    return is_axis(study, study->memo.breakeven, at, err) &&
           (axis->kind.number ||
            error_input(err, at, "found %s, which has no numbers to look along", axis->name));
}

static bool check_metric(const struct study *study, const struct source_location *at,
                         struct error *err)
{
    enum metric metric;
    return metric_one(study->memo.metric, at, &metric, err);
}

bool study_memo_check(const struct study *study, struct error *err)
{
    static bool (*const checks[KEYS])(const struct study *, const struct source_location *,
                                      struct error *) = {
        [KEY_METRIC] = check_metric,   [KEY_BREAKEVEN] = check_breakeven,
        [KEY_MAP] = check_map,         [KEY_CASE] = check_case,
        [KEY_COMPARE] = check_compare, [KEY_ALSO] = check_also,
        [KEY_TARGETS] = check_targets, [KEY_BY] = check_by,
    };
    const struct study_memo *memo = &study->memo;
    for (size_t i = 0; i < KEYS; i++) {
        struct source_location at = {study->path, memo->line[i], study_memo_options[i].name};
        if (memo->line[i] > 0 && checks[i] && !checks[i](study, &at, err)) {
            return false;
        }
    }
    return true;
}
