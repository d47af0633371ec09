#include "study/trial_json.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

#define VERDICT_NUMBERS 5
_Static_assert(sizeof(struct verdict) == 40, "what a verdict says is kept, too");

static const char what_for[] = "the counts of a run";

bool trial_json_fits(const struct trial *trial)
{
    bool fits = true;
    for (size_t i = 0; i < trial->count; i++) {
        fits = fits && trial->counts[i].n <= INT64_MAX;
    }
    return fits;
}

/* --- written --- */

/* Each play is written, which is why no tree of JSON is made of it before. */
struct writing {
    char *text;
    size_t length, room;
};

static void put_bytes(struct writing *writing, const char *bytes, size_t count)
{
    if (writing->room - writing->length <= count) {
        writing->room = 2 * (writing->room + count) + 64;
        writing->text = alloc_checked(realloc(writing->text, writing->room), what_for);
    }
    memcpy(writing->text + writing->length, bytes, count);
    writing->length += count;
    writing->text[writing->length] = '\0';
}

static void put(struct writing *writing, const char *text)
{
    put_bytes(writing, text, strlen(text));
}

/* A comma, but for the first one of an array or object. */
static void put_next(struct writing *writing)
{
    char last = writing->text[writing->length - 1];
    if (last != '[' && last != '{' && last != ':') {
        put_bytes(writing, ",", 1);
    }
}

static void put_open(struct writing *writing, const char *bracket)
{
    if (writing->length > 0) {
        put_next(writing);
    }
    put_bytes(writing, bracket, 1);
}

static void put_whole(struct writing *writing, uint64_t n)
{
    char digits[20], *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put_next(writing);
    put_bytes(writing, first, (size_t)(digits + sizeof digits - first));
}

static void put_text(struct writing *writing, const char *text)
{
    put_next(writing);
    put(writing, "\"");
    put(writing, text);
    put(writing, "\"");
}

static void put_name(struct writing *writing, const char *name)
{
    put_text(writing, name);
    put(writing, ":");
}

static char *counts_of(const struct trial *trial)
{
    struct writing writing = {0};
    put_open(&writing, "{");
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_count *count = &trial->counts[i];
        if (i == 0 || count[-1].site != count->site) {
            put(&writing, i == 0 ? "" : "}");
            put_name(&writing, site_name[count->site]);
            put_open(&writing, "{");
        }
        put_name(&writing, event_name[count->kind]);
        put_whole(&writing, count->n);
    }
    put(&writing, trial->count > 0 ? "}}" : "}");
    return writing.text;
}

static char *before_of(const struct trial *trial)
{
    struct writing writing = {0};
    bool seen[EVENT_KINDS];
    memcpy(seen, trial->seen, sizeof seen);
    for (size_t i = 0; i < trial->count; i++) {
        seen[trial->counts[i].kind] = false;
    }
    put(&writing, "{\"kinds\":[");
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        if (seen[kind]) {
            put_text(&writing, event_name[kind]);
        }
    }
    put(&writing, "],\"cleaned\":{");
    for (int site = 0; site < SITES; site++) {
        if (trial->cleaned_before[site] > 0) {
            put_name(&writing, site_name[site]);
            put_whole(&writing, trial->cleaned_before[site]);
        }
    }
    put(&writing, trial->notified ? "},\"notified\":1}" : "}}");
    return writing.text;
}

static char *leaves_of(const struct trial *trial)
{
    struct writing writing = {0};
    put_open(&writing, "[");
    for (int level = 0; level < LEAF_LEVELS; level++) {
        put_whole(&writing, trial->leaves[level]);
    }
    put(&writing, "]");
    return writing.text;
}

static char *verdicts_of(const struct trial *trial)
{
    struct writing writing = {0};
    put_open(&writing, "{");
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *verdict = &trial->verdict[reader];
        const uint64_t numbers[VERDICT_NUMBERS] = {verdict->outcome, verdict->lines_read,
                                                   verdict->lines_stale, verdict->lines_conditional,
                                                   verdict->conditions};
        put_name(&writing, reader_name[reader]);
        put_open(&writing, "[");
        for (size_t i = 0; i < VERDICT_NUMBERS; i++) {
            put_whole(&writing, numbers[i]);
        }
        put(&writing, "]");
    }
    put(&writing, "}");
    return writing.text;
}

