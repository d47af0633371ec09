/* What a run did, as texts and back: each field by itself, what the texts look like, and every way
 * in which they may be something else. */
#include "check.h"
#include "study/trial_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- a trial with something in each field --- */

static struct event_count counts[] = {
    {.site = SITE_FAULT, .kind = EV_tlbi_calls, .n = 3},
    {.site = SITE_SLOT, .kind = EV_exits, .n = 1},
    {.site = SITE_SLOT, .kind = EV_line_dirty, .n = INT64_MAX},
};
static struct kind_count tail_events[] = {
    {EV_exits, 2}, {EV_line_clean, 5}, {EV_line_dirty, 7}, {EV_tlbi_calls, 11}, {EV_exits, 13}};
static struct trial_tail tails[] = {
    {TAIL_HOLD, 1, 17, 0, 2, 1}, {TAIL_STALL, 4, 19, 3, 1, 0}, {TAIL_FIRST, 6, 1, 4, 0, 1}};
static struct section_event events[] = {
    {EV_exits, 3}, {EV_line_clean, 4}, {EV_line_dirty, 6}, {EV_line_absent, 9}};
static struct section_step steps[] = {{SECTION_FLOW, false, false, 0, 1, 2},
                                      {SECTION_NONE, true, true, 3, 0, 0},
                                      {SECTION_RAISE, true, false, 3, 0, 1},
                                      {SECTION_WAIT, false, false, 4, 0, 0}};
static struct section_turn turns[] = {{0, 5}, {3, 1}, {1, 2}, {2, 8}};
static size_t own[] = {2, 0, 2};
static struct section_step one_step[] = {{SECTION_NONE, false, false, 0, 0, 0}};
static struct section_turn one_turn[] = {{0, 1}};
static size_t one_own[] = {1};
static struct section sections[] = {
    {3, steps, 4, events, 4, turns, 4, own},
    {1, one_step, 1, NULL, 0, one_turn, 1, one_own},
};

static struct trial full_trial(void)
{
    struct trial trial = {.counts = counts,
                          .count = 3,
                          .judged = true,
                          .has_tails = true,
                          .tails = tails,
                          .tail_count = 3,
                          .tail_events = tail_events,
                          .tail_event_count = 5,
                          .sections = sections,
                          .section_count = 2};
    trial.seen[EV_tlbi_calls] = trial.seen[EV_exits] = trial.seen[EV_line_dirty] = true;
    trial.seen[0] = trial.seen[EV_line_moves] = true; /* before the re-init alone */
    trial.cleaned_before[SITE_FAULT] = 23;
    trial.cleaned_before[SITES - 1] = 29;
    for (size_t i = 0; i < 3; i++) {
        counts[i].part = event_part(counts[i].kind, counts[i].site);
    }
    for (size_t level = 0; level < LEAF_LEVELS; level++) {
        trial.leaves[level] = 31 + level;
    }
    for (unsigned reader = 0; reader < READERS; reader++) {
        trial.verdict[reader] = (struct verdict){(enum outcome)(reader % 4), 41 + reader,
                                                 51 + reader, 61 + reader, reader};
    }
    return trial;
}

/* --- equality, field by field --- */

#define SAME(a, b) assert_true((a) == (b))

static void same_section(const struct section *a, const struct section *b)
{
    SAME(a->actors, b->actors);
    SAME(a->step_count, b->step_count);
    SAME(a->event_count, b->event_count);
    SAME(a->turn_count, b->turn_count);
    for (size_t i = 0; i < a->step_count; i++) {
        SAME(a->steps[i].request, b->steps[i].request);
        SAME(a->steps[i].asked, b->steps[i].asked);
        SAME(a->steps[i].alone, b->steps[i].alone);
        SAME(a->steps[i].first, b->steps[i].first);
        SAME(a->steps[i].charged, b->steps[i].charged);
        SAME(a->steps[i].counted, b->steps[i].counted);
    }
    for (size_t i = 0; i < a->event_count; i++) {
        SAME(a->events[i].kind, b->events[i].kind);
        SAME(a->events[i].n, b->events[i].n);
    }
    for (size_t i = 0; i < a->turn_count; i++) {
        SAME(a->turns[i].step, b->turns[i].step);
        SAME(a->turns[i].times, b->turns[i].times);
    }
    for (size_t i = 0; i < a->actors; i++) {
        SAME(a->own[i], b->own[i]);
    }
}

