#include "core/error.h"
#include "core/option.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct settings {
    uint64_t ram_bytes;
    double load_ns;
    double ratio;
    bool trace;
    int strategy;
    char name[8];
    uint64_t seed;
    double before, after; /* untouched neighbours */
};

/* Not from 0 on, and not in the order of their words. */
static const struct choice strategies[] = {
    {"none", 3, "nothing"}, {"eager", 1, "at once"}, {"lazy", 7, "at the fault"}, {0}};

#define AT(member) .offset = offsetof(struct settings, member)

static const struct option_row table[] = {
    {"guest", "ram", OPTION_WHOLE, UNIT_BYTES, MIB, 16.0 * TIB, "1G", AT(ram_bytes),
     .help = "memory of the guest"},
    {"guest", "trace", OPTION_FLAG, .fallback = "no", AT(trace), .help = "write every event"},
    {"machine", "load", OPTION_REAL, UNIT_NS, 0, INFINITY, "7.7ns", AT(load_ns),
     .help = "a load that hits"},
    {"machine", "ratio", OPTION_REAL, UNIT_RATIO, 0, 1, "30%", AT(ratio), .help = "share of dirty"},
    {"machine", "strategy", OPTION_CHOICE, .fallback = "lazy", .choices = strategies, AT(strategy),
     .help = "when to flush"},
    {"machine", "name", OPTION_TEXT, .fallback = "", AT(name), .text_size = 8,
     .help = "for the title"},
    {"", "seed", OPTION_WHOLE, UNIT_NONE, 0, INFINITY, NULL, AT(seed), .help = "of all streams"},
};
#define ROWS (sizeof table / sizeof table[0])

static const struct source_location where = {"workloads/x.ini", 12, NULL};

static bool assign(struct settings *settings, const char *section, const char *name,
                   const char *text, struct error *err)
{
    *err = (struct error){0};
    return option_assign(table, ROWS, section, name, text, settings, &where, err);
}

static void assert_refused(const char *section, const char *name, const char *text,
                           const char *message)
{
    struct settings settings, untouched;
    struct error err;

    memset(&settings, 0x5a, sizeof settings);
    untouched = settings;
    assert_false(assign(&settings, section, name, text, &err));
    assert_string_equal(err.text, message);
    assert_int_equal(err.status, EXIT_INPUT);
    assert_memory_equal(&settings, &untouched, sizeof settings);
}

/* ---- Setting ---- */

static void test_defaults(void **state)
{
    struct settings settings = {.seed = 42, .before = 1, .after = 2};

    (void)state;
    option_defaults(table, ROWS, &settings);
    assert_true(settings.ram_bytes == GIB);
    assert_true(fabs(settings.load_ns - 7.7) <= 0);
    assert_true(fabs(settings.ratio - 0.3) <= 0);
    assert_false(settings.trace);
    assert_int_equal(settings.strategy, 7);
    assert_string_equal(settings.name, "");
    assert_true(settings.seed == 42);
    assert_true(settings.before < 1.5 && settings.after > 1.5);
}

