/* A study file: read, and where it is good, its first and last point set up. */
#include "core/error.h"
#include "fuzz.h"

#include "study/metrics.h"
#include "study/study.h"

static void set_up(const struct study *study, size_t point)
{
    struct setup setup;
    struct error err = {0};
    if (study_setup(study, point, &setup, &err)) {
        setup_free(&setup);
    } else {
        fuzz_expect_error(&err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct study study;
    struct study_changes none = {0};
    struct error err = {0};
    bool wanted[METRICS];
    if (study_read(&study, fuzz_file(0, data, size), &none, &err)) {
        set_up(&study, 0);
        set_up(&study, study.points - 1);
        if (!metric_select(study.metrics, wanted, NULL, &err)) {
            fuzz_expect_error(&err);
        }
    } else {
        fuzz_expect_error(&err);
    }
    study_free(&study);
    return 0;
}
