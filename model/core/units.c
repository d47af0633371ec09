#include "core/units.h"

#include "core/error.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define TWO_TO_64 18446744073709551616.0

/* A suffix stands for factor / divisor of its unit; both are whole, so that a
 * whole number stays exact. */
struct suffix {
    const char *text;
    uint64_t factor, divisor;
};

static const struct suffix byte_suffixes[] = {
    {"", 1, 1},      {"B", 1, 1},    {"K", KIB, 1},   {"KB", KIB, 1},  {"KiB", KIB, 1},
    {"M", MIB, 1},   {"MB", MIB, 1}, {"MiB", MIB, 1}, {"G", GIB, 1},   {"GB", GIB, 1},
    {"GiB", GIB, 1}, {"T", TIB, 1},  {"TB", TIB, 1},  {"TiB", TIB, 1},
};

/* The micro sign and the Greek letter mu look alike and are both in use. */
static const struct suffix ns_suffixes[] = {
    {"", 1, 1},         {"ps", 1, 1000},        {"ns", 1, 1},
    {"us", 1000, 1},    {"\xc2\xb5s", 1000, 1}, {"\xce\xbcs", 1000, 1},
    {"ms", 1000000, 1}, {"s", 1000000000, 1},
};

static const struct suffix ratio_suffixes[] = {{"", 1, 1}, {"%", 1, 100}};
static const struct suffix gbps_suffixes[] = {{"", 1, 1}, {"GB/s", 1, 1}};
static const struct suffix ghz_suffixes[] = {{"", 1, 1}, {"GHz", 1, 1}};
static const struct suffix plain_suffixes[] = {{"", 1, 1}};

static const struct {
    const char *name; /* in messages and tables */
    const char *spelling; /* what unit_format writes after the number */
    const struct suffix *suffixes;
    size_t count;
} units[] = {
    [UNIT_NONE] = {"", "", plain_suffixes, ARRAY_LENGTH(plain_suffixes)},
    [UNIT_BYTES] = {"bytes", "", byte_suffixes, ARRAY_LENGTH(byte_suffixes)},
    [UNIT_ADDRESS] = {"address", "", byte_suffixes, ARRAY_LENGTH(byte_suffixes)},
    [UNIT_NS] = {"ns", "ns", ns_suffixes, ARRAY_LENGTH(ns_suffixes)},
    [UNIT_RATIO] = {"ratio", "", ratio_suffixes, ARRAY_LENGTH(ratio_suffixes)},
    [UNIT_GBPS] = {"GB/s", "GB/s", gbps_suffixes, ARRAY_LENGTH(gbps_suffixes)},
    [UNIT_GHZ] = {"GHz", "GHz", ghz_suffixes, ARRAY_LENGTH(ghz_suffixes)},
    [UNIT_INSNS] = {"insns", "", plain_suffixes, ARRAY_LENGTH(plain_suffixes)},
};

/* ---- The C locale, for reading and writing numbers ---- */

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        error_fatal("the C locale is not available: %s", strerror(errno));
    }
}

static locale_t get_c_locale(void)
{
    pthread_once(&c_locale_once, make_c_locale);
    return c_locale;
}

/* ---- Reading ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads the decimal number at the start of the text. What strtod takes beyond
 * that (leading blanks, hexadecimal, "inf", "nan") is refused. */
static bool scan_number(const char *text, char **end, double *value)
{
    const char *first = text + (*text == '+' || *text == '-');
    bool decimal = is_digit(first[0]) || (first[0] == '.' && is_digit(first[1]));
    bool hexadecimal = first[0] == '0' && (first[1] == 'x' || first[1] == 'X');
    if (!decimal || hexadecimal) {
        return false;
    }
    *value = strtod_l(text, end, get_c_locale());
    return isfinite(*value);
}

/* Blanks may lead up to a suffix, but not trail a bare number. */
static const struct suffix *find_suffix(enum unit unit, const char *text)
{
    const char *word = text + strspn(text, " ");
    for (size_t i = 0; i < units[unit].count; i++) {
        const struct suffix *suffix = &units[unit].suffixes[i];
        if (strcmp(suffix->text, word) == 0) {
            return *word == '\0' && word != text ? NULL : suffix;
        }
    }
    return NULL;
}

static bool parse(const char *text, enum unit unit, double *number, const struct suffix **suffix)
{
    char *end;
    if (!scan_number(text, &end, number)) {
        return false;
    }
    *suffix = find_suffix(unit, end);
    return *suffix != NULL;
}

/* 0x and digits, nothing else. */
static bool parse_hex(const char *text, enum unit unit, uint64_t *value)
{
    const char *digits = text + 2;
    size_t length = strlen(text);
    if (unit != UNIT_ADDRESS || length < 3 || length > 18 || text[0] != '0' ||
        (text[1] != 'x' && text[1] != 'X') ||
        digits[strspn(digits, "0123456789abcdefABCDEF")] != '\0') {
        return false;
    }
    *value = strtoull(digits, NULL, 16);
    return true;
}

