/* What the fit of path lengths says, for people and for programs. */
#include "check/paths/paths.h"

#include "core/csv.h"

#include <math.h>
#include <stdio.h>

/* Two lengths whose errors go together to this degree are known as a sum, not
 * one by one. */
#define HARDLY_TOLD_APART 0.9

/* A smaller share of another term is not worth a word. */
#define MIN_SHARE 0.001

static const char *const world_title[] = {"VHE without FWB", "nVHE", "VHE with FWB"};

/* Sums that say more than their terms do. */
static const struct {
    const char *name, *title;
    struct {
        int term;
        double times;
    } part[3];
} sums[] = {
    {"first_touch_4k",
     "translation fault, 4 KiB, first touch",
     {{TERM_FAULT_4K, 1}, {TERM_HOST_ALLOC, 1}, {TERM_HOST_CLEAR, 1}}},
    {"first_touch_2m",
     "translation fault, 2 MiB, first touch",
     {{TERM_FAULT_2M, 1}, {TERM_HOST_ALLOC, 1}, {TERM_HOST_CLEAR, 512}}},
    {"table_refilled",
     "table page refilled, at most (charged: s2_tables_alloc)",
     {{TERM_FIRST_TOUCH, 1.0 / 40}, {TERM_FIRST_RUN, -1.0 / 40}}},
};
#define SUMS (sizeof sums / sizeof *sums)

static bool sum_of(const struct path_fit *fit, size_t which, double *insns, double *standard_error)
{
    double weight[PATH_TERMS] = {0};
    for (int i = 0; i < 3; i++) {
        weight[sums[which].part[i].term] += sums[which].part[i].times;
    }
    return path_sum(fit, weight, insns, standard_error);
}

/* What it is, with what else it carries. */
static void print_title(const struct path_fit *fit, int term, FILE *out)
{
    fputs(path_terms[term].title, out);
    for (int other = 0; other < PATH_TERMS; other++) {
        if (fabs(fit->term[other].carried_by[term]) > MIN_SHARE &&
            path_terms[other].standing != STANDS_WITHIN) {
            fprintf(out, " + %.4g %s", fit->term[other].carried_by[term], path_terms[other].name);
        }
    }
    if (path_terms[term].note) {
        fprintf(out, "; %s", path_terms[term].note);
    }
}

static void print_term(const struct path_fit *fit, enum path_world world, int term, FILE *out)
{
    const struct path_estimate *estimate = &fit->term[term];
    double stands;
    fprintf(out, "  %-14s %10.1f %9.2f %5zu", path_terms[term].name, estimate->insns,
            estimate->standard_error, estimate->rows);
    if (path_stands(fit, world, term, &stands)) {
        fprintf(out, " %9.0f %+8.1f", stands,
                (stands - estimate->insns) / estimate->standard_error);
    } else {
        fprintf(out, " %9s %8s", "-", "-");
    }
    fprintf(out, " %7.2f%%  ", estimate->max_pct);
    print_title(fit, term, out);
    fputc('\n', out);
}

static void print_sums(const struct path_fit *fit, FILE *out)
{
    for (size_t i = 0; i < SUMS; i++) {
        double insns, standard_error;
        if (sum_of(fit, i, &insns, &standard_error)) {
            fprintf(out, "  %-14s %10.1f %9.2f %33s%s\n", sums[i].name, insns, standard_error, "",
                    sums[i].title);
        }
    }
}

static void print_carried(const struct path_fit *fit, int term, FILE *out)
{
    const char *between = ": in every row it is";
    fprintf(out, "  %s", path_terms[term].name);
    for (int other = 0; other < PATH_TERMS; other++) {
        double share = fit->term[term].carried_by[other];
        if (fabs(share) > MIN_SHARE) {
            fprintf(out, "%s %.4g %s", between, share, path_terms[other].name);
            between = " +";
        }
    }
    fputs(fit->term[term].rows > 0 ? "\n" : ": no row holds it\n", out);
}

static void print_apart(const struct path_fit *fit, FILE *out)
{
    fputs("not distinguished from others, and in their lengths:\n", out);
    for (int term = 0; term < PATH_TERMS; term++) {
        if (!fit->term[term].fitted) {
            print_carried(fit, term, out);
        }
    }
    for (int a = 0; a < PATH_TERMS; a++) {
        for (int b = 0; b < a; b++) {
            double both = fit->term[a].standard_error * fit->term[b].standard_error;
            double together = both > 0 ? fit->covariance[a][b] / both : 0;
            if (fabs(together) > HARDLY_TOLD_APART) {
                fprintf(out, "  %s and %s: hardly, their errors correlate by %.2f\n",
                        path_terms[b].name, path_terms[a].name, together);
            }
        }
    }
}

