/* The reference of columns is of those that there are: of the rows and of the store. */
#include "store_files.h"

#include "report/columns.h"

#include <sqlite3.h>
#include <string.h>

static void rows_have_these_columns(void **state)
{
    struct study study;
    char *header = NULL;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    struct store *store = good_store(&study, "r.db", whole);
    FILE *out = open_memstream(&header, &size);
    assert_non_null(out);
    rows_columns(out, store_about(store));
    assert_int_equal(fclose(out), 0);
    char *rest = header;
    for (size_t i = 0; i < columns_of_rows_count; i++) {
        bool axes = strcmp(columns_of_rows[i].name, "<axis>") == 0;
        for (size_t n = axes ? store_about(store)->axes : 1; n > 0; n--) {
            const char *name = strsep(&rest, ",\n");
            assert_non_null(name);
            assert_true(axes || strcmp(name, columns_of_rows[i].name) == 0);
        }
        assert_true(axes || columns_of_rows[i].help[0]);
    }
    assert_string_equal(rest, "");
    free(header);
    close_good(store);
    remove_file("r.db");
    study_free(&study);
}

/* A store's columns in the order of its tables, "table.column", a line for each. */
static void columns_in(sqlite3 *database, FILE *out)
{
    sqlite3_stmt *row;
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT m.name, c.name FROM sqlite_schema m, "
                                        "pragma_table_info(m.name) c WHERE m.type = 'table' "
                                        "ORDER BY m.rowid, c.cid",
                                        -1, &row, NULL),
                     SQLITE_OK);
    while (sqlite3_step(row) == SQLITE_ROW) {
        fprintf(out, "%s.%s\n", (const char *)sqlite3_column_text(row, 0),
                (const char *)sqlite3_column_text(row, 1));
    }
    sqlite3_finalize(row);
}

static void stores_have_these_columns(void **state)
{
    struct study study;
    sqlite3 *database;
    char path[512], *found = NULL, *expected = NULL;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("c.db");
    play_parts(&study, "c.db", whole, 1);
    struct store *store = good_store(&study, "c.db", whole);
    FILE *out = open_memstream(&expected, &size);
    for (size_t i = 0; i < columns_of_store_count; i++) {
        const struct column *column = &columns_of_store[i];
        if (strcmp(column->name, "<axis>") == 0) {
            for (size_t a = 0; a < store_about(store)->axes; a++) {
                fprintf(out, "%s.%s\n", column->table, store_about(store)->axis[a].name);
            }
        } else {
            fprintf(out, "%s.%s\n", column->table, column->name);
        }
    }
    assert_int_equal(fclose(out), 0);
    close_good(store);
    path_of("c.db", path, sizeof path);
    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    out = open_memstream(&found, &size);
    columns_in(database, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    assert_string_equal(found, expected);
    free(found);
    free(expected);
    remove_file("c.db");
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_these_columns),
        cmocka_unit_test(stores_have_these_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
