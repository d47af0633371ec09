#include "core/units.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- Checked arithmetic ---- */

typedef uint64_t (*operation)(uint64_t a, uint64_t b, const char *what);

/* The exit status of a child that computes op(a, b). */
static int status_of(operation op, uint64_t a, uint64_t b)
{
    int status;

    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(99);
        }
        op(a, b, "test");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_checked_results(void **state)
{
    (void)state;
    assert_true(u64_add(UINT64_MAX - 1, 1, "test") == UINT64_MAX);
    assert_true(u64_mul(UINT64_C(1) << 32, UINT64_C(0xffffffff), "test") ==
                UINT64_C(0xffffffff00000000));
    assert_true(u64_mul(0, UINT64_MAX, "test") == 0);
}

static void test_checked_overflow_ends_the_run(void **state)
{
    (void)state;
    assert_int_equal(status_of(u64_add, UINT64_MAX, 0), 0);
    assert_int_equal(status_of(u64_add, UINT64_MAX, 1), 1);
    assert_int_equal(status_of(u64_mul, UINT64_C(1) << 32, UINT64_C(1) << 32), 1);
}

/* ---- Reading ---- */

static void test_parse_accepts(void **state)
{
    static const struct {
        const char *text;
        enum unit unit;
        double value;
    } cases[] = {
        {"3", UNIT_NONE, 3},
        {"0.25", UNIT_NONE, 0.25},
        {".5", UNIT_NONE, 0.5},
        {"-1.5e3", UNIT_NONE, -1500},
        {"+2", UNIT_NONE, 2},
        {"4096", UNIT_BYTES, 4096},
        {"64K", UNIT_BYTES, 65536},
        {"64KiB", UNIT_BYTES, 65536},
        {"64KB", UNIT_BYTES, 65536},
        {"128M", UNIT_BYTES, 134217728},
        {"1.5G", UNIT_BYTES, 1610612736},
        {"1T", UNIT_BYTES, 1099511627776},
        {"17B", UNIT_BYTES, 17},
        {"7.7", UNIT_NS, 7.7},
        {"7.7ns", UNIT_NS, 7.7},
        {"250ps", UNIT_NS, 0.25},
        {"1.5us", UNIT_NS, 1500},
        {"1.5\xc2\xb5s", UNIT_NS, 1500},
        {"1.5\xce\xbcs", UNIT_NS, 1500},
        {"2ms", UNIT_NS, 2e6},
        {"2.5 ms", UNIT_NS, 2.5e6},
        {"1s", UNIT_NS, 1e9},
        {"0.3", UNIT_RATIO, 0.3},
        {"30%", UNIT_RATIO, 0.3},
        {"35%", UNIT_RATIO, 0.35},
        {"19", UNIT_GBPS, 19},
        {"19GB/s", UNIT_GBPS, 19},
        {"2.6GHz", UNIT_GHZ, 2.6},
        {"4e3", UNIT_INSNS, 4000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = NAN;
        if (!unit_parse(cases[i].text, cases[i].unit, &value)) {
            fail_msg("'%s' was refused", cases[i].text);
        }
        if (fabs(value - cases[i].value) > 0) {
            fail_msg("'%s' became %.17g", cases[i].text, value);
        }
    }
}

static void test_parse_refuses(void **state)
{
    static const struct {
        const char *text;
        enum unit unit;
    } cases[] = {
        {"", UNIT_NONE},     {" 3", UNIT_NONE},   {"3 ", UNIT_NONE},    {"3x", UNIT_NONE},
        {"1,5", UNIT_NONE},  {"1e", UNIT_NONE},   {"1e999", UNIT_NONE}, {"inf", UNIT_NONE},
        {"nan", UNIT_NONE},  {"0x10", UNIT_NONE}, {"-", UNIT_NONE},     {".", UNIT_NONE},
        {"--1", UNIT_NONE},  {"M", UNIT_BYTES},   {"12Q", UNIT_BYTES},  {"12m", UNIT_BYTES},
        {"1MM", UNIT_BYTES}, {"5K ", UNIT_BYTES}, {"5ms", UNIT_BYTES},  {"5M", UNIT_NS},
        {"5%%", UNIT_RATIO}, {"5%", UNIT_NONE},   {"1e308s", UNIT_NS},  {"19GB", UNIT_GBPS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 7;
        if (unit_parse(cases[i].text, cases[i].unit, &value)) {
            fail_msg("'%s' became %.17g", cases[i].text, value);
        }
        assert_true(value > 6 && value < 8);
    }
}

static void test_parse_whole_accepts(void **state)
{
    static const struct {
        const char *text;
        enum unit unit;
        uint64_t value;
    } cases[] = {
        {"0", UNIT_NONE, 0},
        {"007", UNIT_NONE, 7},
        {"1e6", UNIT_NONE, 1000000},
        {"1.5K", UNIT_BYTES, 1536},
        {"0.5KiB", UNIT_BYTES, 512},
        {"1.001us", UNIT_NS, 1001},
        {"2000ps", UNIT_NS, 2},
        {"200%", UNIT_RATIO, 2},
        {"9007199254740993", UNIT_NONE, UINT64_C(9007199254740993)},
        {"+9007199254740993", UNIT_NONE, UINT64_C(9007199254740993)},
        {"18446744073709551615", UNIT_NONE, UINT64_MAX},
        {"16777215T", UNIT_BYTES, UINT64_C(16777215) << 40},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 99;
        if (!unit_parse_whole(cases[i].text, cases[i].unit, &value)) {
            fail_msg("'%s' was refused", cases[i].text);
        }
        if (value != cases[i].value) {
            fail_msg("'%s' became %llu", cases[i].text, (unsigned long long)value);
        }
    }
}

static void test_parse_whole_refuses(void **state)
{
    static const struct {
        const char *text;
        enum unit unit;
    } cases[] = {
        {"0.3", UNIT_BYTES},
        {"-1", UNIT_NONE},
        {"1.0001K", UNIT_BYTES},
        {"1500ps", UNIT_NS},
        {"1e-300", UNIT_NONE},
        {"18446744073709551616", UNIT_NONE},
        {"16777216T", UNIT_BYTES},
        {"1e20", UNIT_NONE},
        {"1e400", UNIT_NONE},
        {"18446744073709551615.0", UNIT_NONE},
        {"1.0000000000001", UNIT_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 99;
        if (unit_parse_whole(cases[i].text, cases[i].unit, &value)) {
            fail_msg("'%s' became %llu", cases[i].text, (unsigned long long)value);
        }
    }
}

/* Debian has no comma locale by default; where there is one, it must not matter. */
static void test_locale_does_not_matter(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ru_RU.UTF-8"};
    bool found = false;
    char buf[32];
    double value;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++) {
        found = setlocale(LC_ALL, names[i]) != NULL;
    }
    bool taken = unit_parse("1.5", UNIT_NONE, &value);
    bool comma = unit_parse("1,5", UNIT_NONE, &value);
    unit_format_ps(1500, buf, sizeof buf);
    setlocale(LC_ALL, "C");
    assert_true(taken);
    assert_false(comma);
    assert_string_equal(buf, "1.5 ns");
    if (!found) {
        print_message("no locale with a decimal comma here, only C was tried\n");
    }
}

/* ---- Writing ---- */

static void test_format_for_people(void **state)
{
    char buf[32];

    (void)state;
    assert_string_equal(unit_format_ps(0, buf, sizeof buf), "0 ps");
    assert_string_equal(unit_format_ps(7700, buf, sizeof buf), "7.7 ns");
    assert_string_equal(unit_format_ps(2500 * PS_PER_US, buf, sizeof buf), "2.5 ms");
    assert_string_equal(unit_format_ps(PS_PER_S, buf, sizeof buf), "1 s");
    assert_string_equal(unit_format_ps(UINT64_MAX, buf, sizeof buf), "18446744 s");
    assert_string_equal(unit_format_bytes(1023, buf, sizeof buf), "1023 B");
    assert_string_equal(unit_format_bytes(187590246, buf, sizeof buf), "178.9 MiB");
    assert_string_equal(unit_format_bytes(16 * TIB, buf, sizeof buf), "16 TiB");
}

static void test_format_for_files(void **state)
{
    char buf[40];

    (void)state;
    assert_string_equal(unit_format_whole(128 * MIB, UNIT_BYTES, buf, sizeof buf), "128M");
    assert_string_equal(unit_format_whole(1536, UNIT_BYTES, buf, sizeof buf), "1536");
    assert_string_equal(unit_format_whole(0, UNIT_BYTES, buf, sizeof buf), "0");
    assert_string_equal(unit_format_whole(4096, UNIT_NONE, buf, sizeof buf), "4096");
    assert_string_equal(unit_format(7.7, UNIT_NS, buf, sizeof buf), "7.7ns");
    assert_string_equal(unit_format(0.3, UNIT_RATIO, buf, sizeof buf), "0.3");
    assert_string_equal(unit_format(19, UNIT_GBPS, buf, sizeof buf), "19GB/s");
    assert_string_equal(unit_format(GIB, UNIT_BYTES, buf, sizeof buf), "1G");
    assert_string_equal(unit_format_real(0.1 + 0.2, buf, sizeof buf), "0.30000000000000004");
    assert_string_equal(unit_name(UNIT_GHZ), "GHz");
}

static void assert_whole_returns(uint64_t value, enum unit unit)
{
    char buf[40];
    uint64_t back;

    assert_true(unit_parse_whole(unit_format_whole(value, unit, buf, sizeof buf), unit, &back));
    assert_true(back == value);
}

static void assert_real_returns(double value, enum unit unit)
{
    char buf[40];
    double back;

    assert_true(unit_parse(unit_format(value, unit, buf, sizeof buf), unit, &back));
    assert_true(fabs(back - value) <= 0);
}

static void test_what_is_written_reads_back(void **state)
{
    static const double reals[] = {0, 1, 1.0 / 3, 2.0 / 3, 1e-9, 1e22, DBL_MAX, 0x1p52 + 0.5};

    (void)state;
    for (enum unit unit = UNIT_NONE; unit <= UNIT_INSNS; unit++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            assert_whole_returns(UINT64_C(1) << bit, unit);
            assert_whole_returns((UINT64_C(1) << bit) - 1, unit);
        }
        for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
            assert_real_returns(reals[i], unit);
        }
    }
}

