#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "machine/platform.h"

static const char *const shipped[] = {"neoverse-n1", "kunpeng-920",       "cortex-a72",
                                      "neoverse-v1", "neoverse-v1-nodic", "altra-max-2s"};
#define SHIPPED (sizeof shipped / sizeof *shipped)

static struct platform loaded(const char *name)
{
    struct platform platform;
    struct error err = {0};
    if (!platform_load(name, &platform, &err)) {
        fail_msg("%s", err.text);
    }
    return platform;
}

static void expect_sound_cost(const struct cost *cost)
{
    assert_true(cost->low <= cost->mode && cost->mode <= cost->high);
    assert_true(strlen(cost->source) > 0);
    assert_true(strlen(cost->evidence) > 0);
    /* A judgement without a reason is a number from nowhere. */
    assert_true(strcmp(cost->evidence, "assumed") != 0 || strlen(cost->basis) > 0);
}

static void shipped_platforms_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHIPPED; i++) {
        struct platform platform = loaded(shipped[i]);
        assert_string_equal(platform.name, shipped[i]);
        assert_true(strlen(platform.title) > 0 && strlen(platform.caps_source) > 0);
        assert_true(platform.cores > 0 && platform.cache_bytes > 0);
        for (int id = 0; id < COSTS; id++) {
            expect_sound_cost(&platform.cost[id]);
        }
    }
}

static void capabilities_are_those_of_the_machines(void **state)
{
    (void)state;
    struct platform n1 = loaded("neoverse-n1"), a72 = loaded("cortex-a72");
    struct platform v1 = loaded("neoverse-v1"), nodic = loaded("neoverse-v1-nodic");
    assert_true(n1.vhe && !n1.fwb && !n1.tlbirange);
    assert_true(!a72.vhe && !a72.fwb && !a72.dic && !a72.tlbirange);
    assert_true(v1.vhe && v1.fwb && v1.dic && v1.tlbirange);
    assert_true(nodic.fwb && !nodic.dic);
    assert_true(loaded("kunpeng-920").vhe && !loaded("kunpeng-920").fwb);
}

static void modes_are_the_values_of_a_plain_run(void **state)
{
    (void)state;
    struct platform platform = loaded("neoverse-n1");
    double value[COSTS];
    platform_modes(&platform, value);
    for (int id = 0; id < COSTS; id++) {
        assert_true(value[id] == platform.cost[id].mode);
    }
}

static void overrides_fix_a_cost(void **state)
{
    (void)state;
    struct platform platform = loaded("neoverse-n1");
    const struct source_location at = {.file = "--set", .key = "dc_absent_ns"};
    struct error err = {0};
    assert_true(platform_override(&platform, "dc_absent_ns", "1.5us", &at, &err));
    const struct cost *cost = &platform.cost[COST_dc_absent_ns];
    assert_true(cost->low == 1500 && cost->mode == 1500 && cost->high == 1500);
    expect_sound_cost(&(struct cost){.source = "x", .evidence = "read"});
    assert_non_null(strstr(cost->source, "--set"));
    assert_string_equal(cost->evidence, "assumed");
    assert_false(platform_override(&platform, "dc_absnt_ns", "1", &at, &err));
    assert_non_null(strstr(err.text, "did you mean dc_absent_ns?"));
    assert_false(platform_override(&platform, "dc_absent_ns", "much", &at, &err));
    assert_non_null(strstr(err.text, "--set: dc_absent_ns: found 'much'"));
    assert_false(platform_override(&platform, "memory_ns", "0", &at, &err));
    assert_false(platform_override(&platform, "overlap", "1001", &at, &err));
    assert_true(platform.cost[COST_memory_ns].mode > 0);
    /* A cost of earlier versions is refused by name. */
    assert_false(platform_override(&platform, "tlbi_core_ns", "5", NULL, &err));
    assert_non_null(strstr(err.text, "tlbi_core_ns is no longer a cost, expected tlbi_ns alone"));
}

static void unknown_platforms_suggest_the_nearest(void **state)
{
    (void)state;
    struct platform platform;
    struct error err = {0};
    assert_false(platform_load("neoverse-n3", &platform, &err));
    assert_non_null(strstr(err.text, "did you mean neoverse-n1?"));
    /* A name that a platform stands for is as near as its own. */
    assert_false(platform_load("altrs", &platform, &err));
    assert_non_null(strstr(err.text, "did you mean altra?"));
    assert_false(platform_load("cpus", &platform, &err));
    assert_false(platform_load("no/such/file.ini", &platform, &err));
    assert_non_null(strstr(err.text, "no/such/file.ini"));
}

