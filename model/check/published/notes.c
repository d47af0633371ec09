#include "check/published/notes.h"

#include "core/datadir.h"
#include "core/error.h"

#include <string.h>

static bool read_notes(const char *relative, const char *const *columns, char path[4096],
                       struct csv *csv, struct error *err)
{
    if (!datadir_find(relative, path, 4096)) {
        return error_run(err, "cannot find %s", relative);
    }
    if (!csv_read(path, csv, err)) {
        return false;
    }
    for (size_t i = 0; columns[i]; i++) {
        if (!csv_needs_column(csv, columns[i], err)) {
            return false;
        }
    }
    return true;
}

bool published_notes_read(struct published_notes *notes, struct error *err)
{
    static const char *const missing[] = {"table", "mechanism", "tried", "source", NULL};
    static const char *const unused[] = {"source", "figure", "reason", NULL};
    memset(notes, 0, sizeof *notes);
    return read_notes("bench/published/notes/missing.csv", missing, notes->path[0], &notes->missing,
                      err) &&
           read_notes("bench/published/notes/unused.csv", unused, notes->path[1], &notes->unused,
                      err);
}

void published_notes_free(struct published_notes *notes)
{
    csv_free(&notes->missing);
    csv_free(&notes->unused);
}
