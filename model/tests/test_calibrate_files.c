#include "core/error.h"
#include "measurements.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

#include "cli/cli.h"

static void expect_same(const struct platform *a, const struct platform *b)
{
    for (int id = 0; id < COSTS; id++) {
        const struct cost *x = &a->cost[id], *y = &b->cost[id];
        assert_true(x->low == y->low && x->mode == y->mode && x->high == y->high);
        assert_string_equal(x->source, y->source);
        assert_string_equal(x->evidence, y->evidence);
        assert_string_equal(x->basis, y->basis);
    }
    size_t machine_bytes = offsetof(struct platform, cost);
    assert_memory_equal(a, b, machine_bytes);
}

static void a_platform_reads_back_as_it_was_written(void **state)
{
    static const char *const names[] = {"neoverse-n1", "cortex-a72", "neoverse-v1", "kunpeng-920"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = path_of("written.ini");
        struct platform platform = base_of(names[i]), back;
        struct error err = {0};
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        platform.cost[COST_dsb_ns].mode = platform.cost[COST_dsb_ns].high = 1000 / 3.0;
        platform_write(&platform, out);
        assert_int_equal(fclose(out), 0);
        if (!platform_read(path, &back, &err)) {
            fail_msg("%s", err.text);
        }
        expect_same(&platform, &back);
        unlink(path);
    }
}

/* What goes to that stream goes nowhere, until it is restored. Not a stream in its place: libraries
 * that are loaded meanwhile would keep it. */
static int silence(FILE *stream)
{
    fflush(stream);
    int was = dup(fileno(stream)), nowhere = open("/dev/null", O_WRONLY);
    assert_true(was >= 0 && nowhere >= 0);
    assert_int_equal(dup2(nowhere, fileno(stream)), fileno(stream));
    close(nowhere);
    return was;
}

static void restore(FILE *stream, int was)
{
    fflush(stream);
    assert_int_equal(dup2(was, fileno(stream)), fileno(stream));
    close(was);
}

/* Runs the command; what it prints goes nowhere. */
static int command(const char *const words[])
{
    char *argv[12] = {(char *)"calibrate"};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        argv[argc] = strdup(words[argc - 1]);
    }
    int out = silence(stdout), err = silence(stderr);
    int status = cli_run(&cmd_calibrate, argc, argv);
    restore(stdout, out);
    restore(stderr, err);
    for (int i = 1; i < argc; i++) {
        free(argv[i]);
    }
    return status;
}

static bool there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void the_command_writes_a_whole_platform(void **state)
{
    struct platform platform, base = base_of("kunpeng-920");
    struct error err = {0};
    (void)state;
    const char *probe = probe_file(&machine, 32, true), *out = path_of("made.ini");
    const char *const words[] = {probe, "-o", out, "--base", "kunpeng-920", NULL};
    assert_int_equal(command(words), EXIT_DONE);
    assert_int_equal(command(words), EXIT_DONE); /* now in place of the first */
    assert_true(platform_read(out, &platform, &err));
    const struct cost *absent = &platform.cost[COST_dc_absent_ns];
    assert_true(fabs(absent->mode / machine.absent - 1) < 0.02);
    assert_string_equal(absent->evidence, "measured");
    assert_non_null(strstr(absent->source, "probe.csv"));
    assert_true(platform.cores == 48 && platform.clock_ghz == 2.5);
    assert_true(platform.cost[COST_tlbi_ns].mode == base.cost[COST_tlbi_ns].mode);
    assert_string_equal(platform.cost[COST_tlbi_ns].source, base.cost[COST_tlbi_ns].source);
    unlink(out);
}

/* What a platform says of the rows that it was made of, and of buffers of any size. */
static void a_platform_is_held_against_rows(void **state)
{
    struct platform platform = base_of("neoverse-n1");
    struct measurements found, all;
    struct error err = {0};
    char line[256];
    size_t rows = 0;
    (void)state;
    const char *probe = probe_file(&machine, 1, true), *path = path_of("check.csv");
    platform.cache_bytes = 256 << 10;
    assert_true(measurements_read(probe, &platform, NULL, false, &found, &err));
    assert_true(measurements_read(probe, &platform, NULL, true, &all, &err));
    assert_int_equal(all.count, found.count + 2); /* clean and dirty, 1 MiB */
    FILE *out = fopen(path, "w+");
    assert_non_null(out);
    assert_true(measurements_check(&all, &platform, out, &err));
    rewind(out);
    assert_non_null(fgets(line, sizeof line, out));
    assert_string_equal(line, "row,measured,predicted,ratio\n");
    while (fgets(line, sizeof line, out)) {
        char *cells = strstr(line, "bytes\",");
        assert_non_null(cells);
        double measured = strtod(cells + strlen("bytes\","), &cells);
        double predicted = strtod(cells + 1, &cells);
        double ratio = strtod(cells + 1, &cells);
        assert_int_equal(*cells, '\n');
        assert_true(fabs(measured / all.rows[rows].measured - 1) < 1e-4);
        assert_true(fabs(ratio - predicted / measured) < 1e-3);
        rows++;
    }
    assert_int_equal(rows, all.count);
    fclose(out);
    unlink(path);
    measurements_free(&found);
    measurements_free(&all);
    const char *const words[] = {probe, "--check", "neoverse-n1", NULL};
    assert_int_equal(command(words), EXIT_DONE);
}

