/* A memo's Markdown as one HTML page without anything from outside. */
#include "core/invariant.h"
#include "report/document/doc.h"

#include "core/alloc.h"
#include "core/datadir.h"
#include "core/error.h"
#include "core/file.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT_BYTES_MAX ((size_t)1 << 20)

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--faint:#555;--line:#d5d5d5;"
    "--card:#f4f6f8;--mark:#0072b2}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#15181b;--ink:#e6e6e6;--faint:#a9b0b6;"
    "--line:#3a4046;--card:#1f2428;--mark:#56b4e9}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 'DejaVu Sans',"
    "system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "main{max-width:68rem;margin:0 auto;padding:1rem 1rem 3rem}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1rem}\n"
    "h2{font-size:1.2rem;line-height:1.3;margin:2.2rem 0 .6rem;padding-top:.6rem;"
    "border-top:1px solid var(--line)}\n"
    "a{color:var(--mark)}\n"
    "nav{font-size:.9rem;margin:.6rem 0}\n"
    "nav a{margin-right:1rem;white-space:nowrap}\n"
    "p,ul{max-width:46rem;margin:.6rem 0}\n"
    "ul{padding-left:1.3rem}\n"
    "li{margin:.3rem 0}\n"
    "code,pre{font:.92em 'DejaVu Sans Mono',ui-monospace,monospace}\n"
    "code{background:var(--card);padding:.05em .25em;border-radius:3px}\n"
    "pre{background:var(--card);padding:.7rem 1rem;white-space:pre-wrap}\n"
    ".scroll{overflow-x:auto;margin:.8rem 0}\n"
    "table{border-collapse:collapse;font-size:.88rem;overflow-wrap:normal}\n"
    "th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top}\n"
    "th{color:var(--faint);font-weight:600}\n"
    "td{min-width:3rem;max-width:26rem}\n"
    "td:first-child code{white-space:nowrap}\n"
    "[align=right]{text-align:right;font-variant-numeric:tabular-nums}"
    "td[align=right]{white-space:nowrap}\n"
    "figure{max-width:36rem;margin:1rem 0;background:#fff;border:1px solid "
    "var(--line);border-radius:4px;"
    "overflow-x:auto}\n"
    "figure svg{display:block;width:100%;height:auto}\n"
    "@media screen and (prefers-color-scheme:dark){figure{background:#000}"
    "figure svg{filter:invert(.92) hue-rotate(180deg)}}\n"
    "section:first-of-type p:first-of-type{background:var(--card);padding:.7rem 1rem;"
    "border-left:4px solid var(--mark);font-size:1.05rem}\n"
    ".applet{border:1px solid var(--line);border-radius:4px;padding:.2rem 1rem 1rem}\n"
    ".applet h3{font-size:1.05rem;margin:.8rem 0}\n"
    ".cost{display:grid;grid-template-columns:minmax(9rem,2fr) minmax(8rem,2fr) minmax(6rem,1fr);"
    "gap:.2rem 1rem;align-items:center;font-size:.88rem;margin:.35rem 0}\n"
    ".cost[hidden]{display:none}.cost input,.cost select{width:100%;min-width:0}\n"
    ".applet .answer{font-weight:600}.applet tr.best td{background:var(--card);font-weight:600}\n"
    ".applet "
    "svg{display:block;width:100%;max-width:46rem;height:auto;font-size:12px;"
    "fill:var(--ink)}\n"
    ".applet .grid{stroke:var(--line)}.applet polyline{fill:none;stroke-width:2}\n"
    ".line0{stroke:var(--ink);fill:var(--ink)}.line1{stroke:var(--mark);fill:var(--mark)}"
    ".line2{stroke:#d55e00;fill:#d55e00;stroke-dasharray:6 3}.line3{stroke:#009e73;fill:#009e73;"
    "stroke-dasharray:2 3}.line4{stroke:#a6437f;fill:#a6437f;stroke-dasharray:9 3 2 3}"
    ".line5{stroke:#7a7a7a;fill:#7a7a7a}\n"
    "@media(max-width:40rem){.cost{grid-template-columns:1fr 6rem}.cost label{grid-column:1/3}}\n"
    "details{margin:.8rem 0}\n"
    "summary{cursor:pointer;color:var(--mark)}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--faint:#444;--line:#bbb;--card:#f4f4f4;"
    "--mark:#004b76}body{font-size:10pt}main{max-width:none;padding:0}nav,.applet{display:none}"
    "figure{width:fit-content}figure svg{width:auto;max-width:100%;max-height:15cm}"
    "figure,tr{break-inside:avoid}h2{break-after:avoid}p:has(+.scroll){break-after:avoid}"
    ".scroll,figure{overflow:visible}table{font-size:8pt}"
    "td{min-width:0}td[align=right],td:first-child code{white-space:normal}"
    "th,td{padding:.2rem .4rem}table code{background:none;padding:0}"
    "details::details-content{content-visibility:visible;block-size:auto}}\n";

