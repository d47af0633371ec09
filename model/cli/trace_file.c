#include "cli/trace_file.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOOL_MISSING = 127, TOOL_UNREADY = 126 };

/* How a file of each kind begins, and what prints it. trace-cmd: trace-cmd.dat(5); perf:
 * perf.data-file-format.txt, written on a host of the one and of the other byte order. What is
 * compressed holds text. */
static const struct kind {
    const char *magic;
    size_t length;
    const char *name, *tool, *package;
    const char *argv[8]; /* the path goes in the place of the empty word */
} kinds[] = {
    {"\x17\x08\x44tracing",
     10,
     "a trace.dat",
     "trace-cmd",
     "trace-cmd",
     {"trace-cmd", "report", "-i", "", NULL}},
    {"PERFILE2",
     8,
     "a perf.data",
     "perf",
     "linux-perf",
     {"perf", "script", "-f", "-F", "comm,pid,tid,cpu,time,event,trace", "-i", "", NULL}},
    {"2ELIFREP",
     8,
     "a perf.data",
     "perf",
     "linux-perf",
     {"perf", "script", "-f", "-F", "comm,pid,tid,cpu,time,event,trace", "-i", "", NULL}},
    {"\x1f\x8b", 2, "a compressed file", "gzip", "gzip", {"gzip", "-dc", "", NULL}},
    {"\xfd"
     "7zXZ",
     5,
     "a compressed file",
     "xz",
     "xz-utils",
     {"xz", "-dc", "", NULL}},
    {"\x28\xb5\x2f\xfd", 4, "a compressed file", "zstd", "zstd", {"zstd", "-dc", "", NULL}},
};

static const struct kind *kind_of(FILE *in)
{
    char start[16] = {0};
    size_t length = fread(start, 1, sizeof start, in);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (length >= kinds[i].length && memcmp(start, kinds[i].magic, kinds[i].length) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* In the child: becomes the tool, which must not see the end of the pipe that is read. */
static _Noreturn void become(const struct kind *kind, const char *path, const int ends[2])
{
    char *argv[8];
    size_t i = 0;
    for (; kind->argv[i]; i++) {
        argv[i] = (char *)(kind->argv[i][0] ? kind->argv[i] : path);
    }
    argv[i] = NULL;
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        dup2(ends[1], STDOUT_FILENO) < 0) {
        _exit(TOOL_UNREADY);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    execvp(argv[0], argv);
    _exit(errno == ENOENT ? TOOL_MISSING : TOOL_UNREADY);
}

static bool run_tool(const struct kind *kind, const char *path, struct trace_file *file,
                     struct error *err)
{
    int ends[2];
    file->tool = kind->tool;
    (void)fflush(NULL);
    if (pipe(ends) != 0) {
        return error_run(err, "%s: %s", kind->tool, strerror(errno));
    }
    file->child = fork();
    if (file->child == 0) {
        become(kind, path, ends);
    }
    (void)close(ends[1]);
    file->text = file->child > 0 ? fdopen(ends[0], "r") : NULL;
    if (!file->text) {
        (void)close(ends[0]);
        return error_run(err, "%s: %s", kind->tool, strerror(errno));
    }
    return true;
}

bool trace_file_open(const char *path, struct trace_file *file, struct error *err)
{
    *file = (struct trace_file){.text = strcmp(path, "-") == 0 ? stdin : fopen(path, "r")};
    if (!file->text) {
        return error_input(err, NULL, "%.200s: %s", path, strerror(errno));
    }
    /* What cannot be read twice is not looked at. */
    if (file->text == stdin || fseek(file->text, 0, SEEK_SET) != 0) {
        return true;
    }
    const struct kind *kind = kind_of(file->text);
    rewind(file->text);
    if (!kind) {
        return true;
    }
    (void)fclose(file->text);
    file->text = NULL;
    return run_tool(kind, path, file, err);
}

/* The tool's end counts for more than what was made of its output. */
bool trace_file_close(struct trace_file *file, bool good, struct error *err)
{
    int status = 0;
    if (file->text && file->text != stdin) {
        (void)fclose(file->text);
    }
    if (!file->tool || waitpid(file->child, &status, 0) != file->child) {
        return good;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == TOOL_MISSING) {
        const struct kind *kind = kinds;
        while (kind->tool != file->tool) {
            kind++;
        }
        return error_input(err, NULL,
                           "found %s, which %s prints, and that is not installed (Debian: %s): "
                           "expected it, or the text that it prints elsewhere",
                           kind->name, kind->tool, kind->package);
    }
    /* Where reading ended early the tool ends by the closed pipe. */
    bool failed = WIFEXITED(status) && WEXITSTATUS(status) != 0;
    return !good || !failed ? good
                            : error_input(err, NULL,
                                          "%s could not print the whole of it (status %d): try it "
                                          "by hand, and import what it prints",
                                          file->tool, WEXITSTATUS(status));
}