bool unit_parse(const char *text, enum unit unit, double *value)
{
    const struct suffix *suffix;
    double number;
    uint64_t whole;

    if (parse_hex(text, unit, &whole)) {
        *value = (double)whole;
        return true;
    }

    if (!parse(text, unit, &number, &suffix)) {
        return false;
    }
    number = number * (double)suffix->factor / (double)suffix->divisor;
    if (!isfinite(number)) {
        return false;
    }
    *value = number;
    return true;
}

/* A double holds whole numbers up to 2^53 only: plain digits are read as an
 * integer, so that all 64 bits arrive. */
static bool scale_digits(const char *text, const struct suffix *suffix, uint64_t *value)
{
    uint64_t product;
    errno = 0;
    unsigned long long digits = strtoull(text, NULL, 10);
    if (errno != 0 || __builtin_mul_overflow((uint64_t)digits, suffix->factor, &product) ||
        product % suffix->divisor != 0) {
        return false;
    }
    *value = product / suffix->divisor;
    return true;
}

/* 1.001us is 1001 ns, although 1.001 * 1000 in doubles is a little less: two
 * roundings may move a whole number by one part in 2^52. */
static bool round_exact(double number, uint64_t *value)
{
    double whole = round(number);

    if (number < 0 || whole >= TWO_TO_64 || fabs(number - whole) > DBL_EPSILON * number) {
        return false;
    }
    *value = (uint64_t)whole;
    return true;
}

bool unit_parse_whole(const char *text, enum unit unit, uint64_t *value)
{
    const struct suffix *suffix;
    double number;

    if (parse_hex(text, unit, value)) {
        return true;
    }
    if (!parse(text, unit, &number, &suffix)) {
        return false;
    }
    const char *digits = text + (*text == '+');
    char after = digits[strspn(digits, "0123456789")];
    if (is_digit(*digits) && after != '.' && after != 'e' && after != 'E') {
        return scale_digits(digits, suffix, value);
    }
    return round_exact(number * (double)suffix->factor / (double)suffix->divisor, value);
}

/* ---- Writing ---- */

/* From here on %g with DBL_DIG digits takes an exponent. */
#define WHOLE_DIGITS 1e15

/* Two more digits than a double always keeps are the most it can need. */
char *unit_format_real(double value, char *buf, size_t size)
{
    /* Most numbers in a table are whole, and %g would say the same of them. */
    if (value > 0 && value < WHOLE_DIGITS && value == (double)(uint64_t)value) {
        snprintf(buf, size, "%" PRIu64, (uint64_t)value);
        return buf;
    }
    locale_t before = uselocale(get_c_locale());

    for (int digits = DBL_DIG; digits <= DBL_DIG + 2; digits++) {
        snprintf(buf, size, "%.*g", digits, value);
        double back = digits < DBL_DIG + 2 ? strtod(buf, NULL) : value;
        if (!(back < value) && !(back > value)) {
            break;
        }
    }
    uselocale(before);
    return buf;
}

char *unit_format_whole(uint64_t value, enum unit unit, char *buf, size_t size)
{
    static const char letters[] = "KMGT";
    char letter[2] = "";
    if ((unit == UNIT_BYTES || unit == UNIT_ADDRESS) && value != 0) {
        for (size_t i = 0; letters[i] != '\0' && value % KIB == 0; i++) {
            letter[0] = letters[i];
            value /= KIB;
        }
    }
    snprintf(buf, size, "%" PRIu64 "%s%s", value, letter, units[unit].spelling);
    return buf;
}

char *unit_format(double value, enum unit unit, char *buf, size_t size)
{
    char number[32];
    if ((unit == UNIT_BYTES || unit == UNIT_ADDRESS) && value >= 0 && value < TWO_TO_64 &&
        !(floor(value) < value)) {
        return unit_format_whole((uint64_t)value, unit, buf, size);
    }
    snprintf(buf, size, "%s%s", unit_format_real(value, number, sizeof number),
             units[unit].spelling);
    return buf;
}

/* Four digits tell people enough; whole numbers above that are not cut. */
static char *format_scaled(double value, double step, const char *const *names, size_t count,
                           char *buf, size_t size)
{
    size_t i = 0;
    while (i + 1 < count && value >= step) {
        value /= step;
        i++;
    }
    locale_t before = uselocale(get_c_locale());
    snprintf(buf, size, value < 1000 ? "%.4g %s" : "%.0f %s", value, names[i]);
    uselocale(before);
    return buf;
}

char *unit_format_ps(ps_t ps, char *buf, size_t size)
{
    static const char *const names[] = {"ps", "ns", "us", "ms", "s"};
    return format_scaled((double)ps, 1000, names, ARRAY_LENGTH(names), buf, size);
}

char *unit_format_bytes(uint64_t bytes, char *buf, size_t size)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    return format_scaled((double)bytes, 1024, names, ARRAY_LENGTH(names), buf, size);
}

const char *unit_name(enum unit unit)
{
    return units[unit].name;
}
