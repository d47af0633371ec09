#include "report/document/doc.h"

#include "core/alloc.h"
#include "core/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct doc_node *doc_new(void)
{
    return alloc_checked(calloc(1, sizeof(struct doc_node)), "a memo");
}

void doc_free(struct doc_node *root)
{
    while (root) {
        struct doc_node *next = root->next;
        doc_free(root->first);
        free(root->text);
        free(root->note);
        free(root->name);
        free(root);
        root = next;
    }
}

struct doc_node *doc_add(struct doc_node *parent, enum doc_kind kind, const char *text)
{
    struct doc_node *node = alloc_checked(calloc(1, sizeof *node), "a memo");
    node->kind = kind;
    node->text = text ? alloc_checked(strdup(text), "a memo") : NULL;
    if (parent->last) {
        parent->last->next = node;
    } else {
        parent->first = node;
    }
    parent->last = node;
    return node;
}

static void add_formatted(struct doc_node *parent, enum doc_kind kind, const char *format,
                          va_list arguments)
{
    char *text = NULL;
    struct doc_node *node = doc_add(parent, kind, NULL);
    if (vasprintf(&text, format, arguments) < 0) {
        error_fatal("out of memory for a memo");
    }
    node->text = text;
}

void doc_text(struct doc_node *parent, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_formatted(parent, DOC_TEXT, format, arguments);
    va_end(arguments);
}

void doc_heading(struct doc_node *parent, const char *text)
{
    doc_text(doc_add(parent, DOC_HEADING, NULL), "%s", text);
}

void doc_code(struct doc_node *parent, const char *text)
{
    doc_add(parent, DOC_CODE, text);
}

void doc_link(struct doc_node *parent, const char *text, const char *path)
{
    doc_add(parent, DOC_LINK, text)->name = alloc_checked(strdup(path), "a memo");
}

void doc_join(struct doc_node *into, struct doc_node *block)
{
    if (block->first && into->last) {
        into->last->next = block->first;
    } else if (block->first) {
        into->first = block->first;
    }
    into->last = block->last ? block->last : into->last;
    block->first = NULL;
    doc_free(block);
}

/* A word goes on from one run into the next where no blank is between them. */
size_t doc_words(const struct doc_node *block)
{
    size_t count = 0;
    bool inside = false;
    for (const struct doc_node *run = block->first; run; run = run->next) {
        for (const char *at = run->text; *at; at++) {
            count += !inside && *at != ' ';
            inside = *at != ' ';
        }
    }
    return count;
}

void doc_cell(struct doc_node *row, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_formatted(doc_add(row, DOC_CELL, NULL), DOC_TEXT, format, arguments);
    va_end(arguments);
}

void doc_number(struct doc_node *row, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_formatted(doc_add(row, DOC_NUMBER, NULL), DOC_TEXT, format, arguments);
    va_end(arguments);
}

struct doc_node *doc_table(struct doc_node *parent, const char *const *names, size_t count)
{
    struct doc_node *table = doc_add(parent, DOC_TABLE, NULL);
    struct doc_node *header = doc_add(table, DOC_ROW, NULL);
    for (size_t i = 0; i < count; i++) {
        if (names[i][0] == '>') {
            doc_number(header, "%s", names[i] + 1);
        } else {
            doc_cell(header, "%s", names[i]);
        }
    }
    return table;
}

static bool is_empty(const struct doc_node *cell)
{
    for (const struct doc_node *run = cell->first; run; run = run->next) {
        if (run->text[0]) {
            return false;
        }
    }
    return true;
}

static bool column_is_empty(const struct doc_node *table, size_t column)
{
    for (const struct doc_node *row = table->first->next; row; row = row->next) {
        const struct doc_node *cell = row->first;
        for (size_t i = 0; i < column && cell; i++) {
            cell = cell->next;
        }
        if (cell && !is_empty(cell)) {
            return false;
        }
    }
    return table->first->next;
}

static void drop_column(struct doc_node *table, size_t column)
{
    for (struct doc_node *row = table->first; row; row = row->next) {
        struct doc_node *before = NULL, *cell = row->first;
        for (size_t i = 0; i < column && cell; i++) {
            before = cell;
            cell = cell->next;
        }
        if (cell) {
            *(before ? &before->next : &row->first) = cell->next;
            row->last = cell->next ? row->last : before;
            cell->next = NULL;
            doc_free(cell);
        }
    }
}

void doc_drop_empty_columns(struct doc_node *root)
{
    for (struct doc_node *block = root->first; block; block = block->next) {
        if (block->kind != DOC_TABLE) {
            doc_drop_empty_columns(block);
            continue;
        }
        size_t columns = 0;
        for (const struct doc_node *cell = block->first->first; cell; cell = cell->next) {
            columns++;
        }
        while (columns-- > 0) {
            if (column_is_empty(block, columns)) {
                drop_column(block, columns);
            }
        }
    }
}

void doc_figure(struct doc_node *parent, const char *svg, const char *note, const char *name)
{
    struct doc_node *figure = doc_add(parent, DOC_FIGURE, svg);
    figure->note = alloc_checked(strdup(note), "a memo");
    figure->name = alloc_checked(strdup(name), "a memo");
}

void doc_applet(struct doc_node *parent, const char *script, const char *note, const char *name)
{
    struct doc_node *applet = doc_add(parent, DOC_APPLET, script);
    applet->note = alloc_checked(strdup(note), "a memo");
    applet->name = alloc_checked(strdup(name), "a memo");
}