static void put_kinds(struct writing *writing, const struct kind_count *events, size_t count)
{
    put_open(writing, "{");
    for (size_t i = 0; i < count; i++) {
        put_name(writing, event_name[events[i].kind]);
        put_whole(writing, events[i].n);
    }
    put(writing, "}");
}

static char *tails_of(const struct trial *trial)
{
    struct writing writing = {0};
    put_open(&writing, "[");
    for (size_t i = 0; i < trial->tail_count; i++) {
        const struct trial_tail *tail = &trial->tails[i];
        const struct kind_count *events = trial->tail_events + tail->first;
        put_open(&writing, "[");
        put_whole(&writing, tail->what);
        put_whole(&writing, tail->alike);
        put_whole(&writing, tail->times);
        put_kinds(&writing, events, tail->total);
        put_kinds(&writing, events + tail->total, tail->once);
        put(&writing, "]");
    }
    put(&writing, "]");
    return writing.text;
}

/* A kind is there once, with the sum. */
static void put_events(struct writing *writing, const struct section_event *events, size_t count)
{
    bool put_before[EVENT_KINDS] = {false};
    put_open(writing, "{");
    for (size_t i = 0; i < count; i++) {
        uint64_t n = 0;
        for (size_t k = i; k < count; k++) {
            n += events[k].kind == events[i].kind ? events[k].n : 0;
        }
        if (!put_before[events[i].kind]) {
            put_name(writing, event_name[events[i].kind]);
            put_whole(writing, n);
        }
        put_before[events[i].kind] = true;
    }
    put(writing, "}");
}

static void put_section(struct writing *writing, const struct section *section)
{
    const struct section_turn *turn = section->turns;
    put_open(writing, "[");
    put_open(writing, "[");
    for (uint32_t i = 0; i < section->actors; i++) {
        put_open(writing, "[");
        for (size_t k = 0; k < section->own[i]; k++, turn++) {
            put_open(writing, "[");
            put_whole(writing, turn->step);
            put_whole(writing, turn->times);
            put(writing, "]");
        }
        put(writing, "]");
    }
    put(writing, "]");
    put_open(writing, "[");
    for (size_t i = 0; i < section->step_count; i++) {
        const struct section_step *step = &section->steps[i];
        const struct section_event *events = section->events + step->first;
        put_open(writing, "[");
        put_whole(writing, step->request);
        put_whole(writing, !step->asked ? 0 : step->alone ? 1 : 2);
        put_events(writing, events, step->charged);
        put_events(writing, events + step->charged, step->counted);
        put(writing, "]");
    }
    put(writing, "]]");
}

static char *sections_of(const struct trial *trial)
{
    struct writing writing = {0};
    put_open(&writing, "[");
    for (size_t i = 0; i < trial->section_count; i++) {
        put_section(&writing, &trial->sections[i]);
    }
    put(&writing, "]");
    return writing.text;
}

void trial_json_of(const struct trial *trial, struct trial_json *json)
{
    *json = (struct trial_json){.counts = counts_of(trial),
                                .before = before_of(trial),
                                .leaves = leaves_of(trial),
                                .verdicts = trial->judged ? verdicts_of(trial) : NULL,
                                .tails = trial->has_tails ? tails_of(trial) : NULL,
                                .sections = trial->section_count > 0 ? sections_of(trial) : NULL};
}

void trial_json_free(struct trial_json *json)
{
    free(json->counts);
    free(json->before);
    free(json->leaves);
    free(json->verdicts);
    free(json->tails);
    free(json->sections);
}

/* --- back --- */

/* As it was written: without blanks, names in their order. */
struct reading {
    const char *at;
};

static bool take(struct reading *reading, char wanted)
{
    bool there = *reading->at == wanted;
    reading->at += there;
    return there;
}

