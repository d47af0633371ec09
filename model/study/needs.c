#include "study/needs.h"

#include "core/alloc.h"
#include "core/error.h"
#include "run/sim.h"
#include "study/evaluate.h"
#include "study/execute.h"

#define CELLS_LOOKED_AT 16

/* The program itself, its libraries and what SQLite keeps of a store. */
#define PROGRAM_BYTES (9 * MIB)

/* The largest of the cell's simulations. */
static bool cell_bytes(const struct study *study, size_t cell, uint64_t *bytes, struct error *err)
{
    struct setup setup;
    struct timeline timeline;
    if (!study_setup(study, study_point(study, cell, 0), &setup, err)) {
        return false;
    }
    bool good = workload_build(setup.workload, &timeline, err);
    for (size_t s = 0; good && s < study->role[AXIS_STRATEGY]->values.count; s++) {
        setup_use(&setup, study->strategies[s]);
        struct point point = trial_point(&setup, &timeline, NULL);
        uint64_t one = sim_memory(&point) - sim_untouched(&point);
        *bytes = one > *bytes ? one : *bytes;
    }
    if (good) {
        timeline_free(&timeline);
    }
    setup_free(&setup);
    return good;
}

bool study_needs(const struct study *study, unsigned jobs, const bool wanted[METRICS],
                 struct study_needs *needs, struct error *err)
{
    size_t cells = study_cells(study), metrics = 0, last = SIZE_MAX;
    uint64_t simulation = 0, runs = 1 + study->draws;
    for (int i = 0; i < METRICS; i++) {
        metrics += wanted[i];
    }
    for (size_t i = 0; i < CELLS_LOOKED_AT; i++) {
        size_t cell = (cells - 1) * i / (CELLS_LOOKED_AT - 1);
        if (cell != last && !cell_bytes(study, cell, &simulation, err)) {
            return false;
        }
        last = cell;
    }
    /* Of each thread: its simulation, the draws of all costs, what events cost at each,
     * two strategies' times and a metric's values. */
    uint64_t each = COSTS * sizeof(double) + EVENT_KINDS * sizeof(ps_t) + 2 * sizeof(struct times) +
                    sizeof(double);
    uint64_t strategies = study->role[AXIS_STRATEGY]->values.count;
    uint64_t thread = simulation + runs * each + strategies * sizeof(struct point_result);
    *needs = (struct study_needs){.rows = study->points * metrics, .threads = sweep_threads(jobs)};
    needs->bytes = u64_mul(needs->threads, thread, "memory of a study") + PROGRAM_BYTES +
                   evaluator_memory(cells * (strategies + 1));
    return true;
}

bool study_fits(const struct study *study, const struct study_needs *needs, struct error *err)
{
    return alloc_allowed(needs->bytes, study->name,
                         "fewer --jobs, points, draws or operations take less", err);
}
