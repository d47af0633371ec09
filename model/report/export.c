#include "report/export.h"

#include "core/error.h"
#include "report/output.h"
#include "report/run_json.h"

enum { RUN_FILE = ROWS_FORMATS, FILES };

struct exporting {
    const struct store_about *about;
    const bool *format;
    struct output file[FILES];
};

static void write_point(void *context, const struct stored_point *point)
{
    struct exporting *exporting = context;
    for (int format = 0; format < ROWS_FORMATS; format++) {
        if (exporting->format[format]) {
            rows_point(exporting->file[format].file, (enum rows_format)format, exporting->about,
                       point);
        }
    }
}

static bool open_files(struct exporting *exporting, const char *folder, struct error *err)
{
    static const char *const name[FILES] = {"rows.csv", "rows.jsonl", "run.json"};
    for (int i = 0; i < FILES; i++) {
        bool wanted = i == RUN_FILE || exporting->format[i];
        output_sweep(folder, name[i]);
        if (wanted && !output_open(&exporting->file[i], folder, name[i], err)) {
            return false;
        }
    }
    if (exporting->format[ROWS_CSV]) {
        rows_columns(exporting->file[ROWS_CSV].file, exporting->about);
    }
    return true;
}

static bool keep_files(struct exporting *exporting, struct error *err)
{
    for (int i = 0; i < FILES; i++) {
        if (exporting->file[i].file && !output_close(&exporting->file[i], err)) {
            return false;
        }
    }
    for (int i = 0; i < FILES; i++) {
        if (exporting->file[i].temporary[0] && !output_keep(&exporting->file[i], err)) {
            return false;
        }
    }
    return true;
}

bool export_write(struct store *store, const bool format[ROWS_FORMATS], const char *folder,
                  struct error *err)
{
    struct exporting exporting = {.about = store_about(store), .format = format};
    struct store_sum sum = store_sum(store);
    bool good = open_files(&exporting, folder, err) &&
                store_each_point(store, write_point, &exporting, err) &&
                run_json_write(exporting.file[RUN_FILE].file, exporting.about, &sum, err) &&
                keep_files(&exporting, err);
    for (int i = 0; i < FILES; i++) {
        output_drop(&exporting.file[i]);
    }
    return good;
}
