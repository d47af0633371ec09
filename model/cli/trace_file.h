/*
 * trace_file - a trace as text, whatever it is kept as: text itself, or a trace.dat of trace-cmd or
 * a perf.data of perf, which their own tools print.
 */
#ifndef S2FLUSH_CLI_TRACE_FILE_H
#define S2FLUSH_CLI_TRACE_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct error;

struct trace_file {
    FILE *text;
    const char *tool; /* that prints it; NULL: it is text */
    pid_t child;
};

/* Opens it ("-": stdin, which has to be text). False with one line where it cannot be read, or the
 * tool that it takes is not installed. */
bool trace_file_open(const char *path, struct trace_file *file, struct error *err);

/* Closes it. False where the tool failed, which only shows then, and all was good before. */
bool trace_file_close(struct trace_file *file, bool good, struct error *err);

#endif
