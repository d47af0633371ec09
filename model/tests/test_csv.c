#include "core/csv.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

/* Reads a table from memory by way of a file without a name. */
static bool read_bytes(const char *text, size_t length, struct csv *table, struct error *err)
{
    static char path[64];
    int fd = memfd_create("test", 0);

    *err = (struct error){0};
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool done = csv_read(path, table, err);
    close(fd);
    return done;
}

static void read_table(const char *text, struct csv *table)
{
    struct error err;

    if (!read_bytes(text, strlen(text), table, &err)) {
        fail_msg("refused: %s", err.text);
    }
}

/* The message behind the path, which is another one each time. */
static void assert_refuses_bytes(const char *text, size_t length, const char *message)
{
    struct csv table;
    struct error err;

    assert_false(read_bytes(text, length, &table, &err));
    assert_string_equal(strchr(err.text, ':'), message);
    assert_null(table.storage);
    assert_int_equal(table.rows, 0);
}

static void assert_refuses(const char *text, const char *message)
{
    assert_refuses_bytes(text, strlen(text), message);
}

/* ---- Reading ---- */

static void test_plain_table(void **state)
{
    struct csv table;

    (void)state;
    read_table("a,b,c\n1,2,3\n,,\n4, 5 ,6", &table);
    assert_int_equal(table.columns, 3);
    assert_int_equal(table.rows, 3);
    assert_string_equal(csv_cell(&table, 0, csv_column(&table, "c")), "3");
    assert_string_equal(csv_cell(&table, 1, 2), "");
    assert_string_equal(csv_cell(&table, 2, 1), " 5 ");
    assert_int_equal(csv_column(&table, "d"), -1);
    assert_string_equal(csv_cell(&table, 0, -1), "");
    assert_int_equal(table.lines[2], 4);
    csv_free(&table);
    assert_null(table.cells);
}

static void test_quotes(void **state)
{
    struct csv table;

    (void)state;
    read_table("a,\"b,b\"\n\"one\ntwo\",\"say \"\"hi\"\"\"\n\"\",\"\"\"\"\nx,y\n", &table);
    assert_int_equal(csv_column(&table, "b,b"), 1);
    assert_string_equal(csv_cell(&table, 0, 0), "one\ntwo");
    assert_string_equal(csv_cell(&table, 0, 1), "say \"hi\"");
    assert_string_equal(csv_cell(&table, 1, 0), "");
    assert_string_equal(csv_cell(&table, 1, 1), "\"");
    assert_int_equal(table.lines[0], 2);
    assert_int_equal(table.lines[1], 4);
    assert_int_equal(table.lines[2], 5);
    csv_free(&table);
}

static void test_comments_and_line_ends(void **state)
{
    struct csv table;

    (void)state;
    read_table("\xef\xbb\xbf# made, by\r\n\r\n#seed: 1\r\na,b\r\n1,\"2\"\r\n#,3\r\n", &table);
    assert_int_equal(table.comment_count, 2);
    assert_string_equal(table.comments[0], " made, by");
    assert_string_equal(table.comments[1], "seed: 1");
    assert_int_equal(table.rows, 2);
    assert_string_equal(csv_cell(&table, 0, 1), "2");
    assert_string_equal(csv_cell(&table, 1, 0), "#");
    assert_int_equal(table.lines[1], 6);
    csv_free(&table);
}

static void test_small_tables(void **state)
{
    struct csv table;

    (void)state;
    read_table("a", &table);
    assert_int_equal(table.columns, 1);
    assert_int_equal(table.rows, 0);
    csv_free(&table);
    read_table("a\n1\n\n2\n", &table);
    assert_int_equal(table.rows, 3);
    assert_string_equal(csv_cell(&table, 1, 0), "");
    csv_free(&table);
    read_table("a,b\n1,", &table);
    assert_int_equal(table.rows, 1);
    assert_string_equal(csv_cell(&table, 0, 1), "");
    csv_free(&table);
}

static void test_many_rows(void **state)
{
    enum { ROWS = 5000 };
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct csv table;
    struct error err;

    (void)state;
    fputs("x,y\n", out);
    for (unsigned i = 0; i < ROWS; i++) {
        fprintf(out, "%u,0x%x\n", i, i);
    }
    fclose(out);
    read_table(text, &table);
    assert_int_equal(table.rows, ROWS);
    for (unsigned i = 0; i < ROWS; i++) {
        uint64_t x, y;
        assert_true(csv_whole(&table, i, 0, 9, &x, &err));
        assert_true(csv_whole(&table, i, 1, 9, &y, &err));
        assert_true(x == i && y == i);
    }
    csv_free(&table);
    free(text);
}

/* ---- Refusing ---- */

static void test_bad_tables(void **state)
{
    (void)state;
    assert_refuses("", ":1: found no header, expected column names");
    assert_refuses("a,b\n1,2\n1\n", ":3: found 1 cells, expected 2 as in the header");
    assert_refuses("a,b\n1,2,3\n", ":2: found 3 cells, expected 2 as in the header");
    assert_refuses("a,b\n1,2\n\n", ":3: found 1 cells, expected 2 as in the header");
    assert_refuses("a\n1\n\"x\ny\n",
                   ":3: found a quoted cell that is not closed, expected a quote at its end");
    assert_refuses("a\n\"",
                   ":2: found a quoted cell that is not closed, expected a quote at its end");
    assert_refuses("a\n1\"2\n",
                   ":2: found a quote inside a cell, expected it around the whole cell");
    assert_refuses("a\n\"1\"2\n",
                   ":2: found text after a closing quote, expected a comma or a line end");
    assert_refuses("a\r1\r", ":1: found a lone carriage return, expected a comma or a line end");
    assert_refuses("a,b,a\n", ":1: found the column 'a' twice (1 and 3), expected it once");
    assert_refuses_bytes("a\n1\n\0\n", 6, ":3: found a NUL byte, expected text");
    assert_refuses("a;b\n1,5;2\n", ": found ';' between the column names, expected ','");
    assert_refuses("\xff\xfe"
                   "a",
                   ": found UTF-16, expected text, which iconv -f UTF-16 -t UTF-8 prints");
    assert_refuses("\x1f\x8b\x08",
                   ": found a compressed file, expected text, which gzip -dc prints");
}

