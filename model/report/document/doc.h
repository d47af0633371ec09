/*
 * doc - a document as a tree, rendered as Markdown, and that as one HTML page.
 *
 * Text may hold anything: each renderer escapes what would be markup in its
 * format. A node's text is copied.
 */
#ifndef S2FLUSH_REPORT_DOCUMENT_DOC_H
#define S2FLUSH_REPORT_DOCUMENT_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum doc_kind {
    /* Blocks. */
    DOC_ROOT,
    DOC_TITLE, /* of the whole */
    DOC_HEADING,
    DOC_PARAGRAPH,
    DOC_LIST, /* of items */
    DOC_ITEM,
    DOC_TABLE, /* of rows, the first one its header */
    DOC_ROW,
    DOC_CELL,
    DOC_NUMBER, /* a cell that is set to the right */
    DOC_FIGURE, /* text: an SVG picture; the note is its description, the name its file */
    DOC_DETAILS, /* what is folded away; text: its summary */
    DOC_APPLET, /* a part of the page that answers by itself; text: its data and formulas as
                   JavaScript, the name: its script in bench/plots, the note: words for it */
    DOC_COMMANDS, /* lines for a terminal, as they are */
    /* Runs of text in a block. */
    DOC_TEXT,
    DOC_CODE,
    DOC_LINK, /* the name: a path from the document's folder, or "#" and an anchor */
};

struct doc_node {
    enum doc_kind kind;
    char *text, *note, *name; /* NULL: none */
    struct doc_node *first, *last, *next;
};

struct doc_node *doc_new(void);
void doc_free(struct doc_node *root);

/* Adds a node below `parent`, behind the others there. */
struct doc_node *doc_add(struct doc_node *parent, enum doc_kind kind, const char *text);

/* The same for a run of text that is formatted. */
void doc_text(struct doc_node *parent, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void doc_heading(struct doc_node *parent, const char *text);
void doc_code(struct doc_node *parent, const char *text);

void doc_link(struct doc_node *parent, const char *text, const char *path);

/* Moves the runs of a block behind those of another, and frees the block. */
void doc_join(struct doc_node *into, struct doc_node *block);

/* How many words a block has, code and numbers included. */
size_t doc_words(const struct doc_node *block);

/* Cells with one run of text each. */
void doc_cell(struct doc_node *row, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doc_number(struct doc_node *row, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A table with such a header; each of `names` becomes a cell, those that begin
 * with '>' are set to the right. */
struct doc_node *doc_table(struct doc_node *parent, const char *const *names, size_t count);

/* Takes the columns out of all tables below in which no row but the header has a word. */
void doc_drop_empty_columns(struct doc_node *root);

void doc_figure(struct doc_node *parent, const char *svg, const char *note, const char *name);

void doc_applet(struct doc_node *parent, const char *script, const char *note, const char *name);

/* GitHub's Markdown; figures are links to their files. */
void doc_markdown(FILE *out, const struct doc_node *root);

/* One HTML page that needs nothing else: styles and pictures are in it. */
void doc_html(FILE *out, const struct doc_node *root);

#endif
