/* What a dry run says of a study's memory is about what the run takes: within a factor of two of
 * the most that it had in memory at once. */
#include "check.h"

#include "core/units.h"

#include <fcntl.h>
#include <inttypes.h>

#define WORDS 16

/* Runs the program with its output in a file, and returns the most memory that it had. */
static uint64_t run(char *const words[], const char *output)
{
    struct rusage used;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int file = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file < 0 || dup2(file, STDOUT_FILENO) < 0) {
            _exit(9);
        }
        execv(words[0], words);
        _exit(9);
    }
    assert_int_equal(wait4(child, &status, 0, &used), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return (uint64_t)used.ru_maxrss * KIB;
}

/* "270 rows, about 33.47 MiB of memory on 1 thread" */
static uint64_t said(const char *output)
{
    char line[256], unit[8] = "";
    double number = 0;
    FILE *file = fopen(output, "r");
    assert_non_null(file);
    while (!unit[0] && fgets(line, sizeof line, file)) {
        const char *about = strstr(line, " rows, about ");
        if (about && sscanf(about, " rows, about %lf %7s of memory", &number, unit) < 2) {
            unit[0] = '\0';
        }
    }
    assert_int_equal(fclose(file), 0);
    assert_true(strcmp(unit, "MiB") == 0 || strcmp(unit, "GiB") == 0);
    return (uint64_t)(number * (double)(unit[0] == 'M' ? MIB : GIB));
}

static void a_study_takes_about_what_was_said(void **state)
{
    /* Little of anything; a recorded boot, by page; on two threads; many draws; many VMs; many
     * vCPUs; line by line; many points. */
    static const char *const studies[][WORDS] = {
        {"first-light", "workload=recorded-2m", "draws=0", "jobs=1"},
        {"first-light", "workload=recorded-4k", "draws=0", "strategy=unmap", "jobs=1"},
        {"first-light", "workload=recorded-4k", "draws=0", "strategy=unmap", "jobs=2"},
        {"first-light", "workload=recorded-2m", "draws=8192", "jobs=1"},
        {"scenarios", "workload=s08-reboot-storm", "draws=0", "jobs=1"},
        {"q03-vcpus", "vcpus=64", "backing=4k", "strategy=unmap", "draws=0", "jobs=1"},
        {"reference", "footprint=128M", "touched=10%", "backing=4k", "strategy=unmap", "draws=0",
         "fidelity=exact", "jobs=1"},
        {"q07-reset-or-recreate", "touched=0,10%", "draws=0", "jobs=1"},
    };
    char *program = getenv("S2FLUSH"), output[512], folder[512];
    const char *place = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    (void)state;
#ifdef S2FLUSH_NO_JEMALLOC
    skip(); /* tools that look at memory take some themselves */
#endif
    if (!program) {
        skip();
    }
    snprintf(output, sizeof output, "%s/needs.txt", place);
    for (size_t i = 0; i < sizeof studies / sizeof *studies; i++) {
        char *words[4 * WORDS] = {program, "run", "-q", "--set", "machine=kunpeng-920",
                                  "-o",    folder};
        size_t count = 7;
        snprintf(folder, sizeof folder, "%s/needs%zu", place, i);
        words[count++] = (char *)studies[i][0];
        for (size_t k = 1; studies[i][k]; k++) {
            bool jobs = strncmp(studies[i][k], "jobs=", 5) == 0;
            words[count++] = jobs ? "--jobs" : "--set";
            words[count++] = (char *)studies[i][k] + (jobs ? 5 : 0);
        }
        words[count] = "--dry-run";
        (void)run(words, output);
        uint64_t bytes = said(output);
        words[count] = NULL;
        uint64_t most = run(words, output);
        print_message("%s %s: %" PRIu64 " KiB said, %" PRIu64 " KiB taken\n", studies[i][0],
                      studies[i][1], bytes / KIB, most / KIB);
        assert_in_range(most, bytes / 2, bytes * 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_study_takes_about_what_was_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
