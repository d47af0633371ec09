/*
 * The first and only process of an emulated machine: runs the probe, or what the kernel's
 * command line has behind --, writes what was counted to the console, and switches the
 * machine off.
 *
 * The console carries the kernel's messages too, so the table stands between two
 * marks, with the number of its lines in the second.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLE "/counts.csv"

enum { CONSOLE_OFF = 6 }; /* of klogctl */

static void mount_on(const char *type, const char *where)
{
    mkdir(where, 0755);
    if (mount(type, where, type, 0, NULL) != 0 && errno != EBUSY) {
        printf("init: no %s on %s: %s\n", type, where, strerror(errno));
    }
}

static void set(const char *path, const char *value)
{
    FILE *out = fopen(path, "w");
    if (!out || fputs(value, out) < 0) {
        printf("init: %s can't be set\n", path);
    }
    if (out) {
        fclose(out);
    }
}

/* As it was when the table was recorded: huge pages on demand, none put together in
 * the background (the kernel's thread looks once, at next to nothing, and then sleeps
 * for weeks), and enough reserved ones for one VM. */
static void set_up(void)
{
    mount_on("devtmpfs", "/dev");
    mount_on("proc", "/proc");
    mount_on("sysfs", "/sys");
    mount_on("tracefs", "/sys/kernel/tracing");
    set("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
    set("/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan", "1");
    set("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "4294967295");
    set("/proc/sys/vm/nr_hugepages", "16");
}

/* Its exit code. */
static int run_program(char **words)
{
    static char *probe[] = {"/probe", "vm", "--cases", "/cases.csv", "--counts", TABLE, NULL};
    char **program = *words ? words : probe;
    pid_t child = fork();
    if (child == 0) {
        execv(program[0], program);
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return 1;
    }
    return WEXITSTATUS(status);
}

static void show_table(void)
{
    FILE *in = fopen(TABLE, "r");
    char *line = NULL;
    size_t room = 0;
    int lines = 0;
    printf("\n=== counts\n");
    while (in && getline(&line, &room, in) > 0) {
        fputs(line, stdout);
        lines++;
    }
    printf("=== end of %d lines\n", lines);
    free(line);
    if (in) {
        fclose(in);
    }
}

int main(int count, char **words)
{
    (void)count;
    struct utsname name;
    set_up();
    klogctl(CONSOLE_OFF, NULL, 0);
    uname(&name);
    printf("=== kernel %s %s\n", name.release, name.version);
    fflush(stdout);
    int failed = run_program(words + 1);
    show_table();
    printf("=== probe ended with %d\n", failed);
    fflush(stdout);
    sleep(1); /* the console sends what it holds */
    reboot(RB_POWER_OFF);
    return 1;
}