static void recorded_cpus_lend_their_capabilities(void **state)
{
    (void)state;
    struct platform base = loaded("neoverse-n1"), platform;
    struct error err = {0};
    assert_true(platform_as_cpu("cortex-a72", &base, &platform, &err));
    assert_string_equal(platform.name, "cortex-a72");
    assert_false(platform.vhe || platform.fwb || platform.tlbirange || platform.dic);
    assert_true(platform.cost[COST_exit_ns].mode == base.cost[COST_exit_ns].mode);
    assert_int_equal(platform.cores, base.cores);
    assert_true(platform_as_cpu("max", &base, &platform, &err));
    assert_true(platform.fwb && platform.tlbirange && platform.vhe);
    assert_false(platform_as_cpu("cortex-a722", &base, &platform, &err));
    assert_non_null(strstr(err.text, "did you mean cortex-a72?"));
    assert_int_equal(err.status, EXIT_INPUT);
}

/* --- broken files: a good one with one line exchanged --- */

#define TEXT_BYTES 32768

static size_t append(char *text, size_t used, const char *format, const char *word)
{
    int length = snprintf(text + used, TEXT_BYTES - used, format, word);
    assert_true(length > 0 && used + (size_t)length < TEXT_BYTES);
    return used + (size_t)length;
}

/* Lines 1 to 10 are [machine], then six lines for each cost in order. */
static void write_good(char *text)
{
    static const char *const machine[] = {
        "[machine]",        "name = good", "title = Good", "cores = 4",      "clock_ghz = 2",
        "cache_bytes = 8M", "fwb = no",    "dic = no",     "tlbirange = no", "vhe = yes"};
    size_t used = 0;
    for (size_t i = 0; i < sizeof machine / sizeof *machine; i++) {
        used = append(text, used, "%s\n", machine[i]);
    }
    for (int id = 0; id < COSTS; id++) {
        used = append(text, used, "[cost %s]\n", cost_name[id]);
        used = append(text, used, "low = 1\nmode = 2\nhigh = 3\n%s", "");
        used = append(text, used, "source = a sheet\nevidence = %s\n", "read");
    }
}

#define COST_LINE(id, line) (11 + 6 * (unsigned)(id) + (line))

/* Writes the text with one line put in place of line `number`, reads it. */
static bool read_with(unsigned number, const char *line, struct platform *platform,
                      struct error *err)
{
    static char text[TEXT_BYTES];
    char path[512];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/platform-XXXXXX.ini", folder ? folder : P_tmpdir);
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    write_good(text);
    unsigned at = 1;
    for (char *rest = text, *end; (end = strchr(rest, '\n')); rest = end + 1, at++) {
        *end = '\0';
        fprintf(file, "%s\n", at == number ? line : rest);
    }
    assert_int_equal(fclose(file), 0);
    *err = (struct error){0};
    bool good = platform_read(path, platform, err);
    assert_int_equal(unlink(path), 0);
    return good;
}

static void a_good_file_is_read(void **state)
{
    (void)state;
    struct platform platform;
    struct error err;
    assert_true(read_with(0, "", &platform, &err));
    assert_int_equal(platform.line_bytes, 64);
    assert_int_equal(platform.cache_ways, 16);
    assert_int_equal(platform.cache_bytes, 8 << 20);
    assert_true(platform.vhe && !platform.lpa2);
    assert_true(platform.cost[COST_lock_handover_ns].mode == 2);
}

static void expect_broken(unsigned number, const char *line, const char *where, const char *what)
{
    struct platform platform;
    struct error err;
    if (read_with(number, line, &platform, &err)) {
        fail_msg("line %u as '%s' was accepted", number, line);
    }
    assert_int_equal(err.status, EXIT_INPUT);
    assert_null(strchr(err.text, '\n'));
    if (!strstr(err.text, where) || !strstr(err.text, what)) {
        fail_msg("'%s' lacks '%s' or '%s'", err.text, where, what);
    }
}

static void broken_machines_are_refused_with_line_and_key(void **state)
{
    (void)state;
    expect_broken(2, "", "ini: name: ", "missing");
    expect_broken(4, "", "ini: cores: ", "missing");
    expect_broken(7, "", "ini: fwb: ", "missing");
    expect_broken(10, "", "ini: vhe: ", "missing");
    expect_broken(4, "cores = 0", ":4: cores: ", "at least 1");
    expect_broken(4, "cors = 4", ":4: ", "did you mean cores?");
    expect_broken(7, "fwb = perhaps", ":7: fwb: ", "yes or no");
    expect_broken(6, "line_bytes = 48", ":6: line_bytes: ", "power of two");
    expect_broken(1, "[machin]", ":2: ", "machin");
    expect_broken(3, "title", ":3: ", "");
}

