/* A memo's document as one HTML page without scripts or anything from outside. */
#include "report/memo/memo_doc.h"

#include <string.h>

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
    "p,ul{max-width:46rem;margin:.6rem 0}\n"
    "ul{padding-left:1.3rem}\n"
    "li{margin:.3rem 0}\n"
    ".lead{font-size:1.05rem}\n"
    ".lead b:first-child{color:var(--mark)}\n"
    ".answer{background:var(--card);border-left:4px solid var(--mark);padding:.7rem 1rem;"
    "max-width:46rem}\n"
    "code,pre{font:.92em 'DejaVu Sans Mono',ui-monospace,monospace}\n"
    "code{background:var(--card);padding:.05em .25em;border-radius:3px}\n"
    "pre{background:var(--card);padding:.7rem 1rem;overflow-x:auto}\n"
    ".scroll{overflow-x:auto;margin:.8rem 0}\n"
    "table{border-collapse:collapse;font-size:.88rem;overflow-wrap:normal}\n"
    "th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top}\n"
    "th{color:var(--faint);font-weight:600}\n"
    "td{min-width:3rem;max-width:26rem}\n"
    "td code{white-space:nowrap}\n"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
    "figure{margin:1rem 0;background:#fff;border:1px solid var(--line);border-radius:4px;"
    "overflow-x:auto}\n"
    "figure svg{display:block;width:100%;min-width:40rem;height:auto}\n"
    "details{margin:.8rem 0}\n"
    "summary{cursor:pointer;color:var(--mark)}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--faint:#444;--line:#bbb;--card:#f4f4f4;"
    "--mark:#004b76}body{font-size:10pt}main{max-width:none;padding:0}"
    "figure svg{min-width:0}figure,tr{break-inside:avoid}h2{break-after:avoid}"
    ".scroll,pre,figure{overflow:visible}pre{white-space:pre-wrap}table{font-size:8pt}"
    "td{min-width:0}"
    "details::details-content{content-visibility:visible;block-size:auto}}\n";

/* Whether a blank stands between a number and its unit: no line ends there. */
static bool before_unit(const char *start, const char *blank)
{
    static const char *const units[] = {"%", "ns", "us", "ms", "s", "KiB", "MiB", "GiB", "TiB"};
    bool digit = blank > start && blank[-1] >= '0' && blank[-1] <= '9';
    size_t length = strcspn(blank + 1, " ,;:.()");
    for (size_t i = 0; i < sizeof units / sizeof *units && digit; i++) {
        if (strlen(units[i]) == length && strncmp(units[i], blank + 1, length) == 0) {
            return true;
        }
    }
    return false;
}

static void put_text(FILE *out, const char *text)
{
    const char *start = text;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == ' ' && before_unit(start, text)) {
            fputs("&nbsp;", out);
            continue;
        }
        switch (c) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(c < 0x20 || c == 0x7f ? ' ' : c, out);
        }
    }
}

static void put_run(FILE *out, const struct doc_node *run)
{
    const char *tag = run->kind == DOC_CODE ? "code" : run->kind == DOC_STRONG ? "b" : NULL;
    if (tag) {
        fprintf(out, "<%s>", tag);
    }
    put_text(out, run->text);
    if (tag) {
        fprintf(out, "</%s>", tag);
    }
}

static void put_runs(FILE *out, const struct doc_node *block)
{
    for (const struct doc_node *run = block->first; run; run = run->next) {
        put_run(out, run);
    }
}

static void put_tagged(FILE *out, const char *tag, const struct doc_node *block)
{
    fprintf(out, "<%s>", tag);
    put_runs(out, block);
    fprintf(out, "</%s>\n", tag);
}

static void put_table(FILE *out, const struct doc_node *table)
{
    fputs("<div class=\"scroll\" tabindex=\"0\"><table>\n", out);
    for (const struct doc_node *row = table->first; row; row = row->next) {
        char tag = row == table->first ? 'h' : 'd';
        fputs("<tr>", out);
        for (const struct doc_node *cell = row->first; cell; cell = cell->next) {
            fprintf(out, "<t%c%s%s>", tag, tag == 'h' ? " scope=\"col\"" : "",
                    cell->kind == DOC_NUMBER ? " class=\"n\"" : "");
            put_runs(out, cell);
            fprintf(out, "</t%c>", tag);
        }
        fputs("</tr>\n", out);
    }
    fputs("</table></div>\n", out);
}

static void put_figure(FILE *out, const struct doc_node *figure)
{
    fputs("<figure role=\"img\" tabindex=\"0\" aria-label=\"", out);
    put_text(out, figure->note);
    fprintf(out, "\">\n%s</figure>\n", figure->text);
}

static void put_block(FILE *out, const struct doc_node *block);

static void put_blocks(FILE *out, const struct doc_node *parent)
{
    for (const struct doc_node *block = parent->first; block; block = block->next) {
        put_block(out, block);
    }
}

static void put_commands(FILE *out, const struct doc_node *block)
{
    fputs("<pre>", out);
    for (const struct doc_node *line = block->first; line; line = line->next) {
        put_text(out, line->text);
        fputc('\n', out);
    }
    fputs("</pre>\n", out);
}

static void put_block(FILE *out, const struct doc_node *block)
{
    switch (block->kind) {
    case DOC_TITLE:
        put_tagged(out, "h1", block);
        break;
    case DOC_LEAD:
        fputs("<p class=\"lead\"><b>", out);
        put_text(out, block->text);
        fputs(".</b> ", out);
        put_runs(out, block);
        fputs("</p>\n", out);
        break;
    case DOC_HEADING:
        put_tagged(out, "h2", block);
        break;
    case DOC_LIST:
        fputs("<ul>\n", out);
        put_blocks(out, block);
        fputs("</ul>\n", out);
        break;
    case DOC_ITEM:
        put_tagged(out, "li", block);
        break;
    case DOC_TABLE:
        put_table(out, block);
        break;
    case DOC_FIGURE:
        put_figure(out, block);
        break;
    case DOC_DETAILS:
        fputs("<details><summary>", out);
        put_text(out, block->text);
        fputs("</summary>\n", out);
        put_blocks(out, block);
        fputs("</details>\n", out);
        break;
    case DOC_COMMANDS:
        put_commands(out, block);
        break;
    default:
        put_tagged(out, "p", block);
        break;
    }
}

static void put_title(FILE *out, const struct doc_node *root)
{
    const struct doc_node *block = root->first;
    while (block && block->kind != DOC_TITLE) {
        block = block->next;
    }
    for (const struct doc_node *run = block ? block->first : NULL; run; run = run->next) {
        put_text(out, run->text);
    }
}

void doc_html(FILE *out, const struct doc_node *root)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "img-src data:; style-src 'unsafe-inline'\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          out);
    put_title(out, root);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
    put_blocks(out, root);
    fputs("</main>\n</body>\n</html>\n", out);
}
