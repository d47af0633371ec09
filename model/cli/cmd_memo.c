/* s2flush memo: what a folder of results says, as Markdown and as an HTML page. */
#include "cli/cli.h"
#include "core/error.h"
#include "report/memo/memo.h"
#include "report/output.h"

#include <stdio.h>

#define FILES_MAX 8

struct arguments {
    const char *results, *folder, *validation;
    bool quiet;
};

struct files {
    struct output file[FILES_MAX];
    size_t count;
};

static bool write_file(struct files *files, const char *folder, const char *name,
                       void (*render)(FILE *out, const struct doc_node *doc),
                       const struct doc_node *doc, struct error *err)
{
    struct output *output = &files->file[files->count++];
    if (!output_open(output, folder, name, err)) {
        return false;
    }
    render(output->file, doc);
    return output_close(output, err);
}

static void render_picture(FILE *out, const struct doc_node *figure)
{
    fputs(figure->text, out);
}

static bool write_files(struct files *files, const char *folder, const struct doc_node *doc,
                        struct error *err)
{
    bool good = write_file(files, folder, "memo.md", doc_markdown, doc, err) &&
                write_file(files, folder, "memo.html", doc_html, doc, err);
    for (const struct doc_node *block = doc->first; block && good; block = block->next) {
        if (block->kind == DOC_FIGURE) {
            good = files->count < FILES_MAX &&
                   write_file(files, folder, block->name, render_picture, block, err);
        }
    }
    for (size_t i = 0; i < files->count && good; i++) {
        good = output_keep(&files->file[i], err);
    }
    return good;
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    const char *folder = given->folder ? given->folder : given->results;
    struct files files = {0};
    if (!output_folder_check(folder, err)) {
        return false;
    }
    struct memo *memo = memo_read(given->results, given->validation, err);
    if (!memo) {
        return false;
    }
    struct doc_node *doc = memo_write(memo);
    bool good = output_folder_make(folder, err) && write_files(&files, folder, doc, err);
    for (size_t i = 0; i < files.count; i++) {
        if (good && !given->quiet) {
            fprintf(stderr, "%s\n", files.file[i].path);
        }
        output_drop(&files.file[i]);
    }
    doc_free(doc);
    memo_free(memo);
    return good;
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "folder for memo.md, memo.html and its pictures (RESULTS)", AT(folder)},
    {"validation", 'v', "FILE",
     "a table of `s2flush validate --format csv` (the one that comes with the program)",
     AT(validation)},
    {"quiet", 'q', NULL, "do not name the files", AT(quiet)},
    {0},
};

const struct cli_command cmd_memo = {
    .name = "memo",
    .summary = "a folder of results as a memo: Markdown and one HTML page",
    .options = options,
    .words = "RESULTS",
    .word = {AT(results)},
    .missing = "the folder of a study's results",
    .help = "A memo for those who decide: the question, the answer with its confidence, and what "
            "it rests on, from a folder of results.",
    .more = "RESULTS holds rows.csv and run.json of `s2flush run`, and what `breakeven`, `map` "
            "and `sensitivity` put there; the memo says which command makes what is missing. The "
            "study's [memo] says what it is to answer.",
    .size = sizeof(struct arguments),
    .run = run,
};
