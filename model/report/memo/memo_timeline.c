/* What costs least and what Linux does over time, as files that Perfetto opens. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"
#include "report/timeline/tracks.h"
#include "study/trial.h"

#include <stdlib.h>

#define SLICES \
    400 /* and as many holds of locks: some 100 KB; `explain --timeline` makes longer ones */

/* The strategy of a file in the first place; WINNER_NONE: there is no such file. */
static size_t strategy_of(const struct memo *memo, bool best)
{
    size_t winner = memo_place(memo, 0)->best.winner;
    size_t upstream = memo->upstream == SIZE_MAX ? WINNER_NONE : memo->upstream;
    return best ? winner : upstream == winner ? WINNER_NONE : upstream;
}

static const char *file_of(bool best)
{
    return best ? "timeline-best.json" : "timeline-linux.json";
}

void memo_list_timelines(const struct memo *memo, struct doc_node *list)
{
    for (int best = 1; best >= 0; best--) {
        size_t strategy = strategy_of(memo, best);
        if (strategy != WINNER_NONE) {
            struct doc_node *item = doc_add(list, DOC_ITEM, NULL);
            doc_link(item, file_of(best), file_of(best));
            doc_text(item, ": ");
            doc_code(item, memo_name(memo, strategy));
            doc_text(item, " over time, for Perfetto (https://ui.perfetto.dev)");
        }
    }
}

static bool write_run(const struct setup *setup, const struct timeline *timeline, FILE *out,
                      struct error *err)
{
    double value[COSTS];
    platform_modes(&setup->platform, value);
    struct point point = trial_point(setup, timeline, value);
    if (!sim_possible(&point, err)) {
        return false;
    }
    struct sim *sim = alloc_checked(malloc(sizeof *sim), "a simulation");
    sim_init(sim, &point);
    watch_start(sim, SLICES);
    bool good = sim_run(sim, err);
    if (good) {
        tracks_json(out, setup, sim);
    }
    sim_free(sim);
    free(sim);
    return good;
}

static bool write_one(const struct memo *memo, size_t strategy, FILE *out, struct error *err)
{
    const struct axis *axis = memo->study->role[AXIS_STRATEGY];
    struct setup setup;
    struct timeline timeline;
    if (!study_setup(memo->study, memo_with(axis, memo->place[0], strategy), &setup, err)) {
        return false;
    }
    bool built = workload_build(setup.workload, &timeline, err);
    bool good = built && write_run(&setup, &timeline, out, err);
    if (built) {
        timeline_free(&timeline);
    }
    setup_free(&setup);
    return good;
}

bool memo_write_timelines(const struct memo *memo, const char *folder, struct outputs *files,
                          struct error *err)
{
    bool good = true;
    for (int best = 1; best >= 0 && good; best--) {
        size_t strategy = strategy_of(memo, best);
        FILE *out = strategy == WINNER_NONE ? NULL : outputs_add(files, folder, file_of(best), err);
        good = strategy == WINNER_NONE || (out && write_one(memo, strategy, out, err));
    }
    return good;
}
