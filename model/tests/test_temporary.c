/* A program that a signal ends leaves nothing under a temporary name. */
#include "check.h"

#include "core/error.h"
#include "core/temporary.h"
#include "report/chart/chart.h"
#include "report/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/s2flush-temporary-XXXXXX";

/* Comes right after a folder was made, before its maker knows its name. */
static int raised_in_mkdtemp;

/* Takes the C library's place. */
char *mkdtemp(char *path)
{
    char *number = path + strlen(path) - 6;
    (void)snprintf(number, 7, "%06x", (unsigned)getpid() & 0xffffff);
    if (mkdir(path, 0700) != 0) {
        return NULL;
    }
    if (raised_in_mkdtemp) {
        (void)raise(raised_in_mkdtemp);
    }
    return path;
}

static char *inside(const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

/* In a child: has files of each kind, and is ended by the signal. */
static void be_ended(int by)
{
    struct output kept, dropped, open;
    struct error err;
    char path[256];
    bool good = output_open(&kept, folder, "kept", &err) && output_end(&kept, true, &err) &&
                output_open(&dropped, folder, "dropped", &err) &&
                output_open(&open, folder, "open", &err);
    output_drop(&dropped);
    temporary_add(inside("made", path));
    good = good && mkdir(path, 0777) == 0;
    temporary_add(inside("made/file", path));
    FILE *file = fopen(path, "w");
    if (!good || !file || fclose(file) != 0) {
        _exit(1);
    }
    (void)raise(by);
    _exit(2);
}

/* Plays that in a process, which the signal ends; what that process started ended before it. */
static void expect_ended(void (*play)(int by), int by)
{
    int status;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t child = fork();
    if (child == 0) {
        play(by);
    }
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), by);
    assert_int_equal(waitpid(-1, &status, 0), -1);
    assert_int_equal(errno, ECHILD);
}

static int make_place(void **state)
{
    (void)state;
    snprintf(folder + strlen(folder) - 6, sizeof "XXXXXX", "XXXXXX");
    raised_in_mkdtemp = 0;
    return mkdtemp(folder) ? 0 : -1;
}

/* Nothing is in it. */
static int remove_place(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void signals(void **state)
{
    static const int by[] = {SIGINT, SIGTERM, SIGHUP};
    (void)state;
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        char path[256];
        expect_ended(be_ended, by[i]);
        assert_int_equal(unlink(inside("kept", path)), 0);
        assert_int_equal(rmdir(folder), 0); /* nothing else is there */
        assert_int_equal(mkdir(folder, 0777), 0);
    }
}

/* In a child: the signal comes between making a folder and noting it. */
static void be_ended_between(int by)
{
    char path[256];
    temporary_hold();
    temporary_hold();
    bool good = mkdir(inside("made", path), 0777) == 0;
    (void)raise(by);
    temporary_release();
    if (good) {
        temporary_add(path);
        temporary_release();
    }
    _exit(2);
}

static void held(void **state)
{
    (void)state;
    expect_ended(be_ended_between, SIGINT);
    expect_ended(be_ended_between, SIGTERM);
}

/* In a child: is ended while a process of its own makes its file again and again, for some seconds.
 */
static void be_ended_with_child(int by)
{
    char made[256], path[256];
    int ends[2];
    char byte;
    temporary_add(inside("made", made));
    temporary_add(inside("made/file", path));
    temporary_hold();
    bool good = pipe(ends) == 0;
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(5);
        for (;;) {
            (void)mkdir(made, 0777);
            int file = open(path, O_WRONLY | O_CREAT, 0666);
            good = write(ends[1], "", 1) == 1 && close(file) == 0;
        }
    }
    temporary_add_child(child);
    temporary_release();
    if (!good || read(ends[0], &byte, 1) != 1) {
        _exit(1);
    }
    (void)raise(by);
    _exit(2);
}

static void with_child(void **state)
{
    (void)state;
    expect_ended(be_ended_with_child, SIGTERM);
}

/* A child that has ended is another process's number. */
static void child_waited_for(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) { /* more than have room */
        int status = -1;
        temporary_hold();
        pid_t child = fork();
        if (child == 0) {
            _exit(i);
        }
        temporary_add_child(child);
        temporary_release();
        assert_true(temporary_wait_child(child, &status));
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), i);
        assert_false(temporary_wait_child(child, &status));
    }
    expect_ended(be_ended_with_child, SIGTERM);
}

/* --- while a picture is drawn --- */

static void draw(int by)
{
    struct error err;
    char *svg;
    (void)by;
    (void)setenv("TMPDIR", folder, 1);
    (void)chart_svg("data\n", "name", &svg, &err);
    _exit(2);
}

static void draw_between(int by)
{
    raised_in_mkdtemp = by;
    draw(by);
}

static void folder_of_a_picture(void **state)
{
    (void)state;
    expect_ended(draw_between, SIGTERM);
}

/* In a child: gnuplot is a script that ends whoever started it, and goes on. */
static void draw_with_script(int by)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/bin:%s", folder, getenv("PATH"));
    (void)setenv("PATH", path, 1);
    draw(by);
}

static void gnuplot_of_a_picture(void **state)
{
    char bin[256], path[256];
    (void)state;
    assert_int_equal(mkdir(inside("bin", bin), 0777), 0);
    FILE *script = fopen(inside("bin/gnuplot", path), "w");
    assert_non_null(script);
    fputs("#!/bin/sh\nulimit -t 5\nkill -TERM $PPID\nwhile :; do : >figure.svg; done\n", script);
    assert_int_equal(fchmod(fileno(script), 0755), 0);
    assert_int_equal(fclose(script), 0);
    expect_ended(draw_with_script, SIGTERM);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(bin), 0);
}

/* Who ignores a signal goes on. */
static void ignored(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGHUP, SIG_IGN);
        temporary_add("/nowhere");
        (void)raise(SIGHUP);
        _exit(3);
    }
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        IN_A_PLACE(signals),
        IN_A_PLACE(held),
        IN_A_PLACE(with_child),
        IN_A_PLACE(child_waited_for),
        IN_A_PLACE(folder_of_a_picture),
        IN_A_PLACE(gnuplot_of_a_picture),
        cmocka_unit_test(ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