static void broken_costs_are_refused_with_line_and_key(void **state)
{
    (void)state;
    expect_broken(COST_LINE(2, 0), "[cost exit_nss]", ":24: ", "did you mean exit_ns?");
    expect_broken(COST_LINE(2, 2), "mode = many", ":25: mode: ", "found 'many'");
    expect_broken(COST_LINE(2, 2), "mode = 4", ":28: exit_ns: ", "in order");
    expect_broken(COST_LINE(2, 1), "low = 2.5", ":28: exit_ns: ", "in order");
    expect_broken(COST_LINE(2, 1), "", ":28: exit_ns: ", "key low");
    expect_broken(COST_LINE(2, 3), "", ":28: exit_ns: ", "key high");
    expect_broken(COST_LINE(2, 4), "", ":28: exit_ns: ", "key source");
    expect_broken(COST_LINE(2, 5), "", ":27: exit_ns: ", "key evidence");
    expect_broken(COST_LINE(2, 5), "evidence = rumour", ":28: evidence: ", "unknown evidence");
    expect_broken(COST_LINE(2, 4), "sauce = x", ":27: sauce: ", "unknown key");
    expect_broken(COST_LINE(2, 3), "high = 1e9", ":26: high: ", "from 0 to 1e+06");
    expect_broken(COST_LINE(2, 0), "[cost memory_ns]", "low: ", "stands twice in [cost memory_ns]");
    expect_broken(COST_LINE(2, 4), "prior = 3", ":27: prior: ", "two numbers");
    expect_broken(COST_LINE(2, 4), "prior = 3 4 5", ":27: prior: ", "two numbers");
    expect_broken(COST_LINE(2, 4), "prior = 4 3", ":27: prior: ", "high above low");
    expect_broken(COST_LINE(2, 4), "prior = 0 3", ":27: prior: ", "low above 0");
    expect_broken(COST_LINE(2, 4), "prior = 1 1e9", ":27: prior: ", "from 0 to 1e+06");
}

/* Costs that a file does not give are its base's; what was fitted there was not fitted here. */
static void a_base_lends_its_costs(void **state)
{
    (void)state;
    struct platform base = loaded("neoverse-n1"), pair = loaded("altra-max-2s");
    for (int id = 0; id < COSTS; id++) {
        const struct cost *cost = &pair.cost[id], *from = &base.cost[id];
        bool fitted = strcmp(from->evidence, "fitted") == 0;
        if (id == COST_tlbi_ns || id == COST_line_move_ns) {
            assert_true(cost->high > from->high);
            continue;
        }
        assert_true(cost->low == from->low && cost->mode == from->mode && cost->high == from->high);
        assert_true(cost->prior_low == (fitted ? 0 : from->prior_low));
        assert_string_equal(cost->evidence, fitted ? "inferred" : from->evidence);
    }
    struct platform platform;
    struct error err;
    assert_true(read_with(3, "title = x\nbase = neoverse-n1", &platform, &err));
    assert_true(platform.cost[COST_tlbi_ns].mode == 2);
    expect_broken(3, "title = x\nbase = altra-max-2s", "ini: base: ", "has a base itself");
    expect_broken(3, "title = x\nbase = neoverse", "ini: base: ", "found 'neoverse'");
    expect_broken(3, "title = x\nbase = n", "ini: base: ", "found 'n'");
    expect_broken(10, "base = neoverse-n1", "ini: vhe: ", "missing");
}

static void a_prior_is_read_and_written(void **state)
{
    (void)state;
    struct platform platform;
    struct error err;
    char *text = NULL;
    size_t size;
    assert_true(read_with(11, "[cost kernel_cpi]\nprior = 1.5 2.5", &platform, &err));
    assert_true(platform.cost[0].prior_low == 1.5 && platform.cost[0].prior_high == 2.5);
    assert_true(platform.cost[1].prior_low == 0);
    FILE *out = open_memstream(&text, &size);
    platform_write(&platform, out);
    fclose(out);
    assert_non_null(strstr(text, "\nprior = 1.5 2.5\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_platforms_are_sound),
        cmocka_unit_test(capabilities_are_those_of_the_machines),
        cmocka_unit_test(modes_are_the_values_of_a_plain_run),
        cmocka_unit_test(overrides_fix_a_cost),
        cmocka_unit_test(unknown_platforms_suggest_the_nearest),
        cmocka_unit_test(recorded_cpus_lend_their_capabilities),
        cmocka_unit_test(a_good_file_is_read),
        cmocka_unit_test(broken_machines_are_refused_with_line_and_key),
        cmocka_unit_test(broken_costs_are_refused_with_line_and_key),
        cmocka_unit_test(a_base_lends_its_costs),
        cmocka_unit_test(a_prior_is_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