/* --- text --- */

/* Whether a blank stands between a number and its unit, or in a range of numbers: no line ends
 * there. */
static bool before_unit(const char *start, const char *blank)
{
    static const char *const units[] = {"%", "ns", "us", "ms", "s", "KiB", "MiB", "GiB", "TiB"};
    bool digit = blank > start && isdigit((unsigned char)blank[-1]);
    if ((digit && strncmp(blank, " to ", 4) == 0 && isdigit((unsigned char)blank[4])) ||
        (blank >= start + 4 && strncmp(blank - 3, " to ", 4) == 0 &&
         isdigit((unsigned char)blank[-4]) && isdigit((unsigned char)blank[1]))) {
        return true;
    }
    size_t length = strcspn(blank + 1, " ,;:.()");
    for (size_t i = 0; i < sizeof units / sizeof *units && digit; i++) {
        if (strlen(units[i]) == length && strncmp(units[i], blank + 1, length) == 0) {
            return true;
        }
    }
    return false;
}

static void keep_units(cmark_node *text)
{
    static const char blank[] = "\xc2\xa0"; /* that does not break */
    const char *from = cmark_node_get_literal(text);
    char *kept = alloc_raw(2 * strlen(from) + 1, 1, "a page"), *to = kept;
    for (const char *at = from; *at; at++) {
        if (*at == ' ' && before_unit(from, at)) {
            to = stpcpy(to, blank);
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    cmark_node_set_literal(text, kept);
    free(kept);
}

static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '<'    ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '&'  ? "&amp;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&#39;"
                                             : NULL;
        if (entity) {
            fputs(entity, out);
        } else {
            fputc(*text, out);
        }
    }
}

/* The text of a node without its marks, escaped. */
static void put_plain(FILE *out, cmark_node *node)
{
    const char *literal = cmark_node_get_literal(node);
    cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) {
        put_escaped(out, literal);
    }
    for (cmark_node *child = cmark_node_first_child(node); child; child = cmark_node_next(child)) {
        put_plain(out, child);
    }
}

/* --- blocks of HTML --- */

/* A string stream; `text` is whole when it has been closed. */
struct stream {
    FILE *out;
    char *text;
    size_t size;
};

static void stream_open(struct stream *stream)
{
    stream->out = alloc_checked(open_memstream(&stream->text, &stream->size), "a page");
}

/* Makes what was written the HTML that opens a new block, and `closing` what ends it. */
static cmark_node *stream_block(struct stream *stream, const char *closing)
{
    cmark_node *block = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK);
    if (fclose(stream->out) != 0 || !block || !cmark_node_set_on_enter(block, stream->text) ||
        !cmark_node_set_on_exit(block, closing)) {
        error_fatal("out of memory for a page");
    }
    free(stream->text);
    return block;
}

static cmark_node *html(const char *opening, const char *closing)
{
    struct stream stream;
    stream_open(&stream);
    fputs(opening, stream.out);
    return stream_block(&stream, closing);
}

static void replace(cmark_node *node, cmark_node *with)
{
    INVARIANT(cmark_node_replace(node, with), "a block of a page cannot be replaced");
    cmark_node_free(node);
}

static void wrap(cmark_node *node, cmark_node *in)
{
    INVARIANT(cmark_node_insert_before(node, in) && cmark_node_append_child(in, node),
              "a block of a page cannot be moved");
}

/* What folds away is the only HTML that our Markdown holds, with a summary of plain
 * words. All other is none of ours, and shown as the text that it is. */
