/* In which of a memo's cases something holds, in words: "4 KiB leaves up to 4 vCPUs". */
#include "report/memo/memo_input.h"

#include <stdlib.h>
#include <string.h>

#define WHERE_PARTS 4 /* more are counted, not named */

/* What the words are about: the cases, and the facets that tell them from the others. */
struct where {
    const struct memo *memo;
    const bool *in;
    bool matters[STUDY_AXES];
    const struct axis *run; /* of numbers, said as a range; NULL: none */
};

/* Whether two places differ in nothing but one facet. */
static bool differ_only_in(const struct memo *memo, size_t facet, size_t p, size_t q)
{
    const struct axis *axis = &memo->study->axes[facet];
    return p != q && memo_with(axis, memo->place[p], 0) == memo_with(axis, memo->place[q], 0);
}

static bool facet_matters(const struct where *where, size_t facet)
{
    const struct memo *memo = where->memo;
    for (size_t p = 0; p < memo->places && memo->facet[facet]; p++) {
        for (size_t q = 0; q < memo->places; q++) {
            if (where->in[p] && !where->in[q] && differ_only_in(memo, facet, p, q)) {
                return true;
            }
        }
    }
    return false;
}

static bool ascends(const struct axis *axis)
{
    for (size_t i = 1; i < axis->values.count; i++) {
        if (strtod(axis->values.text[i], NULL) <= strtod(axis->values.text[i - 1], NULL)) {
            return false;
        }
    }
    return true;
}

/* The facets that matter; a leaf size says its granule, too. */
static void find_matters(struct where *where)
{
    const struct study *study = where->memo->study;
    size_t granule = STUDY_AXES, backing = STUDY_AXES;
    for (size_t i = 0; i < study->axis_count; i++) {
        const struct axis *axis = &study->axes[i];
        where->matters[i] = facet_matters(where, i);
        if (where->matters[i] && axis->kind.number && axis->values.count > 2 && ascends(axis)) {
            where->run = axis;
        }
        granule = strcmp(axis->name, "granule") == 0 ? i : granule;
        backing = strcmp(axis->name, "backing") == 0 ? i : backing;
    }
    if (granule < STUDY_AXES && backing < STUDY_AXES && where->matters[granule]) {
        where->matters[granule] = false;
        where->matters[backing] = true;
    }
}

/* Without what stands in brackets behind it, where no case of the others is called so then. */
static void strip_brackets(const struct where *where, const struct axis *axis, char *words)
{
    const struct memo *memo = where->memo;
    char *bracket = strstr(words, " (");
    bool unique = bracket != NULL;
    for (size_t p = 0; p < memo->places && unique; p++) {
        char other[MEMO_TEXT];
        memo_axis_words(memo, axis, memo->place[p], other);
        char *end = strstr(other, " (");
        size_t length = end ? (size_t)(end - other) : strlen(other);
        unique = where->in[p] || length != (size_t)(bracket - words) ||
                 strncmp(other, words, length) != 0;
    }
    if (unique) {
        *bracket = '\0';
    }
}

/* What a place is called by the facets that matter and are no range. */
static void place_name(const struct where *where, size_t place, char name[MEMO_TEXT])
{
    const struct memo *memo = where->memo;
    name[0] = '\0';
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        const struct axis *axis = &memo->study->axes[i];
        char words[MEMO_TEXT];
        size_t used = strlen(name);
        if (where->matters[i] && axis != where->run) {
            memo_axis_words(memo, axis, memo->place[place], words);
            strip_brackets(where, axis, words);
            snprintf(name + used, MEMO_TEXT - used, "%s%s", used ? " with " : "", words);
        }
    }
}

