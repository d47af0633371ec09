/* Numbers for people: units, digits, bands. */
#include "check.h"

#include "report/quantity.h"

#include <math.h>

static void expect_text(double value, enum unit unit, const char *expected)
{
    char text[QUANTITY_TEXT];
    assert_string_equal(quantity_value(value, unit, text), expected);
}

static void values_have_the_unit_that_suits(void **state)
{
    (void)state;
    expect_text(0, UNIT_NS, "0 ns");
    expect_text(2.5e9, UNIT_NS, "2.5 s");
    expect_text(-1234567, UNIT_NS, "-1.23 ms");
    expect_text(999.6e6, UNIT_NS, "1 s");
    expect_text(999.4e6, UNIT_NS, "999 ms");
    expect_text(1203e9, UNIT_NS, "1203 s");
    expect_text(65536, UNIT_BYTES, "64 KiB");
    expect_text(17179869184.0, UNIT_BYTES, "16 GiB");
    expect_text(0.1, UNIT_RATIO, "10 %");
    expect_text(0.005, UNIT_RATIO, "0.5 %");
    expect_text(8, UNIT_NONE, "8");
    expect_text(4194304, UNIT_NONE, "4.19 million");
    expect_text(NAN, UNIT_NS, "not known");
}

static void expect_band(double mid, double p10, double p90, const char *expected)
{
    char text[QUANTITY_TEXT];
    assert_string_equal(quantity_band((struct band){mid, p10, p90}, UNIT_NS, text), expected);
}

static void bands_say_how_many_digits(void **state)
{
    (void)state;
    expect_band(2.7632e9, 2.561e9, 3.171e9, "2.8 s (2.6 to 3.2)");
    expect_band(2.5123e9, 2.499e9, 2.5388e9, "2.51 s (2.50 to 2.54)");
    expect_band(10.612e9, 8.23e9, 14.7e9, "11 s (8 to 15)");
    expect_band(435.9e6, 95e6, 1.02e9, "440 ms (95 to 1000)");
    expect_band(1e6, 1e3, 1e9, "1.0 ms (0.001 to 1000.0)");
    expect_band(2.5e9, NAN, NAN, "2.5 s");
    expect_band(0, 0, 0, "0 ns");
    expect_band(0, 0, 2e6, "0 ns (0.0 to 2.0 ms)");
    expect_band(5e8, 5e8, 5e8, "500 ms");
}

static void ranges_say_the_unit_once(void **state)
{
    char text[QUANTITY_TEXT];
    (void)state;
    assert_string_equal(quantity_range(0.7e9, 2.81e9, UNIT_NS, text), "700 ms to 2.8 s");
    assert_string_equal(quantity_range(1.1e9, 2.81e9, UNIT_NS, text), "1.1 to 2.8 s");
    assert_string_equal(quantity_range(2.81e9, 2.82e9, UNIT_NS, text), "2.8 s");
    assert_string_equal(quantity_range(0, 6400, UNIT_NS, text), "0 to 6.4 us");
    assert_string_equal(quantity_range(0.1, 1, UNIT_RATIO, text), "10 to 100 %");
    assert_string_equal(quantity_times(10.6, 1.17, text), "9.1");
    assert_string_equal(quantity_times(1.17, 10.6, text), "0.11");
    assert_string_equal(quantity_times(5321, 2, text), "2700");
    assert_string_equal(quantity_change(0.1234, text), "+12 %");
    assert_string_equal(quantity_change(-0.004, text), "0 %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_the_unit_that_suits),
        cmocka_unit_test(bands_say_how_many_digits),
        cmocka_unit_test(ranges_say_the_unit_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