static void print_max(const struct counts *counts, const char *which, double pct, size_t row,
                      FILE *out)
{
    const struct csv *table = &counts->table;
    fprintf(out, "largest residual %s: %.2f%% (%s %s, line %u)\n", which, pct,
            csv_cell(table, row, csv_column(table, "case")),
            csv_cell(table, row, csv_column(table, "phase")), table->lines[row]);
}

void path_print(const struct counts *counts, const struct path_rows *rows,
                const struct path_fit *fit, enum path_world world, FILE *out)
{
    fprintf(out,
            "%s, kernel " PATHS_KERNEL ": %zu terms fitted to %zu rows, %zu of them disturbed\n",
            world_title[world], fit->terms, fit->rows, fit->disturbed);
    fprintf(out,
            "left out: %zu rows of zero pages and copies of them, %zu of memory that the VMM "
            "filled\n",
            rows->copying, rows->filled);
    fprintf(out, "  %-14s %10s %9s %5s %9s %8s %8s\n", "path", "insns", "s.e.", "rows", "paths.c",
            "in s.e.", "residual");
    for (int term = 0; term < PATH_TERMS; term++) {
        if (fit->term[term].fitted) {
            print_term(fit, world, term, out);
        }
    }
    print_sums(fit, out);
    print_max(counts, "of all rows", fit->max_pct, fit->max_row, out);
    print_max(counts, "of rows that were not disturbed", fit->max_clean_pct, fit->max_clean_row,
              out);
    print_apart(fit, out);
    if (world == WORLD_NVHE) {
        fputs("instructions at EL2 were not counted: world switches and TLBI sequences are no part "
              "of these lengths\n",
              out);
    }
    if (world == WORLD_FWB) {
        fputs("paths.c has one column for VHE: with FWB it stands as it does without\n", out);
    }
}

void path_csv_header(FILE *out)
{
    fputs("world,path,insns,se,rows,stands,difference_se,note\n", out);
}

static void csv_row(const struct path_fit *fit, enum path_world world, int term, FILE *out)
{
    const struct path_estimate *estimate = &fit->term[term];
    double stands;
    fprintf(out, "%s,%s,", world_name[world], path_terms[term].name);
    if (!estimate->fitted) {
        fprintf(out, ",,%zu,,,", estimate->rows);
        csv_put(out, estimate->rows > 0 ? "not distinguished" : "no row holds it");
    } else {
        fprintf(out, "%.3f,%.3f,%zu,", estimate->insns, estimate->standard_error, estimate->rows);
        if (path_stands(fit, world, term, &stands)) {
            fprintf(out, "%.0f,%.2f,", stands,
                    (stands - estimate->insns) / estimate->standard_error);
        } else {
            fputs(",,", out);
        }
        csv_put(out, path_terms[term].note ? path_terms[term].note : "");
    }
    fputc('\n', out);
}

void path_csv(const struct path_fit *fit, enum path_world world, FILE *out)
{
    for (int term = 0; term < PATH_TERMS; term++) {
        csv_row(fit, world, term, out);
    }
    for (size_t i = 0; i < SUMS; i++) {
        double insns, standard_error;
        if (sum_of(fit, i, &insns, &standard_error)) {
            fprintf(out, "%s,%s,%.3f,%.3f,,,,sum of terms\n", world_name[world], sums[i].name,
                    insns, standard_error);
        }
    }
}

void path_print_unseen(const struct path_fit *vhe, const struct path_fit *nvhe, FILE *out)
{
    static const int terms[] = {TERM_FAULT_4K, TERM_USER_EXIT, TERM_UNMAP_LEAF, TERM_TABLE_FREE};
    fputs("EL2's unseen part, VHE less nVHE (at least: nVHE also executes more of the rest)\n",
          out);
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        const struct path_estimate *a = &vhe->term[terms[i]], *b = &nvhe->term[terms[i]];
        if (a->fitted && b->fitted) {
            fprintf(out, "  %-14s %10.1f %9.2f\n", path_terms[terms[i]].name, a->insns - b->insns,
                    hypot(a->standard_error, b->standard_error));
        }
    }
}
