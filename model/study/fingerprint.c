#include "study/fingerprint.h"

#include "core/alloc.h"
#include "study/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

struct hashing {
    const struct study *study;
    char identity[128];
    char (*hashes)[SETUP_HASH]; /* of the first cell by strategy, then of each further one */
};

/* The first cell tells all strategies; the others differ from it by their setup
 * and timeline, whatever the strategy. */
static bool hash_cell(void *context, size_t cell, struct error *err)
{
    const struct hashing *hashing = context;
    const struct study *study = hashing->study;
    size_t all = study->role[AXIS_STRATEGY]->values.count, count = cell == 0 ? all : 1;
    char(*hashes)[SETUP_HASH] = hashing->hashes + (cell == 0 ? 0 : all - 1 + cell);
    struct setup setup;
    struct timeline timeline;
    if (!study_setup(study, study_point(study, cell, 0), &setup, err)) {
        return false;
    }
    bool good = workload_build(setup.workload, &timeline, err);
    if (good) {
        for (size_t s = 0; s < count; s++) {
            setup_use(&setup, study->strategies[s]);
            setup_hash(&setup, &timeline, hashing->identity, hashes[s]);
        }
        timeline_free(&timeline);
    }
    setup_free(&setup);
    return good;
}

bool study_fingerprint(const struct study *study, unsigned jobs, char text[SETUP_HASH],
                       struct error *err)
{
    struct hashing hashing = {.study = study};
    size_t cells = study_cells(study);
    size_t count = study->role[AXIS_STRATEGY]->values.count + cells - 1;
    hashing.hashes = alloc_zeroed(count, sizeof *hashing.hashes, "hashes");
    study_identity(study, hashing.identity, sizeof hashing.identity);
    struct sweep sweep = {.jobs = jobs};
    bool good = sweep_parts(&sweep, cells, hash_cell, &hashing, err);
    XXH128_hash_t hash = XXH3_128bits(hashing.hashes, count * sizeof *hashing.hashes);
    free(hashing.hashes);
    snprintf(text, SETUP_HASH, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
    return good;
}