static void same_tails(const struct trial *a, const struct trial *b)
{
    SAME(a->has_tails, b->has_tails);
    SAME(a->tail_count, b->tail_count);
    SAME(a->tail_event_count, b->tail_event_count);
    for (size_t i = 0; i < a->tail_count; i++) {
        SAME(a->tails[i].what, b->tails[i].what);
        SAME(a->tails[i].alike, b->tails[i].alike);
        SAME(a->tails[i].times, b->tails[i].times);
        SAME(a->tails[i].first, b->tails[i].first);
        SAME(a->tails[i].total, b->tails[i].total);
        SAME(a->tails[i].once, b->tails[i].once);
    }
    for (size_t i = 0; i < a->tail_event_count; i++) {
        SAME(a->tail_events[i].kind, b->tail_events[i].kind);
        SAME(a->tail_events[i].n, b->tail_events[i].n);
    }
}

static void same_trial(const struct trial *a, const struct trial *b)
{
    SAME(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        SAME(a->counts[i].part, b->counts[i].part);
        SAME(a->counts[i].site, b->counts[i].site);
        SAME(a->counts[i].kind, b->counts[i].kind);
        SAME(a->counts[i].n, b->counts[i].n);
    }
    assert_memory_equal(a->seen, b->seen, sizeof a->seen);
    assert_memory_equal(a->cleaned_before, b->cleaned_before, sizeof a->cleaned_before);
    SAME(a->notified, b->notified);
    assert_memory_equal(a->leaves, b->leaves, sizeof a->leaves);
    SAME(a->judged, b->judged);
    for (int reader = 0; reader < READERS; reader++) {
        SAME(a->verdict[reader].outcome, b->verdict[reader].outcome);
        SAME(a->verdict[reader].lines_read, b->verdict[reader].lines_read);
        SAME(a->verdict[reader].lines_stale, b->verdict[reader].lines_stale);
        SAME(a->verdict[reader].lines_conditional, b->verdict[reader].lines_conditional);
        SAME(a->verdict[reader].conditions, b->verdict[reader].conditions);
    }
    same_tails(a, b);
    SAME(a->section_count, b->section_count);
    for (size_t i = 0; i < a->section_count; i++) {
        same_section(&a->sections[i], &b->sections[i]);
    }
}

/* --- there and back --- */

static char *text_or_empty(char *text)
{
    char *there = text ? text : strdup("");
    assert_non_null(there);
    return there;
}

/* As a store hands them back: what is not there is empty. */
static struct trial_json texts_of(const struct trial *trial)
{
    struct trial_json json;
    trial_json_of(trial, &json);
    json.verdicts = text_or_empty(json.verdicts);
    json.tails = text_or_empty(json.tails);
    json.sections = text_or_empty(json.sections);
    return json;
}

static void there_and_back(const struct trial *trial)
{
    struct trial_json json = texts_of(trial);
    struct trial back = {0};
    assert_true(trial_json_read(&json, &back));
    same_trial(trial, &back);
    trial_free(&back);
    trial_json_free(&json);
}

static void all_of_a_trial_comes_back(void **state)
{
    struct trial trial = full_trial();
    (void)state;
    there_and_back(&trial);
    trial.notified = true;
    there_and_back(&trial);
    trial.judged = false;
    memset(trial.verdict, 0, sizeof trial.verdict);
    there_and_back(&trial);
    trial.has_tails = false;
    trial.tail_count = trial.tail_event_count = 0;
    there_and_back(&trial);
    trial.section_count = 0;
    there_and_back(&trial);
    trial.count = 0;
    there_and_back(&trial);
    memset(trial.seen, 0, sizeof trial.seen);
    memset(trial.cleaned_before, 0, sizeof trial.cleaned_before);
    there_and_back(&trial);
    trial.has_tails = true; /* of a run without holds and stalls */
    there_and_back(&trial);
}

