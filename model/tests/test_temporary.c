/* A program that a signal ends leaves nothing under a temporary name. */
#include "check.h"

#include "core/error.h"
#include "core/temporary.h"
#include "report/output.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/s2flush-temporary-XXXXXX";

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

static void signals(void **state)
{
    static const int by[] = {SIGINT, SIGTERM, SIGHUP};
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        int status;
        char path[256];
        pid_t child = fork();
        if (child == 0) {
            be_ended(by[i]);
        }
        assert_true(waitpid(child, &status, 0) == child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == by[i]);
        assert_int_equal(unlink(inside("kept", path)), 0);
        assert_int_equal(rmdir(folder), 0); /* nothing else is there */
        assert_int_equal(mkdir(folder, 0777), 0);
    }
    assert_int_equal(rmdir(folder), 0);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(signals), cmocka_unit_test(ignored)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
