/* In what two stores differ, in words: of settings and configurations that are made up, the first
 * member that one has not or has otherwise. */
#include "check.h"
#include "core/error.h"

#include "study/store.h"

#include <string.h>

static struct store_about about_of(const char *settings, const char *configuration)
{
    return (struct store_about){.text = {[STORE_STUDY] = (char *)"own",
                                         [STORE_PATH] = (char *)"own.ini",
                                         [STORE_VERSION] = (char *)"1.2",
                                         [STORE_PROGRAM] = (char *)"p",
                                         [STORE_SETTINGS] = (char *)settings,
                                         [STORE_CONFIGURATION] = (char *)configuration,
                                         [STORE_WORKLOADS] = (char *)"w",
                                         [STORE_FORMAT] = (char *)"csv"},
                                .shard = {1, 2},
                                .axes = 4,
                                .cells = 6,
                                .strategies = 2,
                                .stride = 3};
}

/* `says` NULL: they are the same. */
static void expect(const struct store_about *wanted, const struct store_about *found,
                   const char *says)
{
    struct error err = {0};
    bool same = store_same(wanted, found, "a.db", &err);
    if (same != !says || (says && strcmp(err.text, says) != 0)) {
        fail_msg("found '%s', expected '%s'", same ? "the same" : err.text,
                 says ? says : "the same");
    }
    assert_true(same || err.status == EXIT_INPUT);
}

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10

static void settings(void **state)
{
    static const struct {
        const char *wanted, *found, *says;
    } cases[] = {
        {"{}", "{}", NULL},
        {"{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", NULL},
        {"{\"a\":1}", "{\"a\":2}", "a 2, expected 1"},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", "b none, expected 2"},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", "b 2, expected none"},
        {"{\"a\":1,\"b\":1,\"c\":1}", "{\"a\":1,\"b\":2,\"c\":2}", "b 2, expected 1"},
        {"{\"a\":{\"b\":{\"c\":true}}}", "{\"a\":{\"b\":{\"c\":false}}}",
         "a.b.c false, expected true"},
        {"{\"a\":{\"b\":1}}", "{\"a\":[1]}", "a [1], expected {\"b\": 1}"},
        /* Lists of plain values are seen whole. */
        {"{\"a\":[1,2,3]}", "{\"a\":[1,5,3]}", "a [1, 5, 3], expected [1, 2, 3]"},
        {"{\"a\":[1]}", "{\"a\":[1,2]}", "a [1, 2], expected [1]"},
        {"{\"a\":[]}", "{\"a\":[1]}", "a [1], expected []"},
        /* Of objects in a list the one that differs, by its name or number. */
        {"{\"x\":[{\"name\":\"m\",\"v\":1},{\"name\":\"n\",\"v\":2}]}",
         "{\"x\":[{\"name\":\"m\",\"v\":1},{\"name\":\"n\",\"v\":3}]}", "x.n.v 3, expected 2"},
        {"{\"x\":[{\"v\":1},{\"v\":2}]}", "{\"x\":[{\"v\":1},{\"v\":4}]}", "x.2.v 4, expected 2"},
        {"{\"x\":[{\"v\":1},{\"v\":2}]}", "{\"x\":[{\"v\":7},{\"v\":4}]}", "x.1.v 7, expected 1"},
        {"{\"x\":[7,{\"v\":2}]}", "{\"x\":[8,{\"v\":2}]}",
         "x [8, {\"v\": 2}], expected [7, {\"v\": 2}]"},
        {"{\"x\":[[1],[2]]}", "{\"x\":[[1],[3]]}", "x [[1], [3]], expected [[1], [2]]"},
        /* What is long is cut. */
        {"{\"a\":\"" A50 "12345678\"}", "{\"a\":\"" A50 "1234567890\"}",
         "a \"" A50 "123456789..., expected \"" A50 "12345678\""},
        {"{\"a\":\"" A50 "123456789\"}", "{\"a\":1}", "a 1, expected \"" A50 "123456789..."},
        {"{\"" A50 A50 A50 "123456789\":1}", "{\"" A50 A50 A50 "123456789\":2}",
         A50 A50 A50 "123456789 2, expected 1"},
        {"{\"" A50 A50 A50 "1234567890\":1}", "{\"" A50 A50 A50 "1234567890\":2}",
         A50 A50 A50 "123456789 2, expected 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int configuration = 0; configuration < 2; configuration++) {
            char says[600];
            struct store_about wanted = about_of("{\"s\":1}", "{\"s\":1}"), found = wanted;
            enum store_text text = configuration ? STORE_CONFIGURATION : STORE_SETTINGS;
            wanted.text[text] = (char *)cases[i].wanted;
            found.text[text] = (char *)cases[i].found;
            snprintf(says, sizeof says, "a.db: found samples of study own with %s",
                     cases[i].says ? cases[i].says : "");
            expect(&wanted, &found, cases[i].says ? says : NULL);
        }
    }
}

/* Settings come first. */
static void several(void **state)
{
    struct store_about wanted = about_of("{\"s\":1}", "{\"c\":1}"), found = wanted;
    (void)state;
    found.text[STORE_SETTINGS] = (char *)"{\"s\":2}";
    found.text[STORE_CONFIGURATION] = (char *)"{\"c\":2}";
    expect(&wanted, &found, "a.db: found samples of study own with s 2, expected 1");
    found.text[STORE_PROGRAM] = (char *)"q";
    found.text[STORE_VERSION] = (char *)"1.3";
    expect(&wanted, &found,
           "a.db: found samples played by another build of s2flush (1.3), expected this one's "
           "(1.2)");
}

static void shape(void **state)
{
    static const char otherwise[] = "a.db: found samples of study own whose workloads do something "
                                    "else (w), expected study own (w)";
    const struct store_about wanted = about_of("{}", "{}");
    struct store_about found[6] = {wanted, wanted, wanted, wanted, wanted, wanted};
    (void)state;
    found[0].cells = 5;
    found[1].strategies = 1;
    found[2].stride = 2;
    found[3].axes = 5;
    for (size_t i = 0; i < 4; i++) {
        expect(&wanted, &found[i], otherwise);
    }
    found[4].text[STORE_WORKLOADS] = (char *)"v";
    expect(&wanted, &found[4],
           "a.db: found samples of study own whose workloads do something else (v), expected study "
           "own (w)");
    found[5].text[STORE_STUDY] = (char *)"other";
    expect(&wanted, &found[5],
           "a.db: found samples of study other whose workloads do something else (w), expected "
           "study own (w)");
}

/* Of the shards their number may be another, and so may the paths, formats and versions. */
static void what_may_differ(void **state)
{
    const struct store_about wanted = about_of("{}", "{}");
    struct store_about found = wanted;
    (void)state;
    found.shard.number = 2;
    found.text[STORE_PATH] = (char *)"x.ini";
    found.text[STORE_FORMAT] = (char *)"both";
    found.text[STORE_VERSION] = (char *)"1.3";
    expect(&wanted, &found, NULL);
    found.shard.count = 3;
    expect(&wanted, &found, "a.db: is a shard of 3, expected one of 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(settings), cmocka_unit_test(several),
                                       cmocka_unit_test(shape), cmocka_unit_test(what_may_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
