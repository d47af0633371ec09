/* One run over time: files. */
#include "report/timeline/tracks.h"

#include "core/error.h"
#include "core/invariant.h"
#include "report/gnuplot.h"
#include "report/output.h"

#include <string.h>

#define SCRIPT "timeline.gp"

enum form { FORM_JSON, FORM_SVG, FORM_PNG, FORMS };
static const char *const form_name[FORMS] = {"json", "svg", "png"};

static enum form form_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    int form = 0;
    while (form < FORMS && (!dot || strcmp(dot + 1, form_name[form]) != 0)) {
        form++;
    }
    return (enum form)form;
}

bool tracks_path_check(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    if (form_of(path) == FORMS || base[0] == '.') {
        return error_input(err, NULL,
                           "--timeline: found '%.80s', expected a name that ends in .json, .svg or "
                           ".png",
                           path);
    }
    return strlen(path) < OUTPUT_PATH - 64 ||
           error_input(err, NULL, "--timeline: the file's name is too long");
}

static bool write_json(const char *folder, const char *name, const struct setup *setup,
                       const struct sim *sim, struct error *err)
{
    struct output output;
    if (!output_open(&output, folder, name, err)) {
        return false;
    }
    tracks_json(output.file, setup, sim);
    return output_end(&output, true, err);
}

static bool write_picture(const char *folder, const char *name, enum form form,
                          const struct setup *setup, const struct sim *sim, struct error *err)
{
    struct output table;
    char rows[300];
    snprintf(rows, sizeof rows, "%.200s.csv", name);
    if (!output_open(&table, folder, rows, err)) {
        return false;
    }
    tracks_table(table.file, setup, sim);
    bool good =
        output_close(&table, err) && gnuplot_draw(folder, SCRIPT, strrchr(table.temporary, '/') + 1,
                                                  "", name, form_name[form], err);
    output_drop(&table);
    return good;
}

static void print_limit(const struct spans *spans, const char *what, FILE *messages)
{
    uint64_t merged = 0, stands_for = 0;
    for (size_t i = 0; i < spans->count; i++) {
        merged += spans->span[i].stands_for > 1;
        stands_for += spans->span[i].stands_for > 1 ? spans->span[i].stands_for : 0;
    }
    if (merged > 0) {
        fprintf(messages,
                "s2flush: timeline: %llu slices of up to %g us stand for %llu shorter %s; a higher "
                "--timeline-limit shows them (now %zu)\n",
                (unsigned long long)merged, (double)spans->grain / PS_PER_US,
                (unsigned long long)stands_for, what, spans->room);
    }
    if (spans->marks_left_out > 0) {
        fprintf(messages, "s2flush: timeline: %llu marks beyond the limit left out\n",
                (unsigned long long)spans->marks_left_out);
    }
}

bool tracks_write(const struct tracks_wish *wish, const struct setup *setup, const struct sim *sim,
                  FILE *messages, struct error *err)
{
    bool good = true, json = false;
    for (size_t i = 0; good && i < wish->count; i++) {
        char folder[OUTPUT_PATH];
        const char *name = output_split(wish->path[i], folder);
        enum form form = form_of(wish->path[i]);
        INVARIANT(form != FORMS, "%s has no known ending", wish->path[i]);
        json |= form == FORM_JSON;
        good = form == FORM_JSON ? write_json(folder, name, setup, sim, err)
                                 : write_picture(folder, name, form, setup, sim, err);
    }
    if (good && json && messages) {
        print_limit(&watch_seen(sim)->did, "ones", messages);
        print_limit(&watch_seen(sim)->held, "holds of locks", messages);
    }
    return good;
}
