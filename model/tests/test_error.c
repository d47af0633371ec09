#include "core/error.h"
#include "core/guard.h"
#include "core/invariant.h"
#include "core/u64.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const keys[] = {"ram", "vcpus", "dirty_ratio", "strategy"};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

/* ---- Messages ---- */

static void test_place_is_spelled(void **state)
{
    struct source_location all = {"workloads/x.ini", 12, "ram"};
    struct source_location file = {.file = "x.ini"};
    struct source_location line = {.file = "x.ini", .line = 3};
    struct source_location key = {.key = "ram"};
    struct error err = {0};

    (void)state;
    assert_false(error_input(&err, &all, "found '%s'", "12Q"));
    assert_string_equal(err.text, "workloads/x.ini:12: ram: found '12Q'");
    assert_int_equal(err.status, EXIT_INPUT);
    error_input(&err, &file, "gone");
    assert_string_equal(err.text, "x.ini: gone");
    error_input(&err, &line, "odd");
    assert_string_equal(err.text, "x.ini:3: odd");
    error_input(&err, &key, "odd");
    assert_string_equal(err.text, "ram: odd");
    error_input(&err, NULL, "odd");
    assert_string_equal(err.text, "odd");
}

static void test_run_errors_have_their_own_status(void **state)
{
    struct error err = {0};

    (void)state;
    assert_false(error_run(&err, "disk %s", "full"));
    assert_string_equal(err.text, "disk full");
    assert_int_equal(err.status, EXIT_RUN);
}

static void test_control_characters_are_shown(void **state)
{
    struct error err = {0};

    (void)state;
    error_input(&err, NULL, "found '%s'", "a\n\x1b[2Jb\x7f\xc2\x9b\xc2\xb5");
    assert_string_equal(err.text, "found 'a\\x0a\\x1b[2Jb\\x7f\\xc2\x9b\xc2\xb5'");
}

static void test_a_text_may_hold_the_one_before(void **state)
{
    struct error err = {0};

    (void)state;
    error_input(&err, NULL, "inner");
    error_input(&err, NULL, "outer: %s", err.text);
    assert_string_equal(err.text, "outer: inner");
}

/* Every length is tried around the limit, with two-byte characters, so that
 * the cut falls on both halves. */
static void test_long_texts_are_cut(void **state)
{
    struct error err;
    char text[3000];

    (void)state;
    for (size_t length = 700; length < 1500; length++) {
        for (size_t i = 0; i < length; i++) {
            text[i] = i % 2 == 0 ? '\xc3' : '\xa9';
        }
        text[length & ~(size_t)1] = '\0';
        error_input(&err, NULL, "%s%s", length % 3 == 0 ? "x" : "", text);
        size_t kept = strlen(err.text);
        assert_true(kept < sizeof err.text);
        if (kept + 1 < length) {
            assert_string_equal(err.text + kept - 3, "...");
            assert_int_equal((unsigned char)err.text[kept - 4], 0xa9);
        }
    }
}

/* ---- Near names ---- */

