#include "study/trial_json.h"

#include "core/alloc.h"
#include "core/choice.h"
#include "core/tojson.h"

#include <stdlib.h>
#include <string.h>

#define VERDICT_NUMBERS 5
_Static_assert(sizeof(struct verdict) == 40, "what a verdict says is kept, too");

bool trial_json_fits(const struct trial *trial)
{
    bool fits = true;
    for (size_t i = 0; i < trial->count; i++) {
        fits = fits && trial->counts[i].n <= INT64_MAX;
    }
    return fits;
}

static char *counts_of(const struct trial *trial)
{
    json_t *all = json_object();
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_count *count = &trial->counts[i];
        json_t *site = json_object_get(all, site_name[count->site]);
        if (!site) {
            site = json_object();
            tojson_set(all, site_name[count->site], site);
        }
        tojson_set(site, event_name[count->kind], tojson_whole(count->n));
    }
    return tojson_dump(all, JSON_COMPACT);
}

static char *before_of(const struct trial *trial)
{
    json_t *kinds = json_array();
    bool seen[EVENT_KINDS];
    memcpy(seen, trial->seen, sizeof seen);
    for (size_t i = 0; i < trial->count; i++) {
        seen[trial->counts[i].kind] = false;
    }
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        if (seen[kind]) {
            tojson_append(kinds, tojson_text(event_name[kind]));
        }
    }
    json_t *before = json_object(), *cleaned = json_object();
    for (int site = 0; site < SITES; site++) {
        if (trial->cleaned_before[site] > 0) {
            tojson_set(cleaned, site_name[site], tojson_whole(trial->cleaned_before[site]));
        }
    }
    tojson_set(before, "kinds", kinds);
    tojson_set(before, "cleaned", cleaned);
    return tojson_dump(before, JSON_COMPACT);
}

static json_t *kinds_of(const struct kind_count *events, size_t count)
{
    json_t *kinds = json_object();
    for (size_t i = 0; i < count; i++) {
        tojson_set(kinds, event_name[events[i].kind], tojson_whole(events[i].n));
    }
    return kinds;
}

static char *tails_of(const struct trial *trial)
{
    json_t *all = json_array();
    for (size_t i = 0; i < trial->tail_count; i++) {
        const struct trial_tail *tail = &trial->tails[i];
        const struct kind_count *events = trial->tail_events + tail->first;
        json_t *one = json_array();
        tojson_append(one, tojson_whole(tail->what));
        tojson_append(one, tojson_whole(tail->alike));
        tojson_append(one, tojson_whole(tail->times));
        tojson_append(one, kinds_of(events, tail->total));
        tojson_append(one, kinds_of(events + tail->total, tail->once));
        tojson_append(all, one);
    }
    return tojson_dump(all, JSON_COMPACT);
}

static json_t *section_events_of(const struct section_event *events, size_t count)
{
    json_t *kinds = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *before = json_object_get(kinds, event_name[events[i].kind]);
        tojson_set(kinds, event_name[events[i].kind],
                   tojson_whole(events[i].n + (uint64_t)json_integer_value(before)));
    }
    return kinds;
}

static json_t *section_of(const struct section *section)
{
    json_t *one = json_array(), *actors = json_array(), *steps = json_array();
    const struct section_turn *turn = section->turns;
    for (uint32_t i = 0; i < section->actors; i++) {
        json_t *turns = json_array();
        for (size_t k = 0; k < section->own[i]; k++, turn++) {
            tojson_append(turns,
                          json_pack("[I,I]", (json_int_t)turn->step, (json_int_t)turn->times));
        }
        tojson_append(actors, turns);
    }
    for (size_t i = 0; i < section->step_count; i++) {
        const struct section_step *step = &section->steps[i];
        const struct section_event *events = section->events + step->first;
        json_t *own = json_array();
        tojson_append(own, tojson_whole(step->request));
        tojson_append(own, tojson_whole(!step->asked ? 0 : step->alone ? 1 : 2));
        tojson_append(own, section_events_of(events, step->charged));
        tojson_append(own, section_events_of(events + step->charged, step->counted));
        tojson_append(steps, own);
    }
    tojson_append(one, actors);
    tojson_append(one, steps);
    return one;
}

static char *verdicts_of(const struct trial *trial)
{
    json_t *verdicts = json_object();
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *verdict = &trial->verdict[reader];
        const uint64_t numbers[VERDICT_NUMBERS] = {verdict->outcome, verdict->lines_read,
                                                   verdict->lines_stale, verdict->lines_conditional,
                                                   verdict->conditions};
        json_t *one = json_array();
        for (size_t i = 0; i < VERDICT_NUMBERS; i++) {
            tojson_append(one, tojson_whole(numbers[i]));
        }
        tojson_set(verdicts, reader_name[reader], one);
    }
    return tojson_dump(verdicts, JSON_COMPACT);
}

