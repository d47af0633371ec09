#include "core/config.h"
#include "core/error.h"
#include "core/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* The file that x.ini is a link to: no disk in the way. */
static int memory;

/* What was read, one "line [section] name=value;" after the other. */
struct record {
    char text[2000];
    const char *refused; /* a name that the callback refuses */
};

static bool note_pair(void *context, const char *section, const char *name, const char *value,
                      const struct source_location *at, struct error *err)
{
    struct record *record = context;
    size_t used = strlen(record->text);

    assert_string_equal(at->key, name);
    if (record->refused != NULL && strcmp(record->refused, name) == 0) {
        return error_input(err, at, "refused");
    }
    snprintf(record->text + used, sizeof record->text - used, "%u [%s] %s=%s;", at->line, section,
             name, value);
    return true;
}

static bool read_bytes(const char *text, size_t length, struct record *record, struct error *err)
{
    *err = (struct error){0};
    record->text[0] = '\0';
    assert_int_equal(ftruncate(memory, 0), 0);
    assert_int_equal(pwrite(memory, text, length, 0), length);
    return config_read("x.ini", NULL, note_pair, record, err);
}

static void assert_reads(const char *text, const char *expected)
{
    struct record record = {0};
    struct error err;

    if (!read_bytes(text, strlen(text), &record, &err)) {
        fail_msg("refused: %s", err.text);
    }
    assert_string_equal(record.text, expected);
}

static void assert_refuses(const char *text, const char *message)
{
    struct record record = {0};
    struct error err;

    assert_false(read_bytes(text, strlen(text), &record, &err));
    assert_string_equal(err.text, message);
    assert_int_equal(err.status, EXIT_INPUT);
}

/* ---- What is an INI file ---- */

static void test_pairs_and_sections(void **state)
{
    (void)state;
    assert_reads("", "");
    assert_reads("a=1", "1 [] a=1;");
    assert_reads("[guest]\nram = 128M\nvcpus: 4\n\n[flush]\nkind =\n",
                 "2 [guest] ram=128M;3 [guest] vcpus=4;6 [flush] kind=;");
    assert_reads("a = b = c\n", "1 [] a=b = c;");
    assert_reads("a b\t=\t1 2 \t\n", "1 [] a b=1 2;");
}

static void test_comments(void **state)
{
    (void)state;
    assert_reads("; one\n# two\n  ; three\n\t# four\n \t \na = 1\n", "6 [] a=1;");
    assert_reads("[s] ; why\na = 1 ; what\n", "2 [s] a=1;");
    assert_reads("a = x;y\nb = 1 # 2\nc = ;\n", "1 [] a=x;y;2 [] b=1 # 2;3 [] c=;");
}

static void test_other_line_ends(void **state)
{
    (void)state;
    assert_reads("\xef\xbb\xbf[s]\r\na = 1\r\n\r\nb = 2\r\n", "2 [s] a=1;4 [s] b=2;");
    assert_reads("\xef\xbb\xbf"
                 "a = 1",
                 "1 [] a=1;");
}

/* Writes head, the letter n that many times, and tail. */
static void write_repeated(char *text, size_t size, const char *head, int count, const char *tail)
{
    char letters[1000];

    assert_in_range(count, 0, sizeof letters - 1);
    memset(letters, 'n', sizeof letters);
    int length = snprintf(text, size, "%s%.*s%s", head, count, letters, tail);
    assert_in_range(length, 0, size - 1);
}

static void assert_reads_repeated(const char *head, int count, const char *tail, const char *before,
                                  const char *after)
{
    char text[1100], expected[1100];

    write_repeated(text, sizeof text, head, count, tail);
    write_repeated(expected, sizeof expected, before, count, after);
    assert_reads(text, expected);
}

static void assert_refuses_repeated(const char *head, int count, const char *tail,
                                    const char *message)
{
    char text[1100];

    write_repeated(text, sizeof text, head, count, tail);
    assert_refuses(text, message);
}