static void addresses_may_be_hexadecimal(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0x", "0xg", "x10", "0x10K", "-0x10", "0x1.8", "0x12345678901234567"};
    uint64_t value;
    double real;
    assert_true(unit_parse_whole("0x40000000", UNIT_ADDRESS, &value) && value == GIB);
    assert_true(unit_parse_whole("0XfFf", UNIT_ADDRESS, &value) && value == 4095);
    assert_true(unit_parse_whole("0xffffffffffffffff", UNIT_ADDRESS, &value));
    assert_true(value == UINT64_MAX);
    assert_true(unit_parse_whole("1G", UNIT_ADDRESS, &value) && value == GIB);
    assert_true(unit_parse("0x10", UNIT_ADDRESS, &real) && real >= 16 && real <= 16);
    assert_false(unit_parse_whole("0x10", UNIT_BYTES, &value));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(unit_parse_whole(bad[i], UNIT_ADDRESS, &value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_may_be_hexadecimal),
        cmocka_unit_test(test_checked_results),
        cmocka_unit_test(test_checked_overflow_ends_the_run),
        cmocka_unit_test(test_parse_accepts),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_whole_accepts),
        cmocka_unit_test(test_parse_whole_refuses),
        cmocka_unit_test(test_locale_does_not_matter),
        cmocka_unit_test(test_format_for_people),
        cmocka_unit_test(test_format_for_files),
        cmocka_unit_test(test_what_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
