#include "report/export.h"

#include "core/error.h"
#include "report/output.h"
#include "report/run_json.h"

struct exporting {
    const struct store_about *about;
    FILE *rows[ROWS_FORMATS]; /* NULL: not wanted */
};

static void write_point(void *context, const struct stored_point *point)
{
    struct exporting *exporting = context;
    for (int format = 0; format < ROWS_FORMATS; format++) {
        if (exporting->rows[format]) {
            rows_point(exporting->rows[format], (enum rows_format)format, exporting->about, point);
        }
    }
}

static bool write_files(struct outputs *files, struct store *store, const bool format[ROWS_FORMATS],
                        const char *folder, struct error *err)
{
    static const char *const name[ROWS_FORMATS] = {
        [ROWS_CSV] = "rows.csv", [ROWS_JSONL] = "rows.jsonl"};
    struct exporting exporting = {.about = store_about(store)};
    for (int i = 0; i < ROWS_FORMATS; i++) {
        output_sweep(folder, name[i]);
        if (format[i] && !(exporting.rows[i] = outputs_add(files, folder, name[i], err))) {
            return false;
        }
    }
    output_sweep(folder, "run.json");
    FILE *run = outputs_add(files, folder, "run.json", err);
    if (run && format[ROWS_CSV]) {
        rows_columns(exporting.rows[ROWS_CSV], exporting.about);
    }
    return run && store_each_point(store, write_point, &exporting, err) &&
           run_json_write(run, store, err);
}

bool export_write(struct store *store, const bool format[ROWS_FORMATS], const char *folder,
                  struct error *err)
{
    struct outputs files = {0};
    struct store_sum sum = store_sum(store);
    if (sum.failed > 0 && sum.failed == sum.have) {
        return store_none_failed(store, err);
    }
    bool good = write_files(&files, store, format, folder, err);
    return outputs_end(&files, good, err);
}