static void assert_nearest(const char *word, const char *expected)
{
    const char *found = error_nearest(word, keys, KEY_COUNT);

    if (expected == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void test_nearest_name(void **state)
{
    char huge[200];

    (void)state;
    assert_nearest("ram", "ram");
    assert_nearest("rma", "ram"); /* a swap counts one */
    assert_nearest("mar", NULL); /* two apart, one allowed */
    assert_nearest("vcpu", "vcpus"); /* an insertion */
    assert_nearest("dirt_raito", "dirty_ratio");
    assert_nearest("dirtyratio", "dirty_ratio");
    assert_nearest("xirtx_xatix", NULL); /* four apart */
    assert_nearest("xirtx_xatio", "dirty_ratio");
    assert_nearest("ra", NULL); /* too short to guess from */
    assert_nearest("", NULL);
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_nearest(huge, NULL);
}

static void test_nearest_of_several(void **state)
{
    static const char *const names[] = {"flush_pace", "flush_page", "flush_pages"};

    (void)state;
    assert_string_equal(error_nearest("flush_pages", names, 3), "flush_pages");
    assert_string_equal(error_nearest("flush_pagess", names, 3), "flush_pages");
}

static void test_suggest(void **state)
{
    static const char *const many[] = {"a", "b", "c", "d", "e", "f", "g",
                                       "h", "i", "j", "k", "l", "m"};
    char text[80] = "unknown";
    char small[20] = "unknown";

    (void)state;
    error_suggest(text, sizeof text, "rma", keys, KEY_COUNT);
    assert_string_equal(text, "unknown (did you mean ram?)");
    strcpy(text, "unknown");
    error_suggest(text, sizeof text, "zzz", keys, KEY_COUNT);
    assert_string_equal(text, "unknown (valid: ram, vcpus, dirty_ratio, strategy)");
    strcpy(text, "unknown");
    error_suggest(text, sizeof text, "zzz", many, 13);
    assert_string_equal(text, "unknown");
    error_suggest(text, sizeof text, "zzz", many, 12);
    assert_string_equal(text, "unknown (valid: a, b, c, d, e, f, g, h, i, j, k, l)");
    error_suggest(small, sizeof small, "zzz", keys, KEY_COUNT);
    assert_string_equal(small, "unknown (valid: ram");
}

/* ---- The end of the program ---- */

/* Runs `end` in a child, returns its wait status and what it said on stderr. */
static int run_child(void (*end)(void), char *said, size_t size)
{
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], STDERR_FILENO);
        end();
        _exit(99);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    assert_non_null(in);
    said[fread(said, 1, size - 1, in)] = '\0';
    fclose(in);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void end_by_die(void)
{
    error_fatal("memory for %d guests", 3);
}

static void die_again(void)
{
    error_fatal("again");
}

static void end_twice(void)
{
    atexit(die_again);
    error_fatal("first");
}

static void end_by_invariant(void)
{
    uint64_t now = 2500;

    invariant_clock(&now);
    INVARIANT(now > 0, "holds");
    INVARIANT(now == 1, "%d dirty pages", 7);
}

static void end_without_clock(void)
{
    INVARIANT(1 + 1 == 3, "arithmetic");
}

static void test_die(void **state)
{
    char said[400];
    int status = run_child(end_by_die, said, sizeof said);

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_RUN);
    assert_string_equal(said, "s2flush: memory for 3 guests\n");
    status = run_child(end_twice, said, sizeof said);
    assert_true(WIFEXITED(status));
    assert_string_equal(said, "s2flush: first\ns2flush: again\n");
}

static void test_invariant(void **state)
{
    char said[400];
    int status = run_child(end_by_invariant, said, sizeof said);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "now == 1 does not hold (at 2500 ps): 7 dirty pages\n"));
    run_child(end_without_clock, said, sizeof said);
    assert_non_null(strstr(said, "1 + 1 == 3 does not hold (no simulation running): arithmetic\n"));
}

static void break_an_invariant(void *context)
{
    const uint64_t now = 7;
    invariant_clock(&now);
    INVARIANT(context != NULL, "%d leaves", 3);
}

static void pass_64_bits(void *context)
{
    (void)u64_mul(UINT64_MAX, *(const uint64_t *)context, "time");
}

/* One that fails ends alone, the next one is called, and after it the guard is gone. */
static void test_guard(void **state)
{
    struct error err = {0};
    uint64_t one = 1, two = 2;
    char said[400];

    (void)state;
    assert_false(guard_call(break_an_invariant, NULL, &err));
    invariant_clock(NULL);
    assert_int_equal(err.status, EXIT_RUN);
    assert_non_null(strstr(err.text, "context != NULL does not hold (at 7 ps): 3 leaves"));
    assert_false(guard_call(pass_64_bits, &two, &err));
    assert_non_null(strstr(err.text, "does not fit 64 bits"));
    assert_true(guard_call(pass_64_bits, &one, &err));
    int status = run_child(end_by_invariant, said, sizeof said);
    assert_true(WIFSIGNALED(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place_is_spelled),
        cmocka_unit_test(test_run_errors_have_their_own_status),
        cmocka_unit_test(test_control_characters_are_shown),
        cmocka_unit_test(test_a_text_may_hold_the_one_before),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_nearest_name),
        cmocka_unit_test(test_nearest_of_several),
        cmocka_unit_test(test_suggest),
        cmocka_unit_test(test_die),
        cmocka_unit_test(test_invariant),
        cmocka_unit_test(test_guard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