/* What stands in the place of a column that is missing. */
static void test_columns_of_another_spelling(void **state)
{
    static const struct {
        const char *text, *answer;
    } rows[] = {
        {"a,row\n1,2\n", NULL},
        {"a, row\n1,2\n", "row: found the column ' row', expected it as 'row'"},
        {"a,Row \n1,2\n", "row: found the column 'Row ', expected it as 'row'"},
        {"a;row\n1;2\n", "found ';' between the column names, expected ','"},
        {"a\trow\n1\t2\n", "found tabs between the column names, expected ','"},
        {"a,rows\n1,2\n", "row: missing: expected a column of that name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct csv table;
        struct error err = {0};
        read_table(rows[i].text, &table);
        assert_int_equal(csv_needs_column(&table, "row", &err), !rows[i].answer);
        assert_true(!rows[i].answer || strstr(err.text, rows[i].answer));
        csv_free(&table);
    }
}

static void test_missing_file(void **state)
{
    struct csv table;
    struct error err;

    (void)state;
    assert_false(csv_read("no/such.csv", &table, &err));
    assert_string_equal(err.text, "no/such.csv: cannot be opened: No such file or directory");
    csv_free(&table);
}

/* ---- Whole numbers ---- */

static void test_whole(void **state)
{
    struct csv table;
    struct error err;
    uint64_t value = 0;

    (void)state;
    read_table("n\n12\n0x1F\n\n18446744073709551615\n007\n", &table);
    assert_true(csv_whole(&table, 0, 0, 9, &value, &err) && value == 12);
    assert_true(csv_whole(&table, 1, 0, 9, &value, &err) && value == 31);
    assert_true(csv_whole(&table, 2, 0, 9, &value, &err) && value == 9);
    assert_true(csv_whole(&table, 3, 0, 9, &value, &err) && value == UINT64_MAX);
    assert_true(csv_whole(&table, 4, 0, 9, &value, &err) && value == 7);
    assert_true(csv_whole(&table, 0, -1, 5, &value, &err) && value == 5);
    csv_free(&table);
}

static void test_no_whole(void **state)
{
    struct csv table;
    struct error err;
    uint64_t value = 0;

    (void)state;
    read_table("i,n\n0,-1\n1, 1\n2,1.5\n3,0x\n4,18446744073709551616\n5,1f\n6,+1\n", &table);
    for (size_t row = 0; row < table.rows; row++) {
        assert_false(csv_whole(&table, row, 1, 9, &value, &err));
    }
    assert_false(csv_whole(&table, 2, 1, 9, &value, &err));
    assert_string_equal(strchr(err.text, ':'), ":4: n: found '1.5', expected a whole number of 64 "
                                               "bits, as 12 or 0x1f");
    csv_free(&table);
}

/* ---- Writing ---- */

static void assert_puts(const char *text, const char *expected)
{
    char *written;
    size_t size;
    FILE *out = open_memstream(&written, &size);

    csv_put(out, text);
    fclose(out);
    assert_string_equal(written, expected);
    free(written);
}

static void test_put(void **state)
{
    (void)state;
    assert_puts("", "");
    assert_puts("plain text", "plain text");
    assert_puts("a,b", "\"a,b\"");
    assert_puts("say \"hi\"", "\"say \"\"hi\"\"\"");
    assert_puts("one\ntwo", "\"one\ntwo\"");
    assert_puts("#1", "\"#1\"");
    assert_puts("-1.5e3", "-1.5e3");
    assert_puts("+4", "+4");
    assert_puts("=1+1", "'=1+1");
    assert_puts("@me", "'@me");
    assert_puts("-x,y", "\"'-x,y\"");
    assert_puts("-1+1", "'-1+1");
    assert_puts("\tcmd", "'\tcmd");
    assert_puts("\rcmd", "\"'\rcmd\"");
    assert_puts("'=1", "''=1");
    assert_puts("it's", "it's");
    assert_puts("\xef\xbb\xbf", "\"\xef\xbb\xbf\"");
    assert_puts("\x28\xb5\x2f\xfd", "\"\x28\xb5\x2f\xfd\""); /* how a compressed file begins */
}

static void test_what_is_put_reads_back(void **state)
{
    static const char *const cells[] = {
        "a", "", "x,y", "\"", "two\nlines\r\n", "#no comment", "-3", "=1+1", "'=1+1", "\t@", "'"};
    enum { COUNT = sizeof cells / sizeof cells[0] };
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct csv table;

    (void)state;
    for (size_t i = 0; i < (size_t)2 * COUNT; i++) {
        csv_put(out, cells[(i + 5) % COUNT]);
        fputc((i + 1) % COUNT == 0 ? '\n' : ',', out);
    }
    fclose(out);
    read_table(text, &table);
    assert_int_equal(table.comment_count, 0);
    assert_int_equal(table.rows, 1);
    for (int i = 0; i < COUNT; i++) {
        assert_string_equal(csv_cell(&table, 0, i), cells[(i + 5) % COUNT]);
    }
    csv_free(&table);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_table),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_comments_and_line_ends),
        cmocka_unit_test(test_small_tables),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_columns_of_another_spelling),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_no_whole),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_what_is_put_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
