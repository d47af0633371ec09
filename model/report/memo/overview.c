#include "report/memo/overview.h"

#include "core/error.h"
#include "core/file.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMOS_MAX 100
#define MACHINES_MAX 16
#define MEMO_BYTES_MAX ((size_t)1 << 24)
#define PAGE_BEGINS "Predicted, not measured. Each question leads to its memo"

struct overview {
    char *name[MEMOS_MAX]; /* folders */
    json_t *memo[MEMOS_MAX];
    size_t count;
};

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool read_one(struct overview *overview, const char *folder, const char *name,
                     struct error *err)
{
    char path[4096];
    json_error_t why;
    struct source_location at = {.file = path};
    char *text;
    size_t length;
    int used = snprintf(path, sizeof path, "%s/%s/memo.json", folder, name);
    if (used < 0 || (size_t)used >= sizeof path || access(path, F_OK) != 0 ||
        overview->count == MEMOS_MAX) {
        return true;
    }
    if (!file_slurp(path, MEMO_BYTES_MAX, &text, &length, err)) {
        return false;
    }
    json_t *memo = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!memo || !json_is_array(json_object_get(memo, "answer")) ||
        !json_is_array(json_object_get(memo, "machines"))) {
        at.line = !memo && why.line > 0 ? (unsigned)why.line : 0;
        error_input(err, &at, "%s", memo ? "expected what `s2flush memo` writes" : why.text);
        json_decref(memo);
        return false;
    }
    overview->name[overview->count] = strdup(name);
    overview->memo[overview->count++] = memo;
    return true;
}

/* The first sentence of an answer, up to a full stop before a blank, be that in the next run. */
static void put_sentence(const json_t *runs, struct doc_node *block)
{
    size_t i;
    const json_t *run;
    bool stopped = false;
    json_array_foreach(runs, i, run)
    {
        const char *code = text_at(run, "code"), *text = text_at(run, "text");
        const char *end = strstr(text, ". ");
        if (stopped && text[0] == ' ') {
            return;
        }
        if (code[0]) {
            doc_code(block, code);
        } else {
            doc_text(block, "%.*s", end ? (int)(end - text) + 1 : (int)strlen(text), text);
        }
        if (end) {
            return;
        }
        stopped = text[0] && text[strlen(text) - 1] == '.';
    }
}

static void put_answers(const struct overview *overview, struct doc_node *doc)
{
    static const char *const names[] = {"question", "answer",          "scenario",
                                        "best",     ">it costs",       ">the next",
                                        ">Linux",   ">best, of draws", ">model error"};
    struct doc_node *table = doc_table(doc, names, sizeof names / sizeof *names);
    for (size_t i = 0; i < overview->count; i++) {
        const json_t *memo = overview->memo[i];
        struct doc_node *line = doc_add(table, DOC_ROW, NULL),
                        *cell = doc_add(line, DOC_CELL, NULL);
        char path[512];
        snprintf(path, sizeof path, "%.400s/memo.md", overview->name[i]);
        doc_link(cell, text_at(memo, "title"), path);
        put_sentence(json_object_get(memo, "answer"), doc_add(line, DOC_CELL, NULL));
        if (json_object_get(memo, "left_out")) {
            doc_text(line->last, " Simulations failed: the memo says what is left out.");
        }
        doc_cell(line, "%s", text_at(memo, "scenario"));
        doc_cell(line, "%s", text_at(memo, "winner"));
        doc_number(line, "%s", text_at(memo, "best"));
        doc_number(line, "%s", text_at(memo, "lead"));
        doc_number(line, "%s", text_at(memo, "upstream"));
        doc_number(line, "%s", text_at(memo, "share"));
        doc_number(line, "%s", text_at(memo, "misfit"));
    }
}