/* libinih's buffer takes 198 bytes and a line feed; a comment never gets there. */
static void test_long_lines(void **state)
{
    char text[1100];

    (void)state;
    assert_reads_repeated("\na=", 196, "\nb=1\n", "2 [] a=", ";3 [] b=1;");
    assert_refuses_repeated("\na=", 197, "\nb=1\n",
                            "x.ini:2: found a line of 199 bytes, expected at most 198");
    assert_refuses_repeated("\na=", 897, "",
                            "x.ini:2: found a line of 899 bytes, expected at most 198");
    assert_refuses_repeated(
        "\na=1,", 897, "",
        "x.ini:2: found a line of 901 bytes, expected at most 198; an axis goes on "
        "in further lines: NAME += VALUE, VALUE");
    write_repeated(text, sizeof text, "#", 900, "\na = 1\n");
    assert_reads(text, "2 [] a=1;");
}

static void test_long_names(void **state)
{
    static const char message[] = "x.ini:1: found a name of 50 bytes, expected at most 49";

    (void)state;
    assert_reads_repeated("", 49, "=1\n", "1 [] ", "=1;");
    assert_refuses_repeated("", 50, "=1\n", message);
    assert_reads_repeated("[", 49, "]\na=1\n", "2 [", "] a=1;");
    assert_refuses_repeated("[", 50, "]\na=1\n", message);
}

/* ---- What is none ---- */

static void test_continuation_lines(void **state)
{
    (void)state;
    assert_refuses("a = 1\n  2\n", "x.ini:2: found '  2', expected a line that starts in the first "
                                   "column (a value cannot go on over several lines)");
    assert_refuses("\n b = 1\n", "x.ini:2: found ' b = 1', expected a line that starts in the "
                                 "first column (a value cannot go on over several lines)");
}

static void test_broken_lines(void **state)
{
    (void)state;
    assert_refuses("a = 1\nnonsense\n",
                   "x.ini:2: found 'nonsense', expected name = value or [section]");
    assert_refuses("= 1\n", "x.ini:1: found '= 1', expected name = value or [section]");
    assert_refuses("a ;= 1\n", "x.ini:1: found 'a ;= 1', expected name = value or [section]");
    assert_refuses("[guest\n", "x.ini:1: found '[guest', expected [section]");
    assert_refuses("[", "x.ini:1: found '[', expected [section]");
    assert_refuses("[]\n", "x.ini:1: found '[]', expected [section]");
    assert_refuses("[ guest ]\n", "x.ini:1: found '[ guest ]', expected [section]");
    assert_refuses("[a ;b]\n", "x.ini:1: found '[a ;b]', expected [section]");
    assert_refuses("[a] b = 1\n", "x.ini:1: found '[a] b = 1', expected nothing but a comment with "
                                  "';' after [section]");
}

static void test_control_characters(void **state)
{
    static const char nul[] = "a = 1\nb = \0 2\n";
    struct record record = {0};
    struct error err;

    (void)state;
    assert_false(read_bytes(nul, sizeof nul - 1, &record, &err));
    assert_string_equal(err.text, "x.ini:2: found byte 0x00 in column 5, expected text");
    assert_refuses("a = 1\rb = 2\r", "x.ini:1: found byte 0x0d in column 6, expected text");
    assert_refuses("\n# \x1b\n", "x.ini:2: found byte 0x1b in column 3, expected text");
}

static void test_the_callback_can_refuse(void **state)
{
    static const char text[] = "a = 1\nb = 2\nc = 3\nnonsense\n";
    struct record record = {.refused = "b"};
    struct error err;

    (void)state;
    assert_false(read_bytes(text, strlen(text), &record, &err));
    assert_string_equal(err.text, "x.ini:2: b: refused");
    assert_string_equal(record.text, "1 [] a=1;");
}

/* Whatever the bytes are, reading ends, and a refusal has a line to say why. */
static void test_random_bytes(void **state)
{
    static const char alphabet[] = "ab=:;# []\n\r\t\\\"\xef\xbb\xbf\x00";
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[60];
        struct record record = {0};
        struct error err;
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        bool done = read_bytes(text, (seed >> 8) % sizeof text, &record, &err);
        assert_true(done == (err.text[0] == '\0'));
        assert_null(strstr(err.text, "is no line of an INI file"));
    }
}

