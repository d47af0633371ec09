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

/* Each suffix of each unit, for numbers and for whole numbers; no other unit knows it. */
static void test_every_suffix(void **state)
{
    static const struct {
        const char *text;
        unsigned units; /* bits */
        double factor;
    } suffixes[] = {
#define BYTES_AND_ADDRESSES (1u << UNIT_BYTES | 1u << UNIT_ADDRESS)
        {"B", BYTES_AND_ADDRESSES, 1},
        {"K", BYTES_AND_ADDRESSES, 0x1p10},
        {"KB", BYTES_AND_ADDRESSES, 0x1p10},
        {"KiB", BYTES_AND_ADDRESSES, 0x1p10},
        {"M", BYTES_AND_ADDRESSES, 0x1p20},
        {"MB", BYTES_AND_ADDRESSES, 0x1p20},
        {"MiB", BYTES_AND_ADDRESSES, 0x1p20},
        {"G", BYTES_AND_ADDRESSES, 0x1p30},
        {"GB", BYTES_AND_ADDRESSES, 0x1p30},
        {"GiB", BYTES_AND_ADDRESSES, 0x1p30},
        {"T", BYTES_AND_ADDRESSES, 0x1p40},
        {"TB", BYTES_AND_ADDRESSES, 0x1p40},
        {"TiB", BYTES_AND_ADDRESSES, 0x1p40},
        {"ps", 1u << UNIT_NS, 0.001},
        {"ns", 1u << UNIT_NS, 1},
        {"us", 1u << UNIT_NS, 1e3},
        {"\xc2\xb5s", 1u << UNIT_NS, 1e3},
        {"\xce\xbcs", 1u << UNIT_NS, 1e3},
        {"ms", 1u << UNIT_NS, 1e6},
        {"s", 1u << UNIT_NS, 1e9},
        {"%", 1u << UNIT_RATIO, 0.01},
        {"GB/s", 1u << UNIT_GBPS, 1},
        {"GHz", 1u << UNIT_GHZ, 1},
        {"", ~0u, 1},
    };
    static const enum unit all[] = {UNIT_NONE,  UNIT_BYTES, UNIT_ADDRESS, UNIT_NS,
                                    UNIT_RATIO, UNIT_GBPS,  UNIT_GHZ,     UNIT_INSNS};
    (void)state;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            char text[32];
            double value = NAN;
            uint64_t whole = 0;
            snprintf(text, sizeof text, "3000%s", suffixes[i].text);
            bool knows = suffixes[i].units >> all[k] & 1;
            if (unit_parse(text, all[k], &value) != knows ||
                unit_parse_whole(text, all[k], &whole) != knows) {
                fail_msg("%s in unit %s", text, unit_name(all[k]));
            }
            if (knows) {
                assert_true(fabs(value - 3000 * suffixes[i].factor) <= 1e-9 * value);
                assert_int_equal(whole, llround(3000 * suffixes[i].factor));
            }
        }
    }
}

/* Of hexadecimal addresses at least one digit, at most sixteen. */
static void test_hexadecimal_ends(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0x", false, 0},
        {"0x0", true, 0},
        {"0Xf", true, 15},
        {"0xfFfFfFfFfFfFfFfF", true, UINT64_MAX},
        {"0x00000000000000001", false, 0},
        {"1x1", false, 0},
        {"0y1", false, 0},
        {"0x1g", false, 0},
        {"0x1K", false, 0},
        {"+0x1", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t whole = 7;
        double value = 7;
        if (unit_parse_whole(cases[i].text, UNIT_ADDRESS, &whole) != cases[i].good ||
            unit_parse(cases[i].text, UNIT_ADDRESS, &value) != cases[i].good) {
            fail_msg("%s", cases[i].text);
        }
        if (cases[i].good) {
            assert_true(whole == cases[i].value && value == (double)cases[i].value);
        }
        assert_false(unit_parse_whole(cases[i].text, UNIT_BYTES, &whole));
        assert_false(unit_parse(cases[i].text, UNIT_BYTES, &value));
    }
}

/* Where one way of writing gives way to the next. */
static void test_format_at_the_steps(void **state)
{
    static const struct {
        ps_t ps;
        const char *text;
    } times[] = {{0, "0 ps"},
                 {999, "999 ps"},
                 {1000, "1 ns"},
                 {999999, "1000 ns"},
                 {1000000, "1 us"},
                 {1234567, "1.235 us"},
                 {1000000000, "1 ms"},
                 {999000000000, "999 ms"},
                 {1000000000000, "1 s"},
                 {1234567000000000, "1235 s"}};
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{1023, "1023 B"},
                 {1024, "1 KiB"},
                 {1 << 20, "1 MiB"},
                 {(1 << 20) - 1, "1024 KiB"},
                 {1ULL << 50, "1024 TiB"}};
    static const struct {
        uint64_t value;
        const char *text;
    } wholes[] = {{0, "0"},           {1, "1"},           {1023, "1023"},
                  {1024, "1K"},       {1025, "1025"},     {1ULL << 20, "1M"},
                  {3ULL << 30, "3G"}, {1ULL << 40, "1T"}, {1ULL << 50, "1024T"}};
    static const struct {
        double value;
        const char *text;
    } reals[] = {{0, "0"},
                 {1, "1"},
                 {-1, "-1"},
                 {0.5, "0.5"},
                 {0.1, "0.1"},
                 {999999999999999, "999999999999999"},
                 {1e15, "1e+15"},
                 {-0.0, "-0"},
                 {1e15 - 0.5, "999999999999999.5"},
                 {1.0 / 3, "0.3333333333333333"}};
    char buf[64];
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_string_equal(unit_format_ps(times[i].ps, buf, sizeof buf), times[i].text);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_string_equal(unit_format_bytes(sizes[i].bytes, buf, sizeof buf), sizes[i].text);
    }
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        assert_string_equal(unit_format_whole(wholes[i].value, UNIT_BYTES, buf, sizeof buf),
                            wholes[i].text);
        assert_string_equal(unit_format((double)wholes[i].value, UNIT_ADDRESS, buf, sizeof buf),
                            wholes[i].text);
    }
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        assert_string_equal(unit_format_real(reals[i].value, buf, sizeof buf), reals[i].text);
        assert_string_equal(unit_format(reals[i].value, UNIT_NONE, buf, sizeof buf), reals[i].text);
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
        cmocka_unit_test(test_every_suffix),
        cmocka_unit_test(test_hexadecimal_ends),
        cmocka_unit_test(test_format_at_the_steps),
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