static bool take_all(struct reading *reading, const char *wanted)
{
    size_t length = strlen(wanted);
    bool there = strncmp(reading->at, wanted, length) == 0;
    reading->at += there ? length : 0;
    return there;
}

static bool is_over(const struct reading *reading)
{
    return *reading->at == '\0';
}

/* A name in quotes; its index, of those from `from` to `end`; `end`: it is none of them. */
static size_t take_text(struct reading *reading, const char *const *names, size_t from, size_t end)
{
    for (size_t i = from; i < end && *reading->at == '"'; i++) {
        const char *at = reading->at + 1, *name = names[i];
        while (*name != '\0' && *at == *name) {
            at++;
            name++;
        }
        if (*name == '\0' && *at == '"') {
            reading->at = at + 1;
            return i;
        }
    }
    return end;
}

/* The same and a colon. */
static size_t take_name(struct reading *reading, const char *const *names, size_t from, size_t end)
{
    size_t i = take_text(reading, names, from, end);
    return i < end && take(reading, ':') ? i : end;
}

static bool take_whole(struct reading *reading, uint64_t *n)
{
    const char *first = reading->at;
    *n = 0;
    while (*reading->at >= '0' && *reading->at <= '9') {
        uint64_t digit = (uint64_t)(*reading->at++ - '0');
        if (*n > (INT64_MAX - digit) / 10) {
            return false;
        }
        *n = 10 * *n + digit;
    }
    return reading->at > first;
}

/* Exactly so many, with commas between them. */
static bool take_wholes(struct reading *reading, uint64_t *n, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        good = good && (i == 0 || take(reading, ',')) && take_whole(reading, &n[i]);
    }
    return good;
}

/* How many there are of what opens an array, an object, or has a name, up to the end of an array.
 */
struct sizes {
    size_t arrays, objects, names;
};

static struct sizes sizes_of(const char *array)
{
    struct sizes sizes = {0};
    size_t depth = 0;
    do {
        sizes.arrays += *array == '[';
        sizes.objects += *array == '{';
        sizes.names += *array == ':';
        depth += *array == '[';
        depth -= *array == ']' && depth > 0;
    } while (*array++ != '\0' && depth > 0);
    return sizes;
}

static bool read_site(struct reading *reading, size_t site, struct trial *trial)
{
    size_t kind = 0;
    if (!take(reading, '{')) {
        return false;
    }
    do {
        uint64_t n;
        kind = take_name(reading, event_name, kind, EVENT_KINDS);
        if (kind == EVENT_KINDS || !take_whole(reading, &n)) {
            return false;
        }
        trial->seen[kind] = true;
        trial->counts[trial->count++] =
            (struct event_count){event_part((enum event_kind)kind, (enum site)site),
                                 (enum site)site, (enum event_kind)kind, n};
        kind++;
    } while (take(reading, ','));
    return take(reading, '}');
}

static bool read_counts(const char *text, struct trial *trial)
{
    struct reading reading = {text};
    size_t site = 0, room = 0;
    for (const char *at = text; *at; at++) {
        room += *at == ':';
    }
    trial->counts = alloc_zeroed(room, sizeof *trial->counts, what_for);
    if (strcmp(text, "{}") == 0) {
        return true;
    }
    if (!take(&reading, '{')) {
        return false;
    }
    do {
        site = take_name(&reading, site_name, site, SITES);
        if (site == SITES || !read_site(&reading, site, trial)) {
            return false;
        }
        site++;
    } while (take(&reading, ','));
    return take(&reading, '}') && is_over(&reading);
}

