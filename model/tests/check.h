/*
 * check - what several tests share: random cases and the end of a program.
 */
#ifndef S2FLUSH_TESTS_CHECK_H
#define S2FLUSH_TESTS_CHECK_H

// cmocka.h uses what the four before it declare.
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/rng.h"

/* A case's random numbers: draw i of seed s is the same on every machine. */
struct dice {
    uint64_t seed, drawn;
};

static inline struct dice dice_of(uint64_t seed)
{
    return (struct dice){rng_mix64(seed), 0};
}

static inline uint64_t roll64(struct dice *dice)
{
    return rng_mix64(dice->seed + dice->drawn++);
}

/* A number below `bound`. */
static inline uint64_t roll(struct dice *dice, uint64_t bound)
{
    return roll64(dice) % bound;
}

/* True in `percent` of 100 cases. */
static inline bool chance(struct dice *dice, uint64_t percent)
{
    return roll(dice, 100) < percent;
}

/* How many of so many random cases are tried: S2FLUSH_CASES=few is for tools under which each takes
 * ten times as long and which look at how the program goes about them, not at what they come to. */
static inline uint64_t some_cases(uint64_t all)
{
    const char *cases = getenv("S2FLUSH_CASES");
    return cases && strcmp(cases, "few") == 0 ? all / 6 : all;
}

/* An assertion that fails in the child goes on with the child's copy of the
 * remaining tests; nobody should read about those. */
static inline void hush(void)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) {
        _exit(3);
    }
}

/* What waitpid says of a child that calls `fn`; it exits with 0 if fn returns.
 * The output is flushed first, or the child might write it a second time. */
static inline int fate_of(void (*fn)(void))
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        hush();
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* A broken contract must end in abort and in no other way. */
static inline void expect_abort(void (*fn)(void))
{
    int status = fate_of(fn);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static inline void expect_exit(void (*fn)(void), int code)
{
    int status = fate_of(fn);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

#endif
