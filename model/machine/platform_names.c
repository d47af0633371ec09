#include "machine/platform_names.h"

#include "core/choice.h"
#include "core/csv.h"
#include "core/datadir.h"
#include "core/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAMES_FILE "model/machine/platforms/names.csv"

static bool take_text(const struct csv *csv, size_t row, const char *column, char *text,
                      size_t size, struct error *err)
{
    const char *cell = csv_cell(csv, row, csv_column(csv, column));
    struct source_location at = {.file = csv->path, .line = csv->lines[row], .key = column};
    if (cell[0] == '\0' || strlen(cell) >= size) {
        return error_input(err, &at, "found '%.80s', expected 1 to %zu characters", cell, size - 1);
    }
    snprintf(text, size, "%s", cell);
    return true;
}

static bool take_row(const struct csv *csv, size_t row, struct platform_alias *alias,
                     struct error *err)
{
    static const char *const fits[] = {"same", "class", "core", "none"};
    struct source_location at = {.file = csv->path, .line = csv->lines[row], .key = "fit"};
    if (!take_text(csv, row, "name", alias->name, sizeof alias->name, err) ||
        !take_text(csv, row, "platform", alias->platform, sizeof alias->platform, err) ||
        !take_text(csv, row, "fit", alias->fit, sizeof alias->fit, err) ||
        !take_text(csv, row, "remark", alias->remark, sizeof alias->remark, err)) {
        return false;
    }
    return choice_index(fits, sizeof fits / sizeof *fits, alias->fit) <
               sizeof fits / sizeof *fits ||
           error_input(err, &at, "found '%s', expected same, class, core or none", alias->fit);
}

bool platform_aliases_read(struct platform_aliases *aliases, struct error *err)
{
    char path[4096];
    struct csv csv;
    aliases->count = 0;
    if (!datadir_find(NAMES_FILE, path, sizeof path)) {
        return error_run(err, "cannot find " NAMES_FILE);
    }
    if (!csv_read(path, &csv, err)) {
        return false;
    }
    bool good = csv.rows <= PLATFORM_ALIASES_MAX ||
                error_input(err, NULL, "%s: found %zu names, expected %d at most", path, csv.rows,
                            PLATFORM_ALIASES_MAX);
    for (size_t row = 0; good && row < csv.rows; row++) {
        good = take_row(&csv, row, &aliases->alias[aliases->count++], err);
    }
    csv_free(&csv);
    return good;
}

void platform_spelling(const char *name, char *text, size_t size)
{
    size_t used = 0;
    for (; name[used] && used + 1 < size; used++) {
        text[used] = strchr(" _", name[used]) ? '-' : (char)tolower((unsigned char)name[used]);
    }
    text[used] = '\0';
}

const struct platform_alias *platform_alias_find(const struct platform_aliases *aliases,
                                                 const char *name)
{
    char text[sizeof aliases->alias->name];
    platform_spelling(name, text, sizeof text);
    for (unsigned i = 0; i < aliases->count && strlen(name) < sizeof text; i++) {
        if (strcmp(aliases->alias[i].name, text) == 0) {
            return &aliases->alias[i];
        }
    }
    return NULL;
}

bool platform_alias_fits(const struct platform_alias *alias)
{
    return strcmp(alias->fit, "none") != 0;
}