static void what_is_refused_leaves_no_file(void **state)
{
    static const char *const bad[] = {
        "what,ever\n1,2\n",
        "quantity,state,cores,bytes\ndc_civac,absent,1,4096\n",
        "quantity,state,cores,bytes,value\ndc_civac,absent,1,4096,-3\n",
        "quantity,state,cores,bytes,value\ndc_civac,absent,one,4096,3\n",
        "quantity,state,cores,bytes,value,p10,p90\ndc_civac,absent,1,4096,3,4,2\n",
        "quantity,state,cores,bytes,value\nnoise,,1,4096,3\n",
        "quantity,state,cores,bytes,value\n",
        HEADER "t,1,page_table,unmap,no-such-host,6.1,,4k,64M,1,1,ms,fit,x\n",
        HEADER UNMAP("1", "6.1", "4k", "64M", "predict"),
        HEADER UNMAP("1", "6.1", "4k", "64M", "fit"),
        "quantity,state,cores,bytes,value\nmem_latency,chase,1,4096,3e9\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,-1\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,nan\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1025,9,4000000\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,y 0 1 1024,9,4000000\n",
        TIMES "5.4,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,4000000\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,destroy,9,4000\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,4000000\n"
              "6.1,max,1,a,4k,4,0,1,p,w 0 1 1024,9,4000000\n",
        "kernel,cpu,case,median_ns\n6.1,max,a,4\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,4000000\n"
              "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,4000000\n",
        TIMES "6.1,neoverse-n1,0,a,4k,4,0,1,p,w 0 1 1024,9,4e300\n",
        ("quantity,state,cores,bytes,value\ndc_civac,absent,1,4096,6\n"
         "dc_civac,absent,1,65536,4\ndc_civac,absent,1,65536,4\n"),
        TIMES,
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *path = path_of("bad.csv"), *out = path_of("none.ini");
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(bad[i], file);
        assert_int_equal(fclose(file), 0);
        int status = command((const char *const[]){path, "-o", out, NULL});
        if (status != EXIT_INPUT || there(out)) {
            fail_msg("input %zu: status %d", i, status);
        }
        unlink(path);
    }
}

#define ROW(cpu, phase, op, ns) "6.1," cpu ",,a,4k,4,0,1," phase "," op ",9," ns "\n"
#define GOOD ROW("neoverse-n1", "p", "w 0 1 1024", "4000000")

/* Of times, the line says what is wrong, also after rows that are sound. */
static void times_that_are_not_of_one_run_are_named(void **state)
{
    static const char *const bad[][2] = {
        {GOOD ROW("neoverse-n1", "q", "init 0", "0"), ":3: median_ns: found '0'"},
        {GOOD ROW("neoverse-n1", "q", "w 0 1 1025", "1"), ":3: op: found 1025 pages"},
        {GOOD ROW("max", "q", "init 0", "9000"), "'neoverse-n1' and 'max', expected one machine"},
        {GOOD GOOD, ":3: phase: found 'p' of case 'a' as in line 2"},
        {ROW("neoverse-n1", "p", "destroy", "9"), "found no row that a cost could follow from"},
    };
    struct platform base = base_of("neoverse-n1");
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct measurements found;
        struct error err = {0};
        const char *path = path_of("bad.csv");
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, TIMES "%s", bad[i][0]);
        assert_int_equal(fclose(file), 0);
        assert_false(measurements_read(path, &base, NULL, false, &found, &err));
        assert_int_equal(err.status, EXIT_INPUT);
        if (!strstr(err.text, bad[i][1])) {
            fail_msg("'%s' holds no '%s'", err.text, bad[i][1]);
        }
        unlink(path);
    }
}

/* As on a full disk: a file may not grow beyond that. */
static int command_with_room(const char *const words[], rlim_t bytes)
{
    struct rlimit before, little;
    fflush(stdout);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = bytes;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    int status = command(words);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    return status;
}

/* What stood there before stays, whole, when the new file cannot be. */
static void a_failure_keeps_the_old_file(void **state)
{
    const char *out = path_of("old.ini"), *probe = probe_file(&machine, 1, false);
    char text[16] = "";
    (void)state;
    FILE *file = fopen(out, "w");
    assert_non_null(file);
    fputs("as it was", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(command((const char *const[]){probe, "-o", out, "--cost", "tlbi_ns", NULL}),
                     EXIT_INPUT);
    assert_int_equal(command((const char *const[]){probe, "-o", out, "--cost", "tlby_ns", NULL}),
                     EXIT_INPUT);
    assert_int_equal(
        command((const char *const[]){probe, "-o", out, "--base", "no-such-machine", NULL}),
        EXIT_INPUT);
    assert_int_equal(command((const char *const[]){probe, NULL}), EXIT_INPUT);
    assert_int_equal(command((const char *const[]){probe, "-o", "/nonexistent/x.ini", NULL}),
                     EXIT_RUN);
    const char *const words[] = {probe, "-o", out, NULL};
    char part[4200];
    snprintf(part, sizeof part, "%s.part%ld", out, (long)getpid());
    assert_int_equal(command_with_room(words, 1000), EXIT_RUN);
    assert_false(there(part));
    file = fopen(out, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "as it was");
    unlink(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_platform_reads_back_as_it_was_written),
        cmocka_unit_test(the_command_writes_a_whole_platform),
        cmocka_unit_test(a_platform_is_held_against_rows),
        cmocka_unit_test(what_is_refused_leaves_no_file),
        cmocka_unit_test(times_that_are_not_of_one_run_are_named),
        cmocka_unit_test(a_failure_keeps_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
