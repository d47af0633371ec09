/*
 * advise_search - which strategies are coherent in a scenario, and what they cost with every
 * cost at its mode; played as few of them as that takes.
 */
#ifndef S2FLUSH_STUDY_ADVISE_SEARCH_H
#define S2FLUSH_STUDY_ADVISE_SEARCH_H

#include "study/advise.h"
#include "study/advise_bound.h"

struct error;

enum advise_state {
    ENTRY_OPEN,
    ENTRY_PLAYED,
    ENTRY_STALE, /* one that does all that it does is stale */
    ENTRY_DOMINATED, /* it does all that a coherent one with no more changes does */
    ENTRY_NO_GAIN, /* what it leaves out took no time in a run with no more changes */
    ENTRY_DEAR, /* by what another run took it cannot be near the cheapest with no more changes */
    ENTRY_IMPOSSIBLE, /* the machine has not got the cores */
};

struct advise_entry {
    enum advise_state state;
    struct strategy_verdict verdict;
    double mode;
    double min; /* it costs no less than this at the modes, */
    bool conditional; /* and is not coherent without a condition: one that does more is not */
    bool
        matched; /* played, and no rung: another with no more changes, as coherent, costs no more */
    struct advise_spares spares; /* where it was played */
    bool priced; /* the draws were asked for */
    double median; /* then: of the draws, or the mode without any */
    size_t sampled; /* so many of the first draws were asked for; */
    double sample[ADVISE_FIRST_DRAWS]; /* what it costs in them but for the yardstick */
};

struct advise_search {
    struct scenario *scenario;
    enum metric metric;
    struct policy_facts facts;
    struct policy_space space;
    struct advise_entry *entry; /* [space.count] */
};

bool advise_search(struct advise_search *search, struct scenario *scenario,
                   const struct advise_request *request, bool range_commands, struct error *err);
void advise_search_free(struct advise_search *search);

#endif