/* People and other programs read them, too. */
static void texts_are_these(void **state)
{
    struct trial trial = full_trial();
    (void)state;
    counts[2].n = 9;
    struct trial_json json = texts_of(&trial);
    counts[2].n = INT64_MAX;
    char before[200];
    snprintf(before, sizeof before,
             "{\"kinds\":[\"%s\",\"line_moves\"],\"cleaned\":{\"fault\":23,\"%s\":29}}",
             event_name[0], site_name[SITES - 1]);
    assert_string_equal(json.counts,
                        "{\"fault\":{\"tlbi_calls\":3},\"slot\":{\"exits\":1,\"line_dirty\":9}}");
    assert_string_equal(json.before, before);
    assert_string_equal(json.leaves, "[31,32,33]");
    assert_int_equal(strncmp(json.verdicts, "{\"guest data, MMU off\":[0,41,51,61,0],", 37), 0);
    assert_string_equal(json.tails, "[[0,1,17,{\"exits\":2,\"line_clean\":5},{\"line_dirty\":7}],"
                                    "[1,4,19,{\"tlbi_calls\":11},{}],[2,6,1,{},{\"exits\":13}]]");
    assert_string_equal(json.sections, "[[[[[0,5],[3,1]],[],[[1,2],[2,8]]],"
                                       "[[1,0,{\"exits\":3},{\"line_clean\":4,\"line_dirty\":6}],"
                                       "[0,1,{},{}],[2,2,{},{\"line_absent\":9}],[3,0,{},{}]]],"
                                       "[[[[0,1]]],[[0,0,{},{}]]]]");
    trial_json_free(&json);
}

/* A kind that a step has twice is there once, with the sum. */
static void kinds_of_a_step_are_summed(void **state)
{
    struct section_event twice[] = {{EV_exits, 3}, {EV_line_dirty, 1}, {EV_exits, 4}};
    struct section_step step = {SECTION_FLOW, false, false, 0, 3, 0};
    struct section section = {1, &step, 1, twice, 3, one_turn, 1, one_own};
    struct trial trial = {.sections = &section, .section_count = 1};
    (void)state;
    struct trial_json json = texts_of(&trial);
    assert_string_equal(json.sections, "[[[[[0,1]]],[[1,0,{\"exits\":7,\"line_dirty\":1},{}]]]]");
    assert_string_equal(json.counts, "{}");
    trial_json_free(&json);
}

static void numbers_of_63_bits_fit(void **state)
{
    struct trial trial = full_trial();
    (void)state;
    assert_true(trial_json_fits(&trial));
    counts[1].n = (uint64_t)INT64_MAX + 1;
    assert_false(trial_json_fits(&trial));
    counts[1].n = 1;
    counts[2].n = UINT64_MAX;
    assert_false(trial_json_fits(&trial));
    counts[2].n = INT64_MAX;
    trial.count = 0;
    assert_true(trial_json_fits(&trial));
}

/* --- what is something else --- */

enum { COUNTS, BEFORE, LEAVES, VERDICTS, TAILS, SECTIONS };

static bool reads(int field, const char *text, struct trial *back)
{
    struct trial trial = full_trial();
    struct trial_json json = texts_of(&trial);
    char **const texts[] = {&json.counts,   &json.before, &json.leaves,
                            &json.verdicts, &json.tails,  &json.sections};
    free(*texts[field]);
    *texts[field] = strdup(text);
    *back = (struct trial){0};
    bool good = trial_json_read(&json, back);
    trial_json_free(&json);
    return good;
}

static void expect_read(int field, const char *text, bool expected)
{
    struct trial back;
    if (reads(field, text, &back) != expected) {
        fail_msg("'%s' is %s", text, expected ? "refused" : "read");
    }
    trial_free(&back);
}

static void other_counts_are_refused(void **state)
{
    static const char *const good[] = {
        "{}",
        "{\"fault\":{\"exits\":0}}",
        "{\"fault\":{\"exits\":9223372036854775807}}",
        "{\"fault\":{\"exits\":1,\"tlbi_calls\":2},\"slot\":{\"exits\":1}}",
    };
    static const char *const bad[] = {
        "",
        " {}",
        "{} ",
        "{}}",
        "[]",
        "{",
        "{\"fault\":{}}",
        "{\"fault\":{\"exits\":1}",
        "{\"fault\":{\"exits\":1}} ",
        "{\"fault\":{\"exits\":1}}}",
        "{\"fault\":{\"exits\":1},}",
        "{\"fault\":{\"exits\":1,}}",
        "{\"fault\":{\"exits\":}}",
        "{\"fault\":{\"exits\":-1}}",
        "{\"fault\":{\"exits\":1.5}}",
        "{\"fault\":{\"exits\":\"1\"}}",
        "{\"fault\":{\"exit\":1}}",
        "{\"fault\":{\"exitss\":1}}",
        "{\"fault\":{exits:1}}",
        "{\"fault\":{\"exits\" :1}}",
        "{\"fault\":{\"exits\"1}}",
        "{\"other\":{\"exits\":1}}",
        "{\"fault\":[\"exits\",1]}",
        "{\"fault\":\"exits\":1}}",
        "{\"fault\"{\"exits\":1}}",
        "{\"fault\":{\"exits\":9223372036854775808}}",
        "{\"fault\":{\"exits\":99999999999999999999}}",
        "{\"fault\":{\"exits\":92233720368547758070}}",
        /* In the order of sites and kinds, each once. */
        "{\"fault\":{\"exits\":1,\"exits\":1}}",
        "{\"fault\":{\"tlbi_calls\":1,\"exits\":1}}",
        "{\"fault\":{\"exits\":1},\"fault\":{\"exits\":1}}",
        "{\"slot\":{\"exits\":1},\"fault\":{\"exits\":1}}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        expect_read(COUNTS, good[i], true);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_read(COUNTS, bad[i], false);
    }
}

