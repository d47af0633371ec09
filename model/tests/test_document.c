/* Documents: whatever a text holds, Markdown and page have the shape of the tree. */
#include "check.h"

#include "report/document/doc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TEXT 32

/* One block of each kind, with the text wherever a name or a title may stand. */
static struct doc_node *sample(const char *text)
{
    static const char *const names[] = {"name", ">number"};
    struct doc_node *doc = doc_new();
    doc_text(doc_add(doc, DOC_TITLE, NULL), "%s", text);
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "%s", text);
    doc_heading(doc, text);
    struct doc_node *item = doc_add(doc_add(doc, DOC_LIST, NULL), DOC_ITEM, NULL);
    doc_text(item, "a%sb", text);
    doc_code(item, text);
    struct doc_node *details = doc_add(doc, DOC_DETAILS, "All rows");
    struct doc_node *row = doc_add(doc_table(details, names, 2), DOC_ROW, NULL);
    doc_code(doc_add(row, DOC_CELL, NULL), text);
    doc_number(row, "%s", text);
    doc_figure(doc, "<svg></svg>", text, "picture.svg");
    doc_text(doc_add(doc, DOC_COMMANDS, NULL), "%s", text);
    return doc;
}

static char *rendered(const char *text, void (*render)(FILE *out, const struct doc_node *root))
{
    char *page = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    struct doc_node *doc = sample(text);
    assert_non_null(out);
    render(out, doc);
    assert_int_equal(fclose(out), 0);
    doc_free(doc);
    return page;
}

/* The page's elements in their order, as "<p></p>...": what is in quotes is no tag's end.
 * The caller frees it. */
static char *shape_of(const char *page)
{
    char *shape = calloc(strlen(page) + 1, 1), *to = shape;
    assert_non_null(shape);
    while ((page = strchr(page, '<'))) {
        char quote = '\0';
        *to++ = '<';
        for (page++; isalnum((unsigned char)*page) || *page == '/'; page++) {
            *to++ = *page;
        }
        *to++ = '>';
        for (; *page && (quote || *page != '>'); page++) {
            quote = quote ? (*page == quote ? '\0' : quote)
                          : (*page == '"' || *page == '\'' ? *page : '\0');
        }
    }
    return shape;
}

/* The text of a page without tags, entities resolved. The caller frees it. */
static char *words_of(const char *page)
{
    static const char *const entities[][2] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&#39;", "'"}};
    char *words = calloc(strlen(page) + 1, 1), *to = words;
    assert_non_null(words);
    for (bool tag = false; *page; page++) {
        tag |= *page == '<';
        if (!tag) {
            *to = *page;
            for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
                if (strncmp(page, entities[i][0], strlen(entities[i][0])) == 0) {
                    *to = entities[i][1][0];
                    page += strlen(entities[i][0]) - 1;
                    break;
                }
            }
            to++;
        }
        tag &= *page != '>';
    }
    return words;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    while ((text = strstr(text, what))) {
        count++;
        text += strlen(what);
    }
    return count;
}

/* In the page's title, the paragraph, and everywhere else. */
static void expect_same_shape(const char *text)
{
    char *plain = rendered("x", doc_html), *page = rendered(text, doc_html);
    char *expected = shape_of(plain), *found = shape_of(page), *words = words_of(page);
    if (strcmp(found, expected) != 0 || count_of(words, text) < 9) {
        print_error("text '%s' %zu times in:\n%s\n", text, count_of(words, text), page);
    }
    assert_string_equal(found, expected);
    assert_true(count_of(words, text) >= 9);
    free(plain);
    free(page);
    free(expected);
    free(found);
    free(words);
}

static void markup_in_names_is_text(void **state)
{
    static const char *const texts[] = {
        "<script>alert(1)</script>",
        "</details>",
        "<details><summary>x</summary>",
        "<!--",
        "]]>",
        "&lt;b&gt;",
        "&#60;b>",
        "![a](b)",
        "[a](javascript:b)",
        "<http://a.b>",
        "http://a.b",
        "``a`",
        "`",
        "*a*",
        "**",
        "__a__",
        "~~a~~",
        "a|b",
        "\\|",
        "\\",
        "a\\",
        "#",
        "- a",
        "+ a",
        "1. a",
        "1)",
        "> a",
        "---",
        "===",
        "|---|",
        ": a",
        "[^1]",
        "[a]: b",
        "\"'><img src=x>",
        "$a$",
        "{{a}}",
        "@a",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect_same_shape(texts[i]);
    }
}

