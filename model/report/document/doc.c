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
