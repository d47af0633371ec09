/* What was seen of strategies by running them: kernels under an emulator and a detector of old
 * bytes, bench/kvm/proof/linux.csv. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"
#include "core/csv.h"
#include "core/datadir.h"
#include "core/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEEN "bench/kvm/proof/linux.csv"

static const char *const columns[] = {"kernel",      "patches", "strategy", "old_lines",
                                      "cells_equal", "cells",   NULL};

static const char *cell(const struct csv *csv, size_t row, const char *column)
{
    return csv_cell(csv, row, csv_column(csv, column));
}

/* Kernels by their versions, each once: "6.1.192, 6.12.9". */
static void add_kernel(struct memo_seen *seen, const char *kernel)
{
    size_t used = strlen(seen->kernels);
    if (!strstr(seen->kernels, kernel)) {
        snprintf(seen->kernels + used, sizeof seen->kernels - used, "%s%.31s", used ? ", " : "",
                 kernel);
    }
}

static bool take_row(const struct csv *csv, size_t row, struct memo_seen *seen, struct error *err)
{
    uint64_t lines, equal, cells;
    if (!csv_whole(csv, row, csv_column(csv, "old_lines"), 0, &lines, err) ||
        !csv_whole(csv, row, csv_column(csv, "cells_equal"), 0, &equal, err) ||
        !csv_whole(csv, row, csv_column(csv, "cells"), 0, &cells, err)) {
        return false;
    }
    add_kernel(seen, cell(csv, row, "kernel"));
    seen->patched |= cell(csv, row, "patches")[0] != '\0';
    seen->runs++;
    seen->old_runs += lines > 0;
    seen->lines_max = lines > seen->lines_max ? lines : seen->lines_max;
    seen->equal += equal;
    seen->cells += cells;
    return true;
}

static bool take_rows(struct memo *memo, const struct csv *csv, struct error *err)
{
    struct error unused;
    for (size_t s = 0; s < memo->strategies; s++) {
        const char *name = memo_name(memo, s);
        for (size_t row = 0; row < csv->rows && strategy_find(name, &unused); row++) {
            if (strcmp(cell(csv, row, "strategy"), name) == 0 &&
                !take_row(csv, row, &memo->seen[s], err)) {
                return false;
            }
        }
    }
    return true;
}

bool memo_read_seen(struct memo *memo, struct error *err)
{
    char path[4096];
    struct csv csv;
    memo->seen = alloc_zeroed(memo->strategies, sizeof *memo->seen, "a memo");
    if (!datadir_find(SEEN, path, sizeof path)) {
        return true;
    }
    if (!csv_read(path, &csv, err)) {
        return false;
    }
    bool good = csv_needs(&csv, columns, err) && take_rows(memo, &csv, err);
    csv_free(&csv);
    return good;
}

/* "; seen on patched 6.1.192 under emulation: no old byte is read in 6 runs" */
void memo_put_seen(const struct memo *memo, size_t strategy, struct doc_node *words)
{
    const struct memo_seen *seen = &memo->seen[strategy];
    if (seen->runs == 0) {
        return;
    }
    doc_text(words, "; seen on %s%s under emulation: ", seen->patched ? "patched " : "",
             seen->kernels);
    if (seen->old_runs == 0) {
        doc_text(words, "no old byte is read in %zu runs", seen->runs);
    } else {
        doc_text(words, "old bytes are read in %zu of %zu runs", seen->old_runs, seen->runs);
    }
}

void memo_seen_table(const struct memo *memo, struct doc_node *doc)
{
    static const char *const names[] = {"strategy",       "kernel",
                                        ">runs",          ">with old bytes read",
                                        ">lines at most", ">counts as the model has them"};
    struct doc_node *table = NULL;
    for (size_t s = 0; s < memo->strategies; s++) {
        const struct memo_seen *seen = &memo->seen[s];
        if (seen->runs == 0) {
            continue;
        }
        if (!table) {
            doc_text(
                doc_add(doc, DOC_PARAGRAPH, NULL),
                "Seen by running: Linux kernels that do what a strategy does, with small guests "
                "that reboot, in an emulator that keeps what caches may hold (");
            doc_code(doc->last, SEEN);
            doc_text(doc->last, "):");
            table = doc_table(doc, names, 6);
        }
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        doc_code(doc_add(line, DOC_CELL, NULL), memo_name(memo, s));
        doc_cell(line, "%s%s", seen->kernels, seen->patched ? ", patched" : "");
        doc_number(line, "%zu", seen->runs);
        doc_number(line, "%zu", seen->old_runs);
        doc_number(line, "%" PRIu64, seen->lines_max);
        doc_number(line, "%" PRIu64 " of %" PRIu64, seen->equal, seen->cells);
    }
}