static void adopt_html(cmark_node *block)
{
    static const char opening[] = "<details><summary>", closing[] = "</summary>";
    const char *text = cmark_node_get_literal(block);
    bool opens = strncmp(text, opening, sizeof opening - 1) == 0;
    const char *words = text + (opens ? sizeof opening - 1 : 0);
    size_t length = 0;
    while (isalnum((unsigned char)words[length]) || strchr(" ,-", words[length]) != NULL) {
        if (!words[length]) {
            break;
        }
        length++;
    }
    bool ours = strcmp(text, "</details>\n") == 0 ||
                (opens && strncmp(words + length, closing, sizeof closing - 1) == 0 &&
                 strcmp(words + length + sizeof closing - 1, "\n") == 0);
    struct stream stream;
    stream_open(&stream);
    if (ours) {
        fputs(text, stream.out);
    } else {
        fputs("<p>", stream.out);
        put_escaped(stream.out, text);
        fputs("</p>\n", stream.out);
    }
    replace(block, stream_block(&stream, ""));
}

/* --- pictures --- */

/* NULL: it has none of that kind and name (NULL: any). */
static const struct doc_node *find_node(const struct doc_node *node, enum doc_kind kind,
                                        const char *name)
{
    for (; node; node = node->next) {
        const struct doc_node *below = find_node(node->first, kind, name);
        if (below || (node->kind == kind && (!name || strcmp(node->name, name) == 0))) {
            return below ? below : node;
        }
    }
    return NULL;
}

/* A paragraph that is a picture of the document becomes the picture itself. */
static bool adopt_figure(cmark_node *paragraph, const struct doc_node *root)
{
    cmark_node *image = cmark_node_first_child(paragraph);
    const char *url =
        image && cmark_node_get_type(image) == CMARK_NODE_IMAGE && !cmark_node_next(image)
            ? cmark_node_get_url(image)
            : NULL;
    const struct doc_node *figure = url ? find_node(root, DOC_FIGURE, url) : NULL;
    struct stream stream;
    if (!figure) {
        return false;
    }
    stream_open(&stream);
    fputs("<figure role=\"img\" tabindex=\"0\" aria-label=\"", stream.out);
    put_plain(stream.out, image);
    fprintf(stream.out, "\">\n%s</figure>\n", figure->text);
    replace(paragraph, stream_block(&stream, ""));
    return true;
}

/* --- what a reader may move --- */

/* What scripts of the page are known by; no text of a memo can hold one that has it. */
#define NONCE "s2flush"

static void put_script(FILE *out, const char *name)
{
    char relative[128], path[4096];
    char *text = NULL;
    size_t length;
    struct error unused;
    snprintf(relative, sizeof relative, "bench/plots/%.60s.js", name);
    if (datadir_find_code(relative, path, sizeof path) &&
        file_slurp(path, SCRIPT_BYTES_MAX, &text, &length, &unused)) {
        fputs(text, out);
        free(text);
    }
}

/* The paragraph that leads to an applet becomes the applet itself. */
static void adopt_applet(cmark_node *paragraph, const struct doc_node *root)
{
    static const char page[] = "memo.html#";
    cmark_node *link = cmark_node_first_child(paragraph);
    const char *url = link && cmark_node_get_type(link) == CMARK_NODE_LINK && !cmark_node_next(link)
                          ? cmark_node_get_url(link)
                          : "";
    bool inside = strncmp(url, page, sizeof page - 1) == 0;
    const struct doc_node *applet =
        inside ? find_node(root, DOC_APPLET, url + sizeof page - 1) : NULL;
    struct stream stream;
    if (!applet) {
        return;
    }
    stream_open(&stream);
    fprintf(stream.out,
            "<div class=\"applet\" id=\"%s\" hidden></div>\n<script nonce=\"" NONCE "\">\n",
            applet->name);
    put_script(stream.out, applet->name);
    fprintf(stream.out,
            "{\n%s%s.start(document.getElementById(\"%s\"), {data, formulas});\n}\n</script>\n",
            applet->text, applet->name, applet->name);
    replace(paragraph, stream_block(&stream, ""));
}

/* --- the whole --- */

