/*
 * breakeven_printed - break-even points of small studies, and what is told of them.
 */
#ifndef S2FLUSH_TESTS_BREAKEVEN_PRINTED_H
#define S2FLUSH_TESTS_BREAKEVEN_PRINTED_H

#include "core/error.h"
#include "study_files.h"

#include "report/analyses.h"
#include "study/breakeven.h"

#include <stdbool.h>
#include <stddef.h>

/* Finds the break-even points of a request that must be good. */
static inline void breakeven_good(const struct study *study,
                                  const struct breakeven_request *request, unsigned jobs,
                                  struct breakeven_results *results)
{
    struct error err = {0};
    bool good =
        breakeven_run(study, request, &(struct sweep){.jobs = jobs}, test_store(), results, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static inline void expect_said(const char *text, const char *says)
{
    if (!strstr(text, says)) {
        print_error("'%s' does not say '%s'\n", text, says);
    }
    assert_non_null(strstr(text, says));
}

/* What people are told of the results, and with `rows` the rows behind it. */
static inline void expect_printed(const struct breakeven_results *results, bool rows,
                                  const char *says)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    breakeven_report.print(out, results);
    if (rows) {
        breakeven_report.table[0].write(out, results);
    }
    assert_int_equal(fclose(out), 0);
    expect_said(text, says);
    free(text);
}

#endif