/* What is no input's fault ends the program. */
static void assert_aborts(void (*defect)(void))
{
    int status;

    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        if (freopen("/dev/null", "w", stderr) != NULL) {
            defect();
        }
        _exit(99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void set_bad_default(void)
{
    static const struct option_row bad[] = {{"guest", "ram", OPTION_WHOLE, UNIT_BYTES, MIB, GIB,
                                             "1K", AT(ram_bytes), .help = "below its own range"}};
    struct settings settings;

    option_defaults(bad, 1, &settings);
}

static void test_a_bad_default_is_a_defect(void **state)
{
    (void)state;
    assert_aborts(set_bad_default);
}

static void format_no_choice(void)
{
    char buf[64];
    struct settings settings = {.strategy = 2};

    option_format(option_find(table, ROWS, "machine", "strategy"), &settings, buf, sizeof buf);
}

static void test_a_value_without_a_word_is_a_defect(void **state)
{
    (void)state;
    assert_aborts(format_no_choice);
}

static void test_values_arrive(void **state)
{
    struct settings settings = {0};
    struct error err;

    (void)state;
    assert_true(assign(&settings, "guest", "ram", "1.5M", &err));
    assert_true(settings.ram_bytes == 1536 * KIB);
    assert_true(assign(&settings, "guest", "ram", "16T", &err));
    assert_true(assign(&settings, "guest", "ram", "1M", &err));
    assert_true(assign(&settings, "machine", "load", "1.5us", &err));
    assert_true(fabs(settings.load_ns - 1500) <= 0);
    assert_true(assign(&settings, "machine", "strategy", "eager", &err));
    assert_int_equal(settings.strategy, 1);
    assert_true(assign(&settings, "machine", "name", "1234567", &err));
    assert_string_equal(settings.name, "1234567");
    assert_true(assign(&settings, "anything", "seed", "18446744073709551615", &err));
    assert_true(settings.seed == UINT64_MAX);
}

static void test_flags(void **state)
{
    static const char *const on[] = {"yes", "true", "on", "1"};
    static const char *const off[] = {"no", "false", "off", "0"};
    struct settings settings = {0};
    struct error err;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(assign(&settings, "guest", "trace", on[i], &err));
        assert_true(settings.trace);
        assert_true(assign(&settings, "guest", "trace", off[i], &err));
        assert_false(settings.trace);
    }
}

/* ---- Refusing ---- */

static void test_bad_numbers(void **state)
{
    (void)state;
    assert_refused("guest", "ram", "12Q",
                   "workloads/x.ini:12: ram: found '12Q', expected bytes such as 128M (at least "
                   "1M, at most 16T)");
    assert_refused("guest", "ram", "1048575",
                   "workloads/x.ini:12: ram: found '1048575', expected bytes such as 128M (at "
                   "least 1M, at most 16T)");
    assert_refused("guest", "ram", "17T",
                   "workloads/x.ini:12: ram: found '17T', expected bytes such as 128M (at least "
                   "1M, at most 16T)");
    assert_refused("machine", "load", "-1ns",
                   "workloads/x.ini:12: load: found '-1ns', expected a time such as 7.7ns or 2ms "
                   "(at least 0ns)");
    assert_refused("machine", "ratio", "0,3",
                   "workloads/x.ini:12: ratio: found '0,3', expected a ratio such as 0.3 or 30% "
                   "(at least 0, at most 1); the decimal sign is a point");
    assert_refused("", "seed", "0.5",
                   "workloads/x.ini:12: seed: found '0.5', expected a whole number such as 3 (at "
                   "least 0)");
}

static void test_bad_words(void **state)
{
    (void)state;
    assert_refused("guest", "trace", "maybe",
                   "workloads/x.ini:12: trace: found 'maybe', expected yes or no");
    assert_refused("machine", "strategy", "laxy",
                   "workloads/x.ini:12: strategy: found 'laxy', which is none of its values (did "
                   "you mean lazy?)");
    assert_refused("machine", "strategy", "",
                   "workloads/x.ini:12: strategy: found '', which is none of its values (valid: "
                   "none, eager, lazy)");
    assert_refused("machine", "name", "12345678",
                   "workloads/x.ini:12: name: found a text of 8 bytes, expected at most 7");
}

static void test_unknown_keys(void **state)
{
    (void)state;
    assert_refused("guest", "rma", "1G",
                   "workloads/x.ini:12: rma: is no key of [guest] (did you mean ram?)");
    assert_refused("guest", "zzz", "1G",
                   "workloads/x.ini:12: zzz: is no key of [guest] (valid: ram, trace, seed)");
    assert_refused("guest", "load", "1",
                   "workloads/x.ini:12: load: is no key of [guest], it belongs in [machine]");
}

static void test_unknown_sections(void **state)
{
    struct settings settings;
    struct error err;

    (void)state;
    assert_false(option_assign(table, ROWS - 1, "guset", "ram", "1G", &settings, NULL, &err));
    assert_string_equal(err.text,
                        "ram: stands in the unknown section [guset] (did you mean guest?)");
    assert_false(option_assign(table, ROWS - 1, "", "ram", "1G", &settings, NULL, &err));
    assert_string_equal(err.text, "ram: stands before any [section] (valid: guest, machine)");
}

/* ---- Writing ---- */

static void test_format_reads_back(void **state)
{
    static const char *const expected[] = {"1G", "no", "7.7ns", "0.3", "lazy", "", "42"};
    struct settings settings = {.seed = 42};
    struct settings again = {0};

    (void)state;
    option_defaults(table, ROWS, &settings);
    for (size_t i = 0; i < ROWS; i++) {
        char buf[64];
        struct error err;
        assert_string_equal(option_format(&table[i], &settings, buf, sizeof buf), expected[i]);
        assert_true(option_set(&table[i], buf, &again, NULL, &err));
    }
    assert_true(again.ram_bytes == settings.ram_bytes && again.seed == settings.seed);
    assert_int_equal(again.strategy, settings.strategy);
}

static void test_help_is_aligned(void **state)
{
    static const char expected[] = "[guest]\n"
                                   "  ram       bytes   1M..16T  1G        memory of the guest\n"
                                   "  trace     yes|no  -        no        write every event\n"
                                   "\n"
                                   "[machine]\n"
                                   "  load      ns      >= 0ns   7.7ns     a load that hits\n"
                                   "  ratio     ratio   0..1     30%       share of dirty\n"
                                   "  strategy  choice  -        lazy      when to flush\n"
                                   "                                         none: nothing\n"
                                   "                                         eager: at once\n"
                                   "                                         lazy: at the fault\n"
                                   "  name      text    -        -         for the title\n"
                                   "\n"
                                   "[any section]\n"
                                   "  seed      count   >= 0     required  of all streams\n";
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    option_print_help(table, ROWS, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_a_bad_default_is_a_defect),
        cmocka_unit_test(test_a_value_without_a_word_is_a_defect),
        cmocka_unit_test(test_values_arrive),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_bad_words),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_unknown_sections),
        cmocka_unit_test(test_format_reads_back),
        cmocka_unit_test(test_help_is_aligned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