static bool read_before(const char *text, struct trial *trial)
{
    struct reading reading = {text};
    size_t kind = 0, site = 0;
    bool good = take_all(&reading, "{\"kinds\":[");
    while (good && !take(&reading, ']')) {
        good = kind == 0 || take(&reading, ',');
        kind = take_text(&reading, event_name, kind, EVENT_KINDS);
        good = good && kind < EVENT_KINDS;
        if (good) {
            trial->seen[kind++] = true;
        }
    }
    good = good && take_all(&reading, ",\"cleaned\":{");
    while (good && !take(&reading, '}')) {
        good = site == 0 || take(&reading, ',');
        site = take_name(&reading, site_name, site, SITES);
        good = good && site < SITES && take_whole(&reading, &trial->cleaned_before[site]);
        site++;
    }
    trial->notified = good && take_all(&reading, ",\"notified\":1");
    return good && take(&reading, '}') && is_over(&reading);
}

static bool read_leaves(const char *text, struct trial *trial)
{
    struct reading reading = {text};
    return take(&reading, '[') && take_wholes(&reading, trial->leaves, LEAF_LEVELS) &&
           take(&reading, ']') && is_over(&reading);
}

static bool read_verdicts(const char *text, struct trial *trial)
{
    struct reading reading = {text};
    trial->judged = text[0] != '\0';
    bool good = !trial->judged || take(&reading, '{');
    for (size_t reader = 0; trial->judged && good && reader < READERS; reader++) {
        uint64_t one[VERDICT_NUMBERS];
        good = (reader == 0 || take(&reading, ',')) &&
               take_name(&reading, reader_name, reader, READERS) == reader && take(&reading, '[') &&
               take_wholes(&reading, one, VERDICT_NUMBERS) && take(&reading, ']') &&
               one[0] <= STALE;
        if (good) {
            trial->verdict[reader] = (struct verdict){.outcome = (enum outcome)one[0],
                                                      .lines_read = one[1],
                                                      .lines_stale = one[2],
                                                      .lines_conditional = one[3],
                                                      .conditions = (unsigned)one[4]};
        }
    }
    return good && (!trial->judged || take(&reading, '}')) && is_over(&reading);
}

/* Appends the events of an object. */
static bool read_kinds(struct reading *reading, struct trial *trial, size_t *count)
{
    size_t kind = 0;
    bool good = take(reading, '{');
    while (good && !take(reading, '}')) {
        uint64_t n;
        good = kind == 0 || take(reading, ',');
        kind = take_name(reading, event_name, kind, EVENT_KINDS);
        good = good && kind < EVENT_KINDS && take_whole(reading, &n);
        if (good) {
            trial->tail_events[trial->tail_event_count++] =
                (struct kind_count){(enum event_kind)kind++, n};
            ++*count;
        }
    }
    return good;
}

static bool read_tail(struct reading *reading, struct trial *trial)
{
    struct trial_tail *tail = &trial->tails[trial->tail_count++];
    uint64_t numbers[3] = {0};
    bool good = take(reading, '[') && take_wholes(reading, numbers, 3);
    *tail = (struct trial_tail){.what = (enum tail_what)numbers[0],
                                .alike = numbers[1],
                                .times = numbers[2],
                                .first = trial->tail_event_count};
    return good && numbers[0] <= TAIL_FIRST && numbers[1] >= 1 && take(reading, ',') &&
           read_kinds(reading, trial, &tail->total) && take(reading, ',') &&
           read_kinds(reading, trial, &tail->once) && take(reading, ']');
}

static bool read_tails(const char *text, struct trial *trial)
{
    struct reading reading = {text};
    struct sizes sizes = sizes_of(text);
    trial->has_tails = text[0] != '\0';
    trial->tails = alloc_raw(sizes.arrays, sizeof *trial->tails, what_for);
    trial->tail_events = alloc_raw(sizes.names, sizeof *trial->tail_events, what_for);
    bool good = !trial->has_tails || take(&reading, '[');
    while (trial->has_tails && good && !take(&reading, ']')) {
        good = (trial->tail_count == 0 || take(&reading, ',')) && read_tail(&reading, trial);
    }
    return good && is_over(&reading);
}

/* --- sections --- */

