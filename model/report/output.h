/*
 * output - files that are there whole or not at all.
 *
 * A file is written under a temporary name in its folder and gets its own name
 * when everything that belongs to it has been written.
 */
#ifndef S2FLUSH_REPORT_OUTPUT_H
#define S2FLUSH_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;

#define OUTPUT_PATH 4096

struct output {
    FILE *file; /* NULL once it is closed */
    char path[OUTPUT_PATH], temporary[OUTPUT_PATH];
};

/* "a/b.csv" is b.csv in the folder a, and b.csv in the folder ".". */
const char *output_split(const char *path, char folder[OUTPUT_PATH]);

/* The path of a file in a folder; false where that is too long. */
bool output_path(char path[OUTPUT_PATH], const char *folder, const char *name, struct error *err);

/* Whether files could be put into a folder, that may not exist yet. */
bool output_folder_check(const char *folder, struct error *err);

/* Makes the folder with all above it. */
bool output_folder_make(const char *folder, struct error *err);

/* How many levels of the folder's path are not there yet; removes as many again,
 * from the end, as far as nothing is in them. */
size_t output_folder_missing(const char *folder);
void output_folder_unmake(const char *folder, size_t levels);

/* Removes what killed processes left of a file under temporary names; nothing
 * where the file system has no locks. */
void output_sweep(const char *folder, const char *name);

/* Starts a file in a folder. */
bool output_open(struct output *output, const char *folder, const char *name, struct error *err);

/* The same for a file that is named by its path. */
bool output_open_path(struct output *output, const char *path, struct error *err);

/* Ends the writing, with all of it on the disk; false where some of it failed
 * (disk full). */
bool output_close(struct output *output, struct error *err);

/* Gives it its name. */
bool output_keep(struct output *output, struct error *err);

/* Both where `good`; whatever fails, nothing is left of it. */
bool output_end(struct output *output, bool good, struct error *err);

/* Removes what is there of it under the temporary name. Harmless after
 * output_keep, and on zeroed memory. */
void output_drop(struct output *output);

/* Files that belong together: all get their names, or none. Zeroed, there are none. */
#define OUTPUTS_MAX 16
struct outputs {
    struct output output[OUTPUTS_MAX];
    size_t count;
};

/* Starts one more. NULL with a line. */
FILE *outputs_add(struct outputs *outputs, const char *folder, const char *name, struct error *err);

/* output_end of all. */
bool outputs_end(struct outputs *outputs, bool good, struct error *err);

#endif
