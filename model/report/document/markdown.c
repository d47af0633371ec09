/* A memo's document as GitHub's Markdown. */
#include "report/document/doc.h"

#include <string.h>

/* Every character that could be markup gets a backslash; a line break or another
 * control character becomes a blank, so that a text cannot start a line. '<',
 * '>' and '&' become entities: not all readers of Markdown drop foreign tags. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '<' || c == '>' || c == '&') {
            fputs(c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;", out);
        } else if (c < 0x20 || c == 0x7f) {
            fputc(' ', out);
        } else {
            fprintf(out, "%s%c", strchr("\\`*_[]|~#^", c) ? "\\" : "", c);
        }
    }
}

/* What would make a list, a line or another block of a text at its beginning. */
static const char *put_beginning(FILE *out, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    size_t blanks = strspn(text, " ");
    if (digits > 0 && (text[digits] == '.' || text[digits] == ')')) {
        fprintf(out, "%.*s\\", (int)digits, text);
        return text + digits;
    }
    if (text[blanks] && strchr("-+=", text[blanks])) {
        fputc('\\', out);
    }
    return text + blanks;
}

static void put_fence(FILE *out, size_t backticks)
{
    while (backticks-- > 0) {
        fputc('`', out);
    }
}

/* Readers of Markdown take no fence that is longer. */
#define FENCE_MAX 80

/* A code span: fenced by more backticks than it holds in a row; plain text where no fence is long
 * enough. A bar would end a table's cell even there. */
static void put_code(FILE *out, const char *text, bool in_table)
{
    size_t fence = 1, row = 0;
    for (const char *at = text; *at; at++) {
        row = *at == '`' ? row + 1 : 0;
        fence = row >= fence ? row + 1 : fence;
    }
    if (fence > FENCE_MAX) {
        put_text(out, text);
        return;
    }
    bool pad = text[0] == '`' || text[0] == '\0' || text[strlen(text) - 1] == '`';
    put_fence(out, fence);
    fputs(pad ? " " : "", out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        fprintf(out, "%s%c", in_table && c == '|' ? "\\" : "", c < 0x20 || c == 0x7f ? ' ' : c);
    }
    fputs(pad ? " " : "", out);
    put_fence(out, fence);
}

/* All that may mean something in a link is written in hexadecimal digits. */
static void put_path(FILE *out, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./#";
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        fprintf(out, strchr(plain, c) ? "%c" : "%%%02X", c);
    }
}

static void put_runs(FILE *out, const struct doc_node *block)
{
    bool in_table = block->kind == DOC_CELL || block->kind == DOC_NUMBER, after_code = false;
    for (const struct doc_node *run = block->first; run; run = run->next) {
        if (run->kind == DOC_CODE) {
            fputs(after_code ? " " : "", out); /* without it the two fences would be one */
            put_code(out, run->text, in_table);
        } else if (run->kind == DOC_LINK) {
            fputc('[', out);
            put_text(out, run->text);
            fputs("](", out);
            put_path(out, run->name);
            fputc(')', out);
        } else {
            bool begins = run == block->first && !in_table;
            put_text(out, begins ? put_beginning(out, run->text) : run->text);
        }
        bool nothing = run->kind == DOC_TEXT && run->text[0] == '\0';
        after_code = run->kind == DOC_CODE || (after_code && nothing);
    }
}

static void put_row(FILE *out, const struct doc_node *row)
{
    fputc('|', out);
    for (const struct doc_node *cell = row->first; cell; cell = cell->next) {
        fputc(' ', out);
        put_runs(out, cell);
        fputs(" |", out);
    }
    fputc('\n', out);
}

static void put_table(FILE *out, const struct doc_node *table)
{
    for (const struct doc_node *row = table->first; row; row = row->next) {
        put_row(out, row);
        if (row == table->first) {
            fputc('|', out);
            for (const struct doc_node *cell = row->first; cell; cell = cell->next) {
                fputs(cell->kind == DOC_NUMBER ? "---:|" : "---|", out);
            }
            fputc('\n', out);
        }
    }
    fputc('\n', out);
}

static void put_block(FILE *out, const struct doc_node *block);

static void put_blocks(FILE *out, const struct doc_node *parent)
{
    for (const struct doc_node *block = parent->first; block; block = block->next) {
        put_block(out, block);
    }
}

static void put_lines(FILE *out, const char *before, const struct doc_node *block,
                      const char *after)
{
    fputs(before, out);
    put_runs(out, block);
    fputs(after, out);
}

static void put_block(FILE *out, const struct doc_node *block)
{
    switch (block->kind) {
    case DOC_TITLE:
        put_lines(out, "# ", block, "\n\n");
        break;
    case DOC_HEADING:
        put_lines(out, "## ", block, "\n\n");
        break;
    case DOC_ITEM:
        put_lines(out, "- ", block, "\n");
        break;
    case DOC_LIST:
        put_blocks(out, block);
        fputc('\n', out);
        break;
    case DOC_TABLE:
        put_table(out, block);
        break;
    case DOC_FIGURE:
        fputs("![", out);
        put_text(out, block->note);
        fprintf(out, "](%s)\n\n", block->name);
        break;
    case DOC_APPLET: /* what it does needs the page */
        fputc('[', out);
        put_text(out, block->note);
        fprintf(out, "](memo.html#%s)\n\n", block->name);
        break;
    case DOC_DETAILS:
        fputs("<details><summary>", out);
        put_text(out, block->text);
        fputs("</summary>\n\n", out);
        put_blocks(out, block);
        fputs("</details>\n\n", out);
        break;
    case DOC_COMMANDS:
        for (const struct doc_node *line = block->first; line; line = line->next) {
            fputs("    ", out);
            for (const char *at = line->text; *at; at++) {
                fputc((unsigned char)*at < 0x20 || *at == 0x7f ? ' ' : *at, out);
            }
            fputc('\n', out);
        }
        fputc('\n', out);
        break;
    case DOC_ROOT:
    case DOC_PARAGRAPH:
    case DOC_ROW:
    case DOC_CELL:
    case DOC_NUMBER:
    case DOC_TEXT:
    case DOC_CODE:
    case DOC_LINK:
        put_lines(out, "", block, "\n\n");
        break;
    }
}

void doc_markdown(FILE *out, const struct doc_node *root)
{
    put_blocks(out, root);
}
