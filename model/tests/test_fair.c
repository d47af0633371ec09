/* The committed results of the questions and studies against one another: of one scenario no two
 * may name different winners, nor may a winner cost more than a row elsewhere. */
#include "check.h"

#include "core/csv.h"
#include "core/datadir.h"
#include "core/error.h"
#include "study/setup.h"
#include "study/study.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT 256

/* What a strategy adds to the boot of a scenario. */
struct row {
    char scenario[TEXT]; /* all that was held equal */
    char strategy[64], study[64];
    double p50;
    bool candidate; /* coherent without a condition, on hardware that is there */
};

struct rows {
    struct row *row;
    size_t count, capacity;
};

static void add(struct rows *rows, const struct row *row)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity ? 2 * rows->capacity : 1024;
        rows->row = realloc(rows->row, rows->capacity * sizeof *rows->row);
        assert_non_null(rows->row);
    }
    rows->row[rows->count++] = *row;
}

/* What a simulation of the point gets but for its strategy: the machine, the kernel and the
 * timeline by hash, the study's draws, and the strategies' own keys that an axis sets. */
static void scenario_of(const struct study *study, size_t point, char text[TEXT])
{
    struct setup setup;
    struct timeline timeline;
    struct error err = {0};
    char hash[SETUP_HASH];
    assert_true(study_setup(study, point, &setup, &err));
    assert_true(workload_build(setup.workload, &timeline, &err));
    struct setup_hasher *begun = setup_play_begin(&setup, &timeline);
    setup_play_finish(begun, &strategy_ideal, hash);
    int used = snprintf(text, TEXT, "%s %s %s, %llu draws of seed %llu", setup.platform.name,
                        setup.kernel.name, hash, (unsigned long long)study->draws,
                        (unsigned long long)study->seed);
    for (size_t i = 0; i < setup.changes; i++) {
        used += snprintf(text + used, TEXT - (size_t)used, ", %s = %s", setup.change[i].key->name,
                         setup.change[i].text);
        assert_in_range(used, 1, TEXT - 1);
    }
    setup_hash_free(begun);
    timeline_free(&timeline);
    setup_free(&setup);
}

static double number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    assert_true(end != text);
    return value;
}

/* Rows come in the order of points; several points share a cell, which is one scenario. */
static void read_rows(const char *study_name, const char *path, struct rows *rows)
{
    struct study study;
    struct csv table;
    struct error err = {0};
    if (!study_read(&study, study_name, NULL, &err) || !csv_read(path, &table, &err)) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(study.name, study_name);
    assert_true(study.question[0] && study.title[0] && study.memo.given);
    int metric = csv_column(&table, "metric"), verdict = csv_column(&table, "verdict");
    int p50 = csv_column(&table, "p50"), hypothetical = csv_column(&table, "hypothetical");
    int strategy = csv_column(&table, "strategy");
    assert_true(metric >= 0 && verdict >= 0 && p50 >= 0 && hypothetical >= 0 && strategy >= 0);
    const struct axis *strategies = study.role[AXIS_STRATEGY];
    char(*scenario)[TEXT] = calloc(study_cells(&study), sizeof *scenario);
    size_t *cell_of = calloc(study.points, sizeof *cell_of);
    assert_true(scenario && cell_of);
    for (size_t cell = 0; cell < study_cells(&study); cell++) {
        for (size_t i = 0; i < strategies->values.count; i++) {
            cell_of[study_point(&study, cell, i)] = cell;
        }
        scenario_of(&study, study_point(&study, cell, 0), scenario[cell]);
    }
    size_t point = 0;
    for (size_t i = 0; i < table.rows; i++) {
        if (strcmp(csv_cell(&table, i, metric), "added_boot_ns") != 0) {
            continue;
        }
        assert_in_range(point, 0, study.points - 1);
        struct row row = {.p50 = number(csv_cell(&table, i, p50))};
        snprintf(row.scenario, sizeof row.scenario, "%s", scenario[cell_of[point]]);
        snprintf(row.strategy, sizeof row.strategy, "%s", csv_cell(&table, i, strategy));
        snprintf(row.study, sizeof row.study, "%s", study.name);
        row.candidate = strcmp(csv_cell(&table, i, verdict), "coherent") == 0 &&
                        strcmp(csv_cell(&table, i, hypothetical), "no") == 0;
        assert_string_equal(row.strategy, study.strategies[study_digit(strategies, point)]->name);
        add(rows, &row);
        point++;
    }
    /* A study may leave the metric out. */
    assert_true(point == 0 || point == study.points);
    free(cell_of);
    free(scenario);
    csv_free(&table);
    study_free(&study);
}

/* results/FOLDER/NAME/rows.csv of each study of that name. */
static void read_folder(const char *folder, struct rows *rows)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        char path[8192];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s/rows.csv", folder, entry->d_name);
        if (entry->d_name[0] != '.' && stat(path, &found) == 0) {
            read_rows(entry->d_name, path, rows);
        }
    }
    closedir(entries);
}

/* Equal scenarios together, the cheapest candidate first. */
static int in_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = strcmp(x->scenario, y->scenario);
    if (order == 0) {
        order = (int)y->candidate - (int)x->candidate;
    }
    return order ? order : (x->p50 > y->p50) - (x->p50 < y->p50);
}

/* The cheapest candidate of a study among the rows of one scenario, or NULL. */
static const struct row *winner(const struct row *row, size_t count, const char *study)
{
    for (size_t i = 0; i < count && row[i].candidate; i++) {
        if (strcmp(row[i].study, study) == 0) {
            return &row[i];
        }
    }
    return NULL;
}

/* Whether the studies that have this scenario agree on it. */
static bool agree(const struct row *row, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        const struct row *other = winner(row, count, row[i].study);
        if (row[0].candidate && (!other || other->p50 > row[0].p50)) {
            print_error("%s: %s names %s, %.9g ns, but in %s %s costs %.9g ns\n", row[i].scenario,
                        row[i].study, other ? other->strategy : "none", other ? other->p50 : 0.0,
                        row[0].study, row[0].strategy, row[0].p50);
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(row[i].strategy, row[j].strategy) == 0 &&
                (row[i].p50 != row[j].p50 || row[i].candidate != row[j].candidate)) {
                print_error("%s: %s is %.9g ns in %s and %.9g ns in %s\n", row[i].scenario,
                            row[i].strategy, row[i].p50, row[i].study, row[j].p50, row[j].study);
                good = false;
            }
        }
    }
    return good;
}

static void no_two_results_name_different_winners(void **state)
{
    struct rows rows = {0};
    char folder[4096];
    size_t scenarios = 0, shared = 0, wrong = 0;
    (void)state;
    assert_true(datadir_find("results/questions", folder, sizeof folder));
    read_folder(folder, &rows);
    qsort(rows.row, rows.count, sizeof *rows.row, in_order);
    for (size_t first = 0, end; first < rows.count; first = end) {
        bool several = false;
        for (end = first;
             end < rows.count && strcmp(rows.row[end].scenario, rows.row[first].scenario) == 0;
             end++) {
            several = several || strcmp(rows.row[end].study, rows.row[first].study) != 0;
        }
        scenarios++;
        shared += several;
        wrong += !agree(&rows.row[first], end - first);
    }
    print_message("%zu rows of %zu scenarios, %zu of them in several studies\n", rows.count,
                  scenarios, shared);
    assert_true(shared > 0);
    assert_int_equal(wrong, 0);
    free(rows.row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_results_name_different_winners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