static void other_texts_are_refused(void **state)
{
    static const struct {
        int field;
        const char *text;
    } bad[] = {
        {BEFORE, ""},
        {BEFORE, "{}"},
        {BEFORE, "{\"kinds\":[]}"},
        {BEFORE, "{\"cleaned\":{}}"},
        {BEFORE, "{\"kinds\":{},\"cleaned\":{}}"},
        {BEFORE, "{\"kinds\":[],\"cleaned\":[]}"},
        {BEFORE, "{\"kinds\":[],\"kinds\":[],\"cleaned\":{}}"},
        {BEFORE, "{\"kinds\":[\"exit\"],\"cleaned\":{}}"},
        {BEFORE, "{\"kinds\":[1],\"cleaned\":{}}"},
        {BEFORE, "{\"kinds\":[],\"cleaned\":{\"other\":1}}"},
        {BEFORE, "{\"kinds\":[],\"cleaned\":{\"fault\":1.5}}"},
        {BEFORE, "{\"kinds\":[],\"cleaned\":{},\"notified\":0}"},
        {BEFORE, "{\"kinds\":[],\"cleaned\":{},\"notified\":1"},
        {LEAVES, ""},
        {LEAVES, "[1,2]"},
        {LEAVES, "[1,2,3,4]"},
        {LEAVES, "[1,2,3.5]"},
        {LEAVES, "{\"a\":1,\"b\":2,\"c\":3}"},
        {VERDICTS, "{}"},
        {VERDICTS, "[]"},
        {VERDICTS, "1"},
        {TAILS, "{}"},
        {TAILS, "1"},
        {TAILS, "[1]"},
        {TAILS, "[[3,1,1,{},{}]]"},
        {TAILS, "[[0,0,1,{},{}]]"},
        {TAILS, "[[0,1,1,{}]]"},
        {TAILS, "[[0,1,1,[],{}]]"},
        {TAILS, "[[0,1,1,{},[]]]"},
        {TAILS, "[[0,1,1,{\"exit\":1},{}]]"},
        {TAILS, "[[0,1,1,{},{\"exits\":1.5}]]"},
        {TAILS, "[[0,1,1,{},{}],[3,1,1,{},{}]]"},
        {SECTIONS, "{}"},
        {SECTIONS, "1"},
        {SECTIONS, "[1]"},
        {SECTIONS, "[[[],[]]]"},
        {SECTIONS, "[[[[[0,1]]],[]]]"},
        {SECTIONS, "[[[[[1,1]]],[[0,0,{},{}]]]]"},
        {SECTIONS, "[[[[[0,0]]],[[0,0,{},{}]]]]"},
        {SECTIONS, "[[[[[0]]],[[0,0,{},{}]]]]"},
        {SECTIONS, "[[[[[0,1,1]]],[[0,0,{},{}]]]]"},
        {SECTIONS, "[[[[[0,1]]],[[4,0,{},{}]]]]"},
        {SECTIONS, "[[[[[0,1]]],[[0,0,[],{}]]]]"},
        {SECTIONS, "[[[[[0,1]]],[[0,0,{}]]]]"},
        {SECTIONS, "[[[[[0,1]]],[[0,0,{\"exit\":1},{}]]]]"},
        {SECTIONS, "[[[[[0,1]]],[[0,0,{},{\"exits\":1.5}]]]]"},
        {SECTIONS, "[[[[[0,1]]],[[0,0,{},{}]]],[[],[]]]"},
    };
    static const struct {
        int field;
        const char *text;
    } good[] = {
        {BEFORE, "{\"kinds\":[],\"cleaned\":{}}"},
        {BEFORE, "{\"kinds\":[],\"cleaned\":{},\"notified\":1}"},
        {VERDICTS, ""},
        {TAILS, ""},
        {TAILS, "[]"},
        {TAILS, "[[2,1,0,{},{}]]"},
        {SECTIONS, ""},
        {SECTIONS, "[]"},
        {SECTIONS, "[[[[[0,1]]],[[3,0,{},{}]]]]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_read(bad[i].field, bad[i].text, false);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        expect_read(good[i].field, good[i].text, true);
    }
}

/* Zeros before a number are no part of it. */
static void drop_zeros(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool within = from > text && isdigit((unsigned char)from[-1]) && to > text &&
                      isdigit((unsigned char)to[-1]);
        if (*from != '0' || within || !isdigit((unsigned char)from[1])) {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* With one character more, less or another in any of the texts they are refused, or are those of
 * another trial, which has these very texts. */
static void any_other_character(void **state)
{
    static const char others[] = "x019,[]{}\" :-";
    struct trial trial = full_trial();
    struct trial_json whole = texts_of(&trial);
    const char *const texts[] = {whole.counts,   whole.before, whole.leaves,
                                 whole.verdicts, whole.tails,  whole.sections};
    size_t refused = 0, read = 0;
    (void)state;
    for (int field = COUNTS; field <= SECTIONS; field++) {
        size_t length = strlen(texts[field]);
        for (size_t i = 0; i < 3 * length; i++) {
            for (size_t k = 0; others[k]; k++) {
                char text[2048];
                struct trial back;
                size_t at = i / 3, gone = i % 3 > 0, more = i % 3 < 2;
                snprintf(text, sizeof text, "%.*s%.*s%s", (int)(at + !gone), texts[field],
                         (int)more, others + k, texts[field] + at + 1);
                if (reads(field, text, &back)) {
                    struct trial_json again = texts_of(&back);
                    const char *const told[] = {again.counts,   again.before, again.leaves,
                                                again.verdicts, again.tails,  again.sections};
                    read++;
                    drop_zeros(text);
                    if (strcmp(told[field], text) != 0) {
                        fail_msg("'%s' is read as '%s'", text, told[field]);
                    }
                    trial_json_free(&again);
                } else {
                    refused++;
                }
                trial_free(&back);
            }
        }
    }
    print_message("%zu texts are refused, %zu are read\n", refused, read);
    assert_true(refused > 10000 && read > 500);
    trial_json_free(&whole);
}

/* All readers, each with five whole numbers of which the first is an outcome. */
static void other_verdicts_are_refused(void **state)
{
    struct trial trial = full_trial(), back;
    struct trial_json json = texts_of(&trial);
    const char *first = strchr(json.verdicts, '[');
    char text[1024];
    (void)state;
    static const struct {
        const char *first;
        bool good;
    } cases[] = {
        {"[3,41,51,61,0]", true},    {"[4,41,51,61,0]", false},   {"[0,41,51,61]", false},
        {"[0,41,51,61,0,0]", false}, {"[0,41,51,61.5,0]", false}, {"{}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "%.*s%s%s", (int)(first - json.verdicts), json.verdicts,
                 cases[i].first, strchr(first, ']') + 1);
        expect_read(VERDICTS, text, cases[i].good);
    }
    /* One reader less, one more. */
    snprintf(text, sizeof text, "{%s", strchr(first, ']') + 2);
    expect_read(VERDICTS, text, false);
    snprintf(text, sizeof text, "{\"other\":[0,0,0,0,0],%s", json.verdicts + 1);
    expect_read(VERDICTS, text, false);
    assert_true(reads(VERDICTS, "", &back));
    assert_false(back.judged);
    trial_free(&back);
    trial_json_free(&json);
}

/* A step's look is none, alone, or not alone. */
static void what_a_step_saw(void **state)
{
    struct trial back;
    (void)state;
    for (int saw = 0; saw < 3; saw++) {
        char text[80];
        snprintf(text, sizeof text, "[[[[[0,1]]],[[0,%d,{},{}]]]]", saw);
        assert_true(reads(SECTIONS, text, &back));
        assert_int_equal(back.sections[0].steps[0].asked, saw > 0);
        assert_int_equal(back.sections[0].steps[0].alone, saw == 1);
        trial_free(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_a_trial_comes_back),
        cmocka_unit_test(texts_are_these),
        cmocka_unit_test(kinds_of_a_step_are_summed),
        cmocka_unit_test(numbers_of_63_bits_fit),
        cmocka_unit_test(other_counts_are_refused),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(any_other_character),
        cmocka_unit_test(other_verdicts_are_refused),
        cmocka_unit_test(what_a_step_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