/* The machine's entry of a memo; NULL: it has none. */
static const json_t *machine_of(const json_t *memo, const char *name)
{
    size_t i;
    const json_t *machine;
    json_array_foreach(json_object_get(memo, "machines"), i, machine)
    {
        if (strcmp(text_at(machine, "name"), name) == 0) {
            return machine;
        }
    }
    return NULL;
}

static bool seen_before(const struct overview *overview, size_t memo, const char *name)
{
    bool seen = false;
    for (size_t i = 0; i < memo; i++) {
        seen |= machine_of(overview->memo[i], name) != NULL;
    }
    return seen;
}

/* The machines of all memos, each once. Returns how many. */
static size_t list_machines(const struct overview *overview, const char *name[MACHINES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < overview->count; i++) {
        size_t k;
        const json_t *machine;
        json_array_foreach(json_object_get(overview->memo[i], "machines"), k, machine)
        {
            const char *own = text_at(machine, "name");
            if (count < MACHINES_MAX && !seen_before(overview, i, own)) {
                name[count++] = own;
            }
        }
    }
    return count;
}

/* Questions down, machines to the right: what costs least of what the study compares. */
static void put_machines(const struct overview *overview, struct doc_node *doc)
{
    const char *name[MACHINES_MAX];
    size_t count = list_machines(overview, name);
    struct doc_node *table = doc_add(doc, DOC_TABLE, NULL), *head = doc_add(table, DOC_ROW, NULL);
    doc_cell(head, "question");
    for (size_t m = 0; m < count; m++) {
        doc_cell(head, "%s", name[m]);
    }
    for (size_t i = 0; i < overview->count; i++) {
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        doc_cell(line, "%s", text_at(overview->memo[i], "title"));
        for (size_t m = 0; m < count; m++) {
            const json_t *machine = machine_of(overview->memo[i], name[m]);
            const char *cost = machine ? text_at(machine, "cost") : "";
            const char *linux_cost = machine ? text_at(machine, "upstream") : "";
            doc_cell(line, "%s%s%s%s%s", machine ? text_at(machine, "words") : "",
                     cost[0] ? ": " : "", cost, linux_cost[0] ? "; Linux " : "", linux_cost);
        }
    }
}

bool overview_may_replace(const char *folder, const char *name, struct error *err)
{
    char path[4096], *text;
    size_t length;
    int used = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (used < 0 || (size_t)used >= sizeof path || access(path, F_OK) != 0) {
        return true;
    }
    if (!file_slurp(path, MEMO_BYTES_MAX, &text, &length, err)) {
        return false;
    }
    bool own = strstr(text, PAGE_BEGINS);
    free(text);
    return own || error_input(err, &(struct source_location){.file = path},
                              "is there and no page of `s2flush memo --overview`, which would "
                              "replace it; -o DIR writes the page into another folder");
}

struct doc_node *overview_write(const char *folder, struct error *err)
{
    struct overview overview = {.count = 0};
    struct dirent **entries = NULL;
    struct doc_node *doc = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    bool good = true;
    for (int i = 0; i < count; i++) {
        good = good && (entries[i]->d_name[0] == '.' ||
                        read_one(&overview, folder, entries[i]->d_name, err));
        free(entries[i]);
    }
    free(entries);
    if (good && overview.count == 0) {
        error_input(err, NULL, "%s: has no folder with a memo.json of `s2flush memo`", folder);
    } else if (good) {
        doc = doc_new();
        doc_text(doc_add(doc, DOC_TITLE, NULL), "Questions and answers");
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
                 PAGE_BEGINS ", which says what the answer rests on and what would change it.");
        doc_heading(doc, "Answers");
        put_answers(&overview, doc);
        doc_heading(doc, "Machines and questions");
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
                 "What costs least there, of the strategies that the study compares, in the "
                 "scenario of the answer.");
        put_machines(&overview, doc);
    }
    for (size_t i = 0; i < overview.count; i++) {
        free(overview.name[i]);
        json_decref(overview.memo[i]);
    }
    return doc;
}