/* Which values of the range places of that name have: "from 16 vCPUs"; "" for all. */
static void range_words(const struct where *where, const char *name, char buf[MEMO_TEXT])
{
    const struct memo *memo = where->memo;
    size_t first = SIZE_MAX, last = 0, at_first = 0, at_last = 0, count = 0;
    char low[MEMO_TEXT], high[MEMO_TEXT];
    buf[0] = '\0';
    if (!where->run) {
        return;
    }
    for (size_t p = 0; p < memo->places; p++) {
        char other[MEMO_TEXT];
        size_t digit = study_digit(where->run, memo->place[p]);
        place_name(where, p, other);
        if (!where->in[p] || strcmp(other, name) != 0) {
            continue;
        }
        count++;
        if (first == SIZE_MAX || digit < first) {
            first = digit;
            at_first = memo->place[p];
        }
        if (digit >= last) {
            last = digit;
            at_last = memo->place[p];
        }
    }
    memo_axis_words(memo, where->run, at_first, low);
    memo_axis_words(memo, where->run, at_last, high);
    bool to_end = last + 1 == where->run->values.count, whole = first == 0 && to_end;
    if (count < last - first + 1) {
        snprintf(buf, MEMO_TEXT, "at some %s", words_axis(where->run->name));
    } else if (first == last) {
        snprintf(buf, MEMO_TEXT, "%s", low);
    } else if (!whole && to_end) {
        snprintf(buf, MEMO_TEXT, "from %.200s", low);
    } else if (!whole) {
        snprintf(buf, MEMO_TEXT, "%s%.100s%s%.100s", first == 0 ? "up to " : "from ",
                 first == 0 ? high : low, first == 0 ? "" : " to ", first == 0 ? "" : high);
    }
}

/* The end that all names have in common, from a blank on: " KiB leaves"; a percent sign stays with
 * its number. */
static const char *common_end(char (*name)[MEMO_TEXT], size_t count)
{
    const char *end = name[0] + strlen(name[0]), *found = end;
    for (const char *from = end; from > name[0]; from--) {
        size_t length = strlen(from);
        bool common = true;
        for (size_t i = 1; i < count && common; i++) {
            size_t own = strlen(name[i]);
            common = own > length && strcmp(name[i] + own - length, from) == 0;
        }
        if (!common) {
            break;
        }
        found = *from == ' ' && from[1] != '%' ? from : found;
    }
    return found;
}

static void join_names(char (*name)[MEMO_TEXT], size_t count, char buf[MEMO_TEXT])
{
    const char *end = count > 1 ? common_end(name, count) : "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const char *before = i == 0 ? "" : i + 1 == count ? " and " : ", ";
        used += (size_t)snprintf(buf + used, MEMO_TEXT - used, "%s%.*s", before,
                                 (int)(strlen(name[i]) - strlen(end)), name[i]);
        used = used < MEMO_TEXT ? used : MEMO_TEXT - 1;
    }
    snprintf(buf + used, MEMO_TEXT - used, "%s", end);
}

static bool is_listed(char (*list)[MEMO_TEXT], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The names of the places that are in, those with the same range together. Returns how many
 * parts that makes. */
static size_t name_parts(const struct where *where, char (*part)[MEMO_TEXT])
{
    char name[MEMO_PLACES][MEMO_TEXT], range[MEMO_PLACES][MEMO_TEXT];
    bool done[MEMO_PLACES] = {false};
    size_t names = 0, parts = 0;
    for (size_t p = 0; p < where->memo->places; p++) {
        char own[MEMO_TEXT];
        place_name(where, p, own);
        if (where->in[p] && !is_listed(name, names, own)) {
            memcpy(name[names], own, sizeof own);
            range_words(where, own, range[names++]);
        }
    }
    for (size_t i = 0; i < names; i++) {
        char same[MEMO_PLACES][MEMO_TEXT], list[MEMO_TEXT];
        size_t count = 0;
        for (size_t k = i; k < names && !done[i]; k++) {
            if (!done[k] && strcmp(range[k], range[i]) == 0) {
                memcpy(same[count++], name[k], sizeof name[k]);
                done[k] = k > i;
            }
        }
        if (count > 0) {
            join_names(same, count, list);
            bool run = strncmp(range[i], "from ", 5) == 0 || strncmp(range[i], "up to ", 6) == 0;
            snprintf(part[parts++], MEMO_TEXT, "%.140s%s%.100s", list,
                     list[0] && range[i][0] ? (run ? " " : " and ") : "", range[i]);
        }
    }
    return parts;
}

char *memo_where(const struct memo *memo, const bool in[MEMO_PLACES], char buf[MEMO_TEXT])
{
    struct where where = {.memo = memo, .in = in};
    char part[MEMO_PLACES][MEMO_TEXT];
    size_t count = 0;
    find_matters(&where);
    size_t parts = name_parts(&where, part);
    for (size_t p = 0; p < memo->places; p++) {
        count += in[p];
    }
    if (parts > WHERE_PARTS || (parts == 1 && !part[0][0] && count < memo->places)) {
        snprintf(buf, MEMO_TEXT, "%zu of %zu cases", count, memo->places);
    } else {
        join_names(part, parts, buf);
    }
    return buf;
}
