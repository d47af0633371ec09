/*
 * A memo.json, as `s2flush memo --overview` finds it. The page over all memos is written
 * as Markdown and as HTML: both are text, and the page's elements are closed in the order
 * in which they were opened.
 */
#include "core/error.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/memo/overview.h"

/* A folder of one memo: what is in it is the file of the bytes. */
static void make_folder(const uint8_t *data, size_t size)
{
    static bool done;
    if (!done) {
        char path[1024];
        snprintf(path, sizeof path, "%s/memo", fuzz_folder(0));
        fuzz_link(1, "memo.json", 0);
        done = symlink(fuzz_folder(1), path) == 0;
    }
    (void)fuzz_file(0, data, size);
}

/* --- what is written --- */

static char *rendered(void (*render)(FILE *out, const struct doc_node *doc),
                      const struct doc_node *doc)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    FUZZ_EXPECT(out, "out of memory");
    render(out, doc);
    FUZZ_EXPECT(fclose(out) == 0, "out of memory");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        FUZZ_EXPECT(byte >= 0x20 || byte == '\n', "byte 0x%02x in a memo", byte);
    }
    return text;
}

#define DEPTH_MAX 64

struct open_elements {
    const char *name[DEPTH_MAX];
    size_t length[DEPTH_MAX], depth;
};

static bool is_void(const char *name, size_t length)
{
    static const char *const list[] = {"meta", "link", "br", "hr", "img", "col"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (strlen(list[i]) == length && memcmp(list[i], name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* An element's name; `at` stands behind its '<' or '</'. */
static void take_element(struct open_elements *open, const char *at, bool closes)
{
    size_t length = strcspn(at, " >\n/");
    if (!closes && !is_void(at, length)) {
        FUZZ_EXPECT(open->depth < DEPTH_MAX, "elements in elements");
        open->name[open->depth] = at;
        open->length[open->depth++] = length;
    } else if (closes) {
        FUZZ_EXPECT(open->depth > 0, "</%.20s> without a beginning", at);
        open->depth--;
        bool same =
            open->length[open->depth] == length && memcmp(open->name[open->depth], at, length) == 0;
        FUZZ_EXPECT(same, "<%.20s> ends as %.20s", open->name[open->depth], at);
    }
}

/* No text of the input may open or close an element, or run. */
static void expect_page(const char *page)
{
    struct open_elements open = {.depth = 0};
    const char *at = strstr(page, "</style>");
    FUZZ_EXPECT(at, "no styles in the page");
    FUZZ_EXPECT(!strcasestr(page, "<script"), "a script in the page");
    for (at = strstr(at, "<body"); at; at = strchr(at + 1, '<')) {
        bool closes = at[1] == '/';
        if (strncmp(at, "</html>", 7) != 0) {
            take_element(&open, at + 1 + closes, closes);
        }
    }
    FUZZ_EXPECT(open.depth == 0, "<%.20s> is not closed", open.name[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    make_folder(data, size);
    struct doc_node *doc = overview_write(fuzz_folder(0), &err);
    if (doc) {
        char *page = rendered(doc_html, doc);
        expect_page(page);
        free(page);
        free(rendered(doc_markdown, doc));
        doc_free(doc);
    } else {
        fuzz_expect_error(&err);
        if (getenv("FUZZ_SHOW")) {
            printf("%s\n", err.text);
        }
    }
    return 0;
}
