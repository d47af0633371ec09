/*
 * breakeven - where along an axis two strategies cost the same.
 *
 * For each pair of strategies that no reader finds stale along the axis: every
 * crossing of the two, with all costs at their modes, and the same for each
 * draw of the costs (strategies share their draws). The values of the axis are
 * scanned; where the difference changes its sign between neighbours, a root
 * finder goes in (study/crossing.h). Two crossings between the same neighbours are not seen: the
 * scan's steps say how fine it looks.
 *
 * Draws' roots are found to a part of what so few draws leave open all the same (`within`), which
 * takes a tenth of the simulations.
 *
 * A draw without a crossing has one beyond the range, if anywhere; in the
 * quantiles it counts as the end of the range behind which it lies.
 */
#ifndef S2FLUSH_STUDY_BREAKEVEN_H
#define S2FLUSH_STUDY_BREAKEVEN_H

#include "study/evaluate.h"
#include "study/groups.h"

struct error;

/* Under this share of the draws that agree, nothing is decided. */
#define DECIDED_SHARE 0.8

#define BREAKEVEN_STEPS_MAX 1024

struct breakeven_request {
    const char *axis; /* a key of workloads or a cost; an axis of the study or not */
    const char *from, *to; /* in place of the study's values; NULL: those */
    uint64_t steps; /* values from `from` to `to`, both included; on bytes by equal factors */
    enum metric metric;
    const char *pair; /* "A,B"; NULL: all pairs */
    bool what_if; /* also strategies that exist only on paper */
};

enum breakeven_status {
    BREAKEVEN_CROSSING,
    BREAKEVEN_NONE, /* one wins in the whole range */
    BREAKEVEN_EQUAL, /* they never differ */
    BREAKEVEN_UNDECIDED, /* the draws do not agree on which of these it is */
    BREAKEVEN_LEFT_OUT, /* one of them is incoherent, exists only on paper, or failed */
};

extern const char *const breakeven_status_name[];

/* One crossing, or one pair without. */
struct breakeven {
    size_t group;
    size_t a, b; /* strategies of the study; at the modes a wins at the low end */
    enum breakeven_status status;
    unsigned crossing; /* 1 and up; 0: none at the modes */
    bool a_below; /* on the low side of this crossing a wins */
    double at; /* with all costs at their modes; NAN: none */
    uint64_t n; /* draws */
    double p10, p50, p90; /* over the draws; NAN: none */
    double within; /* so near are the draws' roots, or as near as that at the modes */
    struct quantile_error error; /* of the quantiles, by which draws it are and by `within` */
    /* Of the draws: those that cross this way, those in which a or b wins all
     * along, and those that do something else. */
    double share_crossing, share_a, share_b, share_other;
    /* By the median over the draws (without any, at the modes), at the low and at the
     * high end: by which factor the dearer one costs more, NAN where one of them costs
     * nothing; and who wins. */
    double low_ratio, high_ratio;
    bool a_wins_low, a_wins_high;
    const char *reason; /* of LEFT_OUT: which, and why */
    size_t reason_strategy;
    unsigned conditions; /* what the two depend on */
};

/* One strategy at one value of the axis: what curves are drawn of. */
struct breakeven_curve {
    double mode, p10, p50, p90;
};

struct breakeven_results {
    struct groups groups;
    enum metric metric;
    char axis[64];
    struct value_kind kind;
    double x[BREAKEVEN_STEPS_MAX];
    size_t x_count;
    struct breakeven *row;
    size_t count;
    struct breakeven_curve *curve; /* [group][x][strategy] */
    bool *compared; /* [group][strategy]: is in some pair */
    bool *passed; /* [group]: is left out, a simulation in it failed */
    struct sweep_failed failed; /* values of the axis in a group */
    struct sweep_failed roots_failed; /* places between two values */
};

bool breakeven_run(const struct study *study, const struct breakeven_request *request,
                   struct sweep *sweep, struct store *store, struct breakeven_results *results,
                   struct error *err);
void breakeven_free(struct breakeven_results *results);

#endif
