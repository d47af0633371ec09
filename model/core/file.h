/*
 * file - whole files into memory, with an end to what a name on the command line
 * may lead to: folders, devices without end, pipes without a writer.
 */
#ifndef S2FLUSH_CORE_FILE_H
#define S2FLUSH_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Reads a whole file into a NUL-terminated buffer of `length` bytes and one more, which
 * the caller frees. False with one line where it is larger than `limit_bytes` (a device:
 * than 4 MiB), a folder, a named pipe without a writer for 3 s, or not readable;
 * nothing is to be freed then. */
bool file_slurp(const char *path, size_t limit_bytes, char **text, size_t *length,
                struct error *err);

/* False: a file that begins so would be refused as UTF-16 or as a compressed one. */
bool file_begins_as_text(const char *text);

#endif