static void random_markup_is_text(void **state)
{
    static const char pieces[] = "<>/&;!-[](){}`*_~|\\#+.1:=\"'aA$@^";
    struct dice dice = dice_of(7);
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char text[TEXT + 1] = "";
        size_t length = 1 + (size_t)roll(&dice, TEXT);
        for (size_t k = 0; k < length; k++) {
            text[k] = pieces[roll(&dice, sizeof pieces - 1)];
        }
        expect_same_shape(text);
    }
}

static void line_breaks_start_no_block(void **state)
{
    char *markdown = rendered("a\n# b\n\n- c\r\n    d", doc_markdown);
    (void)state;
    assert_null(strstr(markdown, "\n# b"));
    assert_null(strstr(markdown, "\n- c"));
    free(markdown);
}

/* A page of one paragraph, with these codes. */
static char *page_of_codes(const char *one, const char *other)
{
    struct doc_node *doc = doc_new(), *paragraph = doc_add(doc, DOC_PARAGRAPH, NULL);
    char *page = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    doc_text(doc_add(doc, DOC_TITLE, NULL), "x");
    doc_code(paragraph, one);
    doc_text(paragraph, "%s", ""); /* which parts no fences */
    doc_code(paragraph, other);
    assert_non_null(out);
    doc_html(out, doc);
    assert_int_equal(fclose(out), 0);
    doc_free(doc);
    return page;
}

static void two_codes_side_by_side_are_two(void **state)
{
    char *page = page_of_codes("a<b>", "``c");
    (void)state;
    assert_non_null(strstr(page, "<code>a&lt;b&gt;</code>"));
    assert_non_null(strstr(page, "<code>``c</code>"));
    free(page);
}

/* What no fence can hold is text, and so are the tags in it. */
static void code_of_many_backticks_is_text(void **state)
{
    (void)state;
    for (size_t backticks = 79; backticks <= 80; backticks++) {
        char text[128], code[160], *page;
        memset(text, '`', backticks);
        snprintf(text + backticks, sizeof text - backticks, "a<b>");
        snprintf(code, sizeof code, "<code>%.*sa&lt;b&gt;</code>", (int)backticks, text);
        page = page_of_codes(text, "c");
        assert_int_equal(strstr(page, code) != NULL, backticks == 79);
        assert_non_null(strstr(page, "`a&lt;b&gt;"));
        assert_non_null(strstr(page, "<code>c</code>"));
        free(page);
    }
}

static void numbers_keep_their_units(void **state)
{
    struct doc_node *doc = sample("x");
    char *page = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    (void)state;
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "It takes 2.5 s (1 to 3), 4 seconds or 10 %%");
    assert_non_null(out);
    doc_html(out, doc);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(page, "It takes 2.5\xc2\xa0s (1\xc2\xa0to\xc2\xa0"
                                 "3), 4 seconds or 10\xc2\xa0%"));
    assert_non_null(strstr(page, "<svg></svg></figure>"));
    assert_non_null(strstr(page, "aria-label=\"x\""));
    free(page);
    doc_free(doc);
}

static void columns_without_words_are_left_out(void **state)
{
    static const char *const names[] = {"first", ">second", "third"};
    struct doc_node *doc = doc_new();
    struct doc_node *folded = doc_add(doc, DOC_DETAILS, "rows");
    struct doc_node *table = doc_table(folded, names, 3);
    char *page = NULL;
    size_t size = 0;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct doc_node *row = doc_add(table, DOC_ROW, NULL);
        doc_cell(row, "%s", "");
        doc_number(row, "%s", i == 0 ? "" : "7");
        doc_cell(row, "%s", "");
    }
    doc_table(doc, names, 3); /* without rows nothing says that a column is empty */
    doc_drop_empty_columns(doc);
    FILE *out = open_memstream(&page, &size);
    assert_non_null(out);
    doc_markdown(out, doc);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(page, "\n| second |\n|---:|\n|  |\n| 7 |\n"));
    assert_non_null(strstr(page, "| first | second | third |"));
    free(page);
    doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_names_is_text),
        cmocka_unit_test(random_markup_is_text),
        cmocka_unit_test(line_breaks_start_no_block),
        cmocka_unit_test(two_codes_side_by_side_are_two),
        cmocka_unit_test(code_of_many_backticks_is_text),
        cmocka_unit_test(numbers_keep_their_units),
        cmocka_unit_test(columns_without_words_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