/* Appends the events of an object, in any order: often the same as those before. */
static bool read_events(struct reading *reading, struct section *section, size_t *count)
{
    size_t next = 0;
    bool good = take(reading, '{');
    while (good && !take(reading, '}')) {
        uint64_t n;
        good = *count == 0 || take(reading, ',');
        size_t kind = take_text(reading, event_name, next, EVENT_KINDS);
        if (kind == EVENT_KINDS) {
            kind = take_text(reading, event_name, 0, next);
            good = good && kind < next;
        }
        good = good && take(reading, ':') && take_whole(reading, &n);
        if (good) {
            section->events[section->event_count++] = (struct section_event){(uint32_t)kind, n};
            next = kind + 1;
            ++*count;
        }
    }
    return good;
}

static bool read_step(struct reading *reading, struct section *section)
{
    struct section_step *step = &section->steps[section->step_count++];
    uint64_t numbers[2] = {0}; /* what it asks for, what it saw */
    bool good = take(reading, '[') && take_wholes(reading, numbers, 2);
    *step = (struct section_step){.request = (enum section_request)numbers[0],
                                  .asked = numbers[1] > 0,
                                  .alone = numbers[1] == 1,
                                  .first = section->event_count};
    return good && numbers[0] <= SECTION_WAIT && numbers[1] <= 2 && take(reading, ',') &&
           read_events(reading, section, &step->charged) && take(reading, ',') &&
           read_events(reading, section, &step->counted) && take(reading, ']');
}

static bool read_steps(struct reading *reading, struct section *section)
{
    bool good = take(reading, '[');
    while (good && !take(reading, ']')) {
        good = (section->step_count == 0 || take(reading, ',')) && read_step(reading, section);
    }
    return good;
}

/* Those of one actor. */
static bool read_turns(struct reading *reading, struct section *section)
{
    size_t *count = &section->own[section->actors++];
    bool good = take(reading, '[');
    while (good && !take(reading, ']')) {
        uint64_t numbers[2];
        good = (*count == 0 || take(reading, ',')) && take(reading, '[') &&
               take_wholes(reading, numbers, 2) && take(reading, ']') && numbers[1] > 0;
        if (good) {
            section->turns[section->turn_count++] = (struct section_turn){numbers[0], numbers[1]};
            ++*count;
        }
    }
    return good;
}

static bool read_section(struct reading *reading, struct section *section)
{
    struct sizes sizes = sizes_of(reading->at);
    section->own = alloc_zeroed(sizes.arrays, sizeof *section->own, what_for);
    section->turns = alloc_zeroed(sizes.arrays, sizeof *section->turns, what_for);
    section->steps = alloc_zeroed(sizes.objects / 2 + 1, sizeof *section->steps, what_for);
    section->events = alloc_zeroed(sizes.names, sizeof *section->events, what_for);
    bool good = take(reading, '[');
    good = good && take(reading, '[');
    while (good && !take(reading, ']')) {
        good = (section->actors == 0 || take(reading, ',')) && read_turns(reading, section);
    }
    good = good && take(reading, ',') && read_steps(reading, section) && take(reading, ']');
    for (size_t i = 0; i < section->turn_count; i++) {
        good = good && section->turns[i].step < section->step_count;
    }
    return good && section->actors > 0;
}

static bool read_sections(const char *text, struct trial *trial)
{
    struct reading reading = {text};
    size_t room = 0;
    bool good = text[0] == '\0' || take(&reading, '[');
    while (text[0] != '\0' && good && !take(&reading, ']')) {
        good = trial->section_count == 0 || take(&reading, ',');
        if (trial->section_count == room) {
            room = 2 * room + 1;
            trial->sections =
                alloc_checked(realloc(trial->sections, room * sizeof *trial->sections), what_for);
        }
        struct section *section = &trial->sections[trial->section_count++];
        *section = (struct section){0};
        good = good && read_section(&reading, section);
    }
    return good && is_over(&reading);
}

bool trial_json_read(const struct trial_json *json, struct trial *trial)
{
    return read_counts(json->counts, trial) && read_before(json->before, trial) &&
           read_leaves(json->leaves, trial) && read_verdicts(json->verdicts, trial) &&
           read_tails(json->tails, trial) && read_sections(json->sections, trial);
}