static char *sections_of(const struct trial *trial)
{
    json_t *all = json_array();
    for (size_t i = 0; i < trial->section_count; i++) {
        tojson_append(all, section_of(&trial->sections[i]));
    }
    return tojson_dump(all, JSON_COMPACT);
}

void trial_json_of(const struct trial *trial, struct trial_json *json)
{
    json_t *leaves = json_array();
    for (int level = 0; level < LEAF_LEVELS; level++) {
        tojson_append(leaves, tojson_whole(trial->leaves[level]));
    }
    *json = (struct trial_json){.counts = counts_of(trial),
                                .before = before_of(trial),
                                .leaves = tojson_dump(leaves, JSON_COMPACT),
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

/* Counts are most of what there is, and are read for each draw of each strategy: as counts_of
 * writes them, without blanks and in the order of sites and kinds. */
struct reading {
    const char *at;
};

static bool take(struct reading *reading, char wanted)
{
    bool there = *reading->at == wanted;
    reading->at += there;
    return there;
}

/* A name in quotes and a colon; its index, from `from` on; `count`: it is none of them. */
static size_t take_name(struct reading *reading, const char *const *names, size_t from,
                        size_t count)
{
    if (!take(reading, '"')) {
        return count;
    }
    for (size_t i = from; i < count; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(reading->at, names[i], length) == 0 && reading->at[length] == '"') {
            reading->at += length + 1;
            return take(reading, ':') ? i : count;
        }
    }
    return count;
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
    trial->counts = alloc_zeroed(room, sizeof *trial->counts, "counts of a run");
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
    return take(&reading, '}') && *reading.at == '\0';
}

static bool read_before(const char *text, struct trial *trial)
{
    json_t *before = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *one;
    json_t *kinds = json_object_get(before, "kinds");
    json_t *cleaned = json_object_get(before, "cleaned");
    const char *site_text;
    size_t i;
    bool good = json_is_array(kinds) && json_is_object(cleaned);
    json_object_foreach(cleaned, site_text, one)
    {
        size_t site = choice_index(site_name, SITES, site_text);
        good = good && site < SITES && json_is_integer(one);
        if (good) {
            trial->cleaned_before[site] = (uint64_t)json_integer_value(one);
        }
    }
    json_array_foreach(kinds, i, one)
    {
        const char *name = json_string_value(one);
        size_t kind = name ? choice_index(event_name, EVENT_KINDS, name) : EVENT_KINDS;
        good = good && kind < EVENT_KINDS;
        if (good) {
            trial->seen[kind] = true;
        }
    }
    json_decref(before);
    return good;
}

/* An array of exactly so many whole numbers. */
static bool read_numbers(const json_t *array, uint64_t *numbers, size_t count)
{
    bool good = json_is_array(array) && json_array_size(array) == count;
    for (size_t i = 0; good && i < count; i++) {
        const json_t *one = json_array_get(array, i);
        good = json_is_integer(one);
        numbers[i] = (uint64_t)json_integer_value(one);
    }
    return good;
}

static bool read_leaves(const char *text, struct trial *trial)
{
    json_t *leaves = json_loads(text, 0, NULL);
    bool good = read_numbers(leaves, trial->leaves, LEAF_LEVELS);
    json_decref(leaves);
    return good;
}

static bool read_verdicts(const char *text, struct trial *trial)
{
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    trial->judged = text[0] != '\0';
    bool good = !trial->judged || json_object_size(all) == READERS;
    for (int reader = 0; trial->judged && good && reader < READERS; reader++) {
        uint64_t one[VERDICT_NUMBERS];
        good = read_numbers(json_object_get(all, reader_name[reader]), one, VERDICT_NUMBERS) &&
               one[0] <= STALE;
        if (good) {
            trial->verdict[reader] = (struct verdict){.outcome = (enum outcome)one[0],
                                                      .lines_read = one[1],
                                                      .lines_stale = one[2],
                                                      .lines_conditional = one[3],
                                                      .conditions = (unsigned)one[4]};
        }
    }
    json_decref(all);
    return good;
}

/* Appends the events of an object; false where it is none. */
static bool read_kinds(const json_t *kinds, struct trial *trial, size_t *count)
{
    const char *name;
    json_t *n;
    json_object_foreach((json_t *)kinds, name, n)
    {
        size_t kind = choice_index(event_name, EVENT_KINDS, name);
        if (kind == EVENT_KINDS || !json_is_integer(n)) {
            return false;
        }
        trial->tail_events[trial->tail_event_count++] =
            (struct kind_count){(enum event_kind)kind, (uint64_t)json_integer_value(n)};
        ++*count;
    }
    return json_is_object(kinds);
}

static bool read_tail(const json_t *one, struct trial *trial)
{
    struct trial_tail *tail = &trial->tails[trial->tail_count++];
    uint64_t numbers[3];
    for (size_t i = 0; i < 3; i++) {
        numbers[i] = (uint64_t)json_integer_value(json_array_get(one, i));
    }
    *tail = (struct trial_tail){.what = (enum tail_what)numbers[0],
                                .alike = numbers[1],
                                .times = numbers[2],
                                .first = trial->tail_event_count};
    return numbers[0] <= TAIL_FIRST && numbers[1] >= 1 &&
           read_kinds(json_array_get(one, 3), trial, &tail->total) &&
           read_kinds(json_array_get(one, 4), trial, &tail->once);
}

static bool read_tails(const char *text, struct trial *trial)
{
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *one;
    size_t i, events = 0;
    bool good = text[0] == '\0' || json_is_array(all);
    json_array_foreach(all, i, one)
    {
        events +=
            json_object_size(json_array_get(one, 3)) + json_object_size(json_array_get(one, 4));
    }
    trial->has_tails = all;
    trial->tails = alloc_raw(json_array_size(all), sizeof *trial->tails, "counts of a run");
    trial->tail_events = alloc_raw(events, sizeof *trial->tail_events, "counts of a run");
    json_array_foreach(all, i, one)
    {
        good = good && read_tail(one, trial);
    }
    json_decref(all);
    return good;
}

/* --- sections --- */

/* Appends the events of an object; false where it is none. */
static bool read_events(const json_t *kinds, struct section *section, size_t *count)
{
    const char *name;
    json_t *n;
    json_object_foreach((json_t *)kinds, name, n)
    {
        size_t kind = choice_index(event_name, EVENT_KINDS, name);
        if (kind == EVENT_KINDS || !json_is_integer(n)) {
            return false;
        }
        section->events[section->event_count++] =
            (struct section_event){(uint32_t)kind, (uint64_t)json_integer_value(n)};
        ++*count;
    }
    return json_is_object(kinds);
}

static bool read_steps(const json_t *steps, struct section *section)
{
    size_t events = 0, i;
    json_t *one;
    json_array_foreach(steps, i, one)
    {
        events +=
            json_object_size(json_array_get(one, 2)) + json_object_size(json_array_get(one, 3));
    }
    section->steps = alloc_zeroed(json_array_size(steps), sizeof *section->steps, "steps of a run");
    section->events = alloc_zeroed(events, sizeof *section->events, "steps of a run");
    json_array_foreach(steps, i, one)
    {
        struct section_step *step = &section->steps[section->step_count++];
        uint64_t asks = (uint64_t)json_integer_value(json_array_get(one, 0));
        uint64_t saw = (uint64_t)json_integer_value(json_array_get(one, 1));
        *step = (struct section_step){.request = (enum section_request)asks,
                                      .asked = saw > 0,
                                      .alone = saw == 1,
                                      .first = section->event_count};
        if (asks > SECTION_WAIT || !read_events(json_array_get(one, 2), section, &step->charged) ||
            !read_events(json_array_get(one, 3), section, &step->counted)) {
            return false;
        }
    }
    return true;
}

static bool read_turns(const json_t *actors, struct section *section)
{
    json_t *turns, *one;
    size_t i, k, count = 0;
    json_array_foreach(actors, i, turns)
    {
        count += json_array_size(turns);
    }
    section->actors = (uint32_t)json_array_size(actors);
    section->own = alloc_zeroed(section->actors, sizeof *section->own, "steps of a run");
    section->turns = alloc_zeroed(count, sizeof *section->turns, "steps of a run");
    json_array_foreach(actors, i, turns)
    {
        json_array_foreach(turns, k, one)
        {
            uint64_t numbers[2];
            if (!read_numbers(one, numbers, 2) || numbers[0] >= section->step_count ||
                numbers[1] == 0) {
                return false;
            }
            section->turns[section->turn_count++] = (struct section_turn){numbers[0], numbers[1]};
            section->own[i]++;
        }
    }
    return section->actors > 0;
}

static bool read_sections(const char *text, struct trial *trial)
{
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *one;
    size_t i;
    bool good = text[0] == '\0' || json_is_array(all);
    trial->sections = alloc_zeroed(json_array_size(all), sizeof *trial->sections, "steps of a run");
    json_array_foreach(all, i, one)
    {
        struct section *section = &trial->sections[trial->section_count++];
        good = good && read_steps(json_array_get(one, 1), section) &&
               read_turns(json_array_get(one, 0), section);
    }
    json_decref(all);
    return good;
}

bool trial_json_read(const struct trial_json *json, struct trial *trial)
{
    return read_counts(json->counts, trial) && read_before(json->before, trial) &&
           read_leaves(json->leaves, trial) && read_verdicts(json->verdicts, trial) &&
           read_tails(json->tails, trial) && read_sections(json->sections, trial);
}
