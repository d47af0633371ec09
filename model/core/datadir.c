#include "core/datadir.h"

#include "core/alloc.h"
#include "core/error.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef S2FLUSH_DATADIR
#define S2FLUSH_DATADIR "/usr/local/share/s2flush"
#endif

static bool readable(const char *folder, const char *relative, char *buf, size_t size)
{
    int length = snprintf(buf, size, "%s/%s", folder, relative);
    return length > 0 && (size_t)length < size && access(buf, R_OK) == 0;
}

/* The folder above the program's own: build/s2flush lies in the source tree. */
static bool beside_program(const char *relative, char *buf, size_t size)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) {
        return false;
    }
    program[length] = '\0';
    for (int up = 0; up < 4; up++) {
        char *slash = program + length;
        while (slash > program && *slash != '/') {
            slash--;
        }
        *slash = '\0';
        length = slash - program;
        if (readable(program, relative, buf, size)) {
            return true;
        }
    }
    return false;
}

static bool under_own(const char *relative, char *buf, size_t size)
{
    const char *own = getenv("S2FLUSH_DATA");
    return own && readable(own, relative, buf, size);
}

bool datadir_find(const char *relative, char *buf, size_t size)
{
    return under_own(relative, buf, size) || readable(".", relative, buf, size) ||
           beside_program(relative, buf, size) || readable(S2FLUSH_DATADIR, relative, buf, size);
}

bool datadir_find_code(const char *relative, char *buf, size_t size)
{
    return under_own(relative, buf, size) || beside_program(relative, buf, size) ||
           readable(S2FLUSH_DATADIR, relative, buf, size);
}

bool datadir_nowhere(const char *relative, struct error *err)
{
    return error_input(
        err, NULL,
        "cannot find %s: expected it in $S2FLUSH_DATA, here, above the program or in "
        "%s",
        relative, S2FLUSH_DATADIR);
}

size_t datadir_names(const char *relative, const char *ending, char **names, size_t known,
                     size_t max)
{
    char folder[4096];
    struct dirent **entries = NULL;
    int count = 0;
    if (datadir_find(relative, folder, sizeof folder)) {
        count = scandir(folder, &entries, NULL, alphasort);
    }
    for (int i = 0; i < count; i++) {
        char *name = entries[i]->d_name, *dot = strrchr(name, '.');
        if (dot && strcmp(dot, ending) == 0 && known < max) {
            *dot = '\0';
            names[known++] = alloc_checked(strdup(name), "names of files");
        }
        free(entries[i]);
    }
    free(entries);
    return known;
}
