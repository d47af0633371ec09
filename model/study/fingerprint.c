#include "study/fingerprint.h"

#include "core/alloc.h"

#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

struct hashing {
    const struct study *study;
    char identity[128];
    char (*hashes)[SETUP_HASH]; /* [cell][strategy] */
    size_t failed; /* the first cell that cannot be resolved; SIZE_MAX: none */
};

static bool hash_cell(const struct hashing *hashing, size_t cell, struct error *err)
{
    const struct study *study = hashing->study;
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    struct setup setup;
    struct timeline timeline;
    if (!study_setup(study, study_point(study, cell, 0), &setup, err)) {
        return false;
    }
    bool good = workload_build(setup.workload, &timeline, err);
    if (good) {
        for (size_t s = 0; s < strategies; s++) {
            setup.strategy = study->strategies[s];
            setup_hash(&setup, &timeline, hashing->identity,
                       hashing->hashes[cell * strategies + s]);
        }
        timeline_free(&timeline);
    }
    setup_free(&setup);
    return good;
}

static void note_failure(struct hashing *hashing, size_t cell, const struct error *own,
                         struct error *err)
{
#pragma omp critical(study_fingerprint)
    if (cell < hashing->failed) {
        hashing->failed = cell;
        *err = *own;
    }
}

bool study_fingerprint(const struct study *study, unsigned jobs, char text[SETUP_HASH],
                       struct error *err)
{
    struct hashing hashing = {.study = study, .failed = SIZE_MAX};
    size_t cells = study_cells(study);
    hashing.hashes = alloc_zeroed(study->points, sizeof *hashing.hashes, "hashes");
    study_identity(study, hashing.identity, sizeof hashing.identity);
#pragma omp parallel for schedule(dynamic) num_threads(jobs ? (int)jobs : omp_get_num_procs())
    for (size_t cell = 0; cell < cells; cell++) {
        struct error own;
        if (!hash_cell(&hashing, cell, &own)) {
            note_failure(&hashing, cell, &own, err);
        }
    }
    XXH128_hash_t hash = XXH3_128bits(hashing.hashes, study->points * sizeof *hashing.hashes);
    free(hashing.hashes);
    snprintf(text, SETUP_HASH, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
    return hashing.failed == SIZE_MAX;
}
