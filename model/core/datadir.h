/*
 * datadir - where the program finds its platforms, workloads and plot scripts.
 */
#ifndef S2FLUSH_CORE_DATADIR_H
#define S2FLUSH_CORE_DATADIR_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Builds the path of a file that comes with the program (such as
 * "model/machine/platforms/neoverse-n1.ini") into buf: under $S2FLUSH_DATA, the
 * current folder, the source tree that the program was built in, or the
 * install folder, the first where it exists. False where it is nowhere. */
bool datadir_find(const char *relative, char *buf, size_t size);

/* The same for what is executed (plot scripts): never from the current folder,
 * which may hold files of a stranger. */
bool datadir_find_code(const char *relative, char *buf, size_t size);

/* The names of the files in such a folder that end in `ending`, without it and in order, behind the
 * `known` that are there, up to `max` in all. Returns how many there are then; the caller frees
 * each. */
size_t datadir_names(const char *relative, const char *ending, char **names, size_t known,
                     size_t max);

/* Fills err where a name is not found because none are: nothing of the program's
 * data is anywhere that it looks. Returns false. */
bool datadir_nowhere(const char *relative, struct error *err);

#endif
