#include "study/information.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "study/winner_map.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

#define BINS 8
#define STREAM_ORDERS 3
#define LEAST_GAIN 0.01 /* less is no reason to measure */
#define SURE 3 /* standard deviations */

/* Whether the draws order[from..to) have no clear winner. */
static bool bin_undecided(const struct decision *decision, const size_t *order, size_t from,
                          size_t to)
{
    size_t runs = 1 + to - from; /* winner_map_choose passes over the first */
    double *values =
        alloc_zeroed(decision->strategies * runs, sizeof *values, "draws of a decision");
    double *scratch = alloc_zeroed(runs, sizeof *scratch, "draws of a decision");
    struct winner_map_choice choice;
    for (size_t s = 0; s < decision->strategies; s++) {
        for (size_t i = from; i < to; i++) {
            values[s * runs + 1 + i - from] = decision->values[s * decision->draws + order[i]];
        }
    }
    winner_map_choose(values, decision->strategies, runs, decision->may, scratch, &choice);
    free(values);
    free(scratch);
    return choice.winner == WINNER_NONE || choice.probability < WINNER_DECIDED;
}

static double share_undecided(const struct decision *decision, const size_t *order, size_t bins)
{
    size_t undecided = 0;
    for (size_t bin = 0; bin < bins; bin++) {
        undecided += bin_undecided(decision, order, bin * decision->draws / bins,
                                   (bin + 1) * decision->draws / bins);
    }
    return (double)undecided / (double)bins;
}

bool information_undecided(const struct decision *decision)
{
    size_t *order = alloc_zeroed(decision->draws, sizeof *order, "draws of a decision");
    for (size_t i = 0; i < decision->draws; i++) {
        order[i] = i;
    }
    bool undecided = share_undecided(decision, order, 1) > 0;
    free(order);
    return undecided;
}

double information_known(const struct decision *decision, const double *input)
{
    size_t *order = alloc_zeroed(decision->draws, sizeof *order, "draws of a decision");
    gsl_sort_index(order, input, 1, decision->draws);
    double share = share_undecided(decision, order, BINS);
    free(order);
    return share;
}

void information_chance(const struct decision *decision, uint64_t seed,
                        double share[INFORMATION_ORDERS])
{
    size_t *order = alloc_zeroed(decision->draws, sizeof *order, "draws of a decision");
    gsl_rng *rng = alloc_checked(gsl_rng_alloc(rng_xoshiro256ss), "the value of information");
    rng_stream(rng, seed, decision->draws, STREAM_ORDERS, 0);
    for (size_t i = 0; i < decision->draws; i++) {
        order[i] = i;
    }
    for (size_t i = 0; i < INFORMATION_ORDERS; i++) {
        gsl_ran_shuffle(rng, order, decision->draws, sizeof *order);
        share[i] = share_undecided(decision, order, BINS);
    }
    gsl_rng_free(rng);
    free(order);
}

double information_least_gain(double noise)
{
    return fmax(LEAST_GAIN, SURE * noise); /* fmax passes a NAN over */
}