/* The anchor of a heading, as GitHub makes it. */
static void put_anchor(FILE *out, cmark_node *heading)
{
    struct stream plain;
    stream_open(&plain);
    put_plain(plain.out, heading);
    if (fclose(plain.out) != 0) {
        error_fatal("out of memory for a page");
    }
    for (const char *at = plain.text; *at; at++) {
        if (isalnum((unsigned char)*at) || *at == '-' || *at == '_' || *at == ' ') {
            fputc(*at == ' ' ? '-' : tolower((unsigned char)*at), out);
        }
    }
    free(plain.text);
}

/* Each second heading with all up to the next one is a section with an anchor, and
 * has an entry of the contents. */
static void make_sections(cmark_node *root, struct stream *contents)
{
    cmark_node *section = NULL;
    for (cmark_node *node = cmark_node_first_child(root), *next; node; node = next) {
        next = cmark_node_next(node);
        if (cmark_node_get_type(node) == CMARK_NODE_HEADING &&
            cmark_node_get_heading_level(node) == 2) {
            struct stream opening;
            stream_open(&opening);
            fputs("<section id=\"", opening.out);
            put_anchor(opening.out, node);
            fputs("\">\n", opening.out);
            section = stream_block(&opening, "</section>\n");
            fputs("<a href=\"#", contents->out);
            put_anchor(contents->out, node);
            fputs("\">", contents->out);
            put_plain(contents->out, node);
            fputs("</a>\n", contents->out);
            wrap(node, section);
        } else if (section) {
            INVARIANT(cmark_node_append_child(section, node), "a block cannot be moved");
        }
    }
}

static void adopt(cmark_node *tree, const struct doc_node *root)
{
    cmark_iter *iter = cmark_iter_new(tree);
    for (cmark_event_type event; (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE;) {
        cmark_node *node = cmark_iter_get_node(iter);
        cmark_node_type type = cmark_node_get_type(node);
        bool leaf = event == CMARK_EVENT_ENTER, left = event == CMARK_EVENT_EXIT;
        if (leaf && type == CMARK_NODE_TEXT) {
            keep_units(node);
        } else if (leaf && type == CMARK_NODE_HTML_BLOCK) {
            adopt_html(node);
        } else if (left && type == CMARK_NODE_PARAGRAPH) {
            if (!adopt_figure(node, root)) {
                adopt_applet(node, root);
            }
        } else if (left && strcmp(cmark_node_get_type_string(node), "table") == 0) {
            wrap(node, html("<div class=\"scroll\" role=\"group\" tabindex=\"0\">", "</div>\n"));
        }
    }
    cmark_iter_free(iter);
}

static cmark_parser *parse(const struct doc_node *root, cmark_node **tree)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cmark_gfm_core_extensions_ensure_registered();
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8);
    cmark_syntax_extension *tables = cmark_find_syntax_extension("table");
    if (!out || !parser || !tables || !cmark_parser_attach_syntax_extension(parser, tables)) {
        error_fatal("out of memory for a page");
    }
    doc_markdown(out, root);
    if (fclose(out) != 0) {
        error_fatal("out of memory for a page");
    }
    cmark_parser_feed(parser, text, size);
    free(text);
    *tree = cmark_parser_finish(parser);
    cmark_consolidate_text_nodes(*tree);
    return parser;
}

void doc_html(FILE *out, const struct doc_node *root)
{
    cmark_node *tree;
    struct stream contents;
    cmark_parser *parser = parse(root, &tree);
    cmark_node *title = cmark_node_first_child(tree);
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "img-src data:; style-src 'unsafe-inline'",
          out);
    fputs(find_node(root, DOC_APPLET, NULL) ? "; script-src 'nonce-" NONCE "'" : "", out);
    fputs("\">\n<link rel=\"icon\" href=\"data:,\">\n<title>", out);
    put_plain(out, title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
    adopt(tree, root);
    stream_open(&contents);
    fputs("<nav aria-label=\"Contents\">\n", contents.out);
    make_sections(tree, &contents);
    cmark_node *nav = stream_block(&contents, "</nav>\n");
    INVARIANT(cmark_node_insert_after(title, nav), "the contents cannot be put in");
    char *body =
        cmark_render_html(tree, CMARK_OPT_DEFAULT, cmark_parser_get_syntax_extensions(parser));
    fputs(body, out);
    free(body);
    fputs("</main>\n</body>\n</html>\n", out);
    cmark_node_free(tree);
    cmark_parser_free(parser);
}
