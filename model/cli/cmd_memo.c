/* s2flush memo: what a study says, as Markdown and as an HTML page. */
#include "cli/analysis.h"
#include "cli/wait.h"
#include "core/error.h"
#include "core/tojson.h"
#include "report/chart/chart.h"
#include "report/memo/memo.h"
#include "report/memo/overview.h"
#include "report/output.h"

#include <stdio.h>

struct arguments {
    const char *study, *folder, *validation;
    struct cli_sets sets;
    uint64_t jobs;
    bool quiet, overview;
};

static bool write_file(struct outputs *files, const char *folder, const char *name,
                       void (*render)(FILE *out, const struct doc_node *doc),
                       const struct doc_node *doc, struct error *err)
{
    FILE *out = outputs_add(files, folder, name, err);
    if (out) {
        render(out, doc);
    }
    return out;
}

static void render_picture(FILE *out, const struct doc_node *figure)
{
    chart_alone(out, figure->text);
}

static bool write_summary(struct outputs *files, const char *folder, const struct memo *memo,
                          struct error *err)
{
    FILE *out = outputs_add(files, folder, "memo.json", err);
    if (out) {
        tojson_print(out, memo_summary(memo), JSON_INDENT(2));
        fputc('\n', out);
    }
    return out;
}

static bool write_figures(struct outputs *files, const char *folder, const struct doc_node *doc,
                          struct error *err)
{
    bool good = true;
    for (const struct doc_node *block = doc->first; block && good; block = block->next) {
        good = block->kind != DOC_FIGURE ||
               write_file(files, folder, block->name, render_picture, block, err);
    }
    return good;
}

/* And says which on `messages` (NULL: nowhere). */
static bool keep_files(struct outputs *files, bool good, FILE *messages, struct error *err)
{
    good = outputs_end(files, good, err);
    for (size_t i = 0; i < files->count && good && messages; i++) {
        fprintf(messages, "%s\n", files->output[i].path);
    }
    return good;
}

bool analysis_memo(const struct analysis *given, const struct study *study, const char *validation,
                   FILE *messages, struct error *err)
{
    struct sweep sweep = analysis_sweep(given, "memo");
    struct outputs files = {0};
    struct memo *memo;
    if (!memo_make(study, validation, &sweep, given->kept.store, &memo, err)) {
        return false;
    }
    struct doc_node *doc = memo_write(memo, given->folder);
    bool good = write_file(&files, given->folder, "memo.md", doc_markdown, doc, err) &&
                write_file(&files, given->folder, "memo.html", doc_html, doc, err) &&
                write_figures(&files, given->folder, doc, err) &&
                write_summary(&files, given->folder, memo, err) &&
                memo_write_timelines(memo, given->folder, &files, err);
    good = keep_files(&files, good, messages, err) && memo_whole(memo, err);
    doc_free(doc);
    memo_free(memo);
    return good;
}

static bool write_overview(const struct arguments *given, struct error *err)
{
    const char *folder = given->folder ? given->folder : given->study;
    struct outputs files = {0};
    struct doc_node *doc = overview_write(given->study, err);
    bool good = doc && overview_may_replace(folder, "README.md", err) &&
                overview_may_replace(folder, "index.html", err) &&
                output_folder_make(folder, err) &&
                write_file(&files, folder, "README.md", doc_markdown, doc, err) &&
                write_file(&files, folder, "index.html", doc_html, doc, err);
    good = keep_files(&files, good, given->quiet ? NULL : stderr, err);
    doc_free(doc);
    return good;
}

/* Where nothing was played into the folder before, all of it is played now. */
static bool say_wait(const struct arguments *given, const struct study *study, struct store *store,
                     struct error *err)
{
    return given->quiet || store_plays(store).kept > 0 ||
           wait_say(study, store, (unsigned)given->jobs, err);
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    struct study study;
    if (given->overview) {
        return write_overview(given, err);
    }
    struct study_changes changes = {given->sets.text, given->sets.count};
    struct analysis common = {.folder = given->folder, .jobs = given->jobs};
    char named[sizeof study.name + 16];
    bool good = study_read(&study, given->study, &changes, err);
    if (good && !given->folder) {
        snprintf(named, sizeof named, "results/%s", study.name);
        common.folder = named;
    }
    struct run_request request = {.study = &study, .folder = common.folder, .format = "csv"};
    good = good && run_store_open(&common.kept, &request, err) &&
           say_wait(given, &study, common.kept.store, err) &&
           analysis_memo(&common, &study, given->validation, given->quiet ? NULL : stderr, err);
    good = analysis_close(&common, good, err);
    study_free(&study);
    return good;
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "folder for memo.md, memo.html and figures (results/NAME)", AT(folder)},
    {"jobs", 'j', "N", "threads (as many as processors)", AT(jobs), .low = 1, .high = 1024},
    {"set", 'S', "KEY=VALUE", "set a key; an axis takes a value or a list", AT(sets),
     .repeatable = true},
    {"validation", 'v', "FILE",
     "a table of `s2flush validate --format csv` (the one that comes with the program)",
     AT(validation)},
    {"overview", 0, NULL,
     "one page over all memos in the folders of STUDY, a folder here: README.md and index.html",
     AT(overview)},
    {"quiet", 'q', NULL, "do not name the files", AT(quiet)},
    {0},
};

const struct cli_command cmd_memo = {
    .name = "memo",
    .summary = "a study's answer as a memo: Markdown and one HTML page",
    .options = options,
    .words = "STUDY",
    .word = {AT(study)},
    .missing = "a study; `s2flush list studies` names them",
    .help = "A memo for those who decide: the answer with its confidence, a figure, and what it "
            "rests on.",
    .more = "The study's [memo] says what it is to answer; tables of `run` and of other commands "
            "in the same folder are linked.",
    .size = sizeof(struct arguments),
    .run = run,
};