/* ---- Files ---- */

/* A file without a name; path is where it can be opened. */
static int make_file(const char *text, char *path, size_t size)
{
    int fd = memfd_create("test", 0);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    snprintf(path, size, "/proc/self/fd/%d", fd);
    return fd;
}

static void test_files(void **state)
{
    char path[64], expected[128];
    struct record record = {0};
    struct error err = {0};
    int fd = make_file("[s]\na = 1\nb\n", path, sizeof path);

    (void)state;
    assert_false(config_read(path, NULL, note_pair, &record, &err));
    snprintf(expected, sizeof expected, "%s:3: found 'b', expected name = value or [section]",
             path);
    assert_string_equal(err.text, expected);
    assert_string_equal(record.text, "2 [s] a=1;");
    close(fd);
    assert_false(config_read("no/such/file.ini", NULL, note_pair, &record, &err));
    assert_string_equal(err.text, "no/such/file.ini: cannot be opened: No such file or directory");
    assert_false(config_read("/", NULL, note_pair, &record, &err));
    assert_string_equal(err.text, "/: is a folder, expected a file");
}

static void test_doubles(void **state)
{
    char path[64];
    struct record record = {0};
    struct error err = {0};
    int fd = make_file("[s]\na = 1\n[list]\na = 1\na = 2\n[t]\na = 1\n", path, sizeof path);

    (void)state;
    assert_refuses("[s]\na = 1\n[t]\na = 1\n[s]\nb = 1\na = 2\n",
                   "x.ini:7: a: stands twice in [s], expected once: line 2 has it too");
    assert_true(config_read(path, "list", note_pair, &record, &err));
    assert_string_equal(record.text, "2 [s] a=1;4 [list] a=1;5 [list] a=2;7 [t] a=1;");
    assert_false(config_read(path, NULL, note_pair, &record, &err));
    assert_non_null(strstr(err.text, ":5: a: stands twice in [list]"));
    close(fd);
}

static void test_slurp_limits(void **state)
{
    char path[64], expected[128];
    struct error err = {0};
    size_t length = 0;
    char *text = NULL;
    int fd = make_file("0123456789", path, sizeof path);

    (void)state;
    assert_true(file_slurp(path, 10, &text, &length, &err));
    assert_int_equal(length, 10);
    assert_string_equal(text, "0123456789");
    free(text);
    assert_false(file_slurp(path, 9, &text, &length, &err));
    snprintf(expected, sizeof expected, "%s: has 10 bytes, expected at most 9", path);
    assert_string_equal(err.text, expected);
    close(fd);
    assert_false(file_slurp("/dev/zero", 100000, &text, &length, &err));
    assert_string_equal(err.text, "/dev/zero: has more than 100000 bytes");
}

/* A pipe's size is not known beforehand, so the buffer has to grow. */
static void test_slurp_pipe(void **state)
{
    enum { BYTES = 300000 };
    FILE *in = popen("head -c 300000 /dev/zero | tr '\\0' x", "r");
    char path[64];
    struct error err = {0};
    size_t length = 0;
    char *text = NULL;

    (void)state;
    assert_non_null(in);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(in));
    assert_true(file_slurp(path, BYTES, &text, &length, &err));
    assert_int_equal(length, BYTES);
    assert_int_equal(strspn(text, "x"), BYTES);
    free(text);
    pclose(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_and_sections),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_other_line_ends),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_continuation_lines),
        cmocka_unit_test(test_broken_lines),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_the_callback_can_refuse),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_slurp_limits),
        cmocka_unit_test(test_slurp_pipe),
    };

    char folder[] = "/tmp/s2flush-config-XXXXXX";
    char path[64];
    memory = memfd_create("x.ini", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    if (memory < 0 || !mkdtemp(folder) || chdir(folder) != 0 || symlink(path, "x.ini") != 0) {
        return 2;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)remove("x.ini");
    (void)rmdir(folder);
    return failed;
}
