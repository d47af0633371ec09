/*
 * memo_input - what a memo knows; not for others. memo_source.c asks the study for it,
 * the other files only read it.
 */
#ifndef S2FLUSH_REPORT_MEMO_MEMO_INPUT_H
#define S2FLUSH_REPORT_MEMO_MEMO_INPUT_H

#include "report/memo/memo.h"
#include "report/quantity.h"
#include "report/words.h"
#include "study/advise.h"
#include "study/breakeven.h"
#include "study/winner_map.h"

#include <math.h>

#define MEMO_PLACES 12 /* answers side by side; more would be no answer */
#define MEMO_METRICS (1 + STUDY_MEMO_LIST + PARTS)
#define MEMO_TEXT 256

/* Keys of a scenario that decide much, as its workload has them; "": it has none. */
struct memo_facts {
    char ram[32], footprint[32], touched[32], vcpus[32], backing[32], granule[32];
};

/* A point of the study without its strategy, and what all strategies come to there. */
struct memo_scenario {
    size_t point; /* with the first strategy */
    struct memo_facts facts;
    double *value[MEMO_METRICS]; /* [strategy][run], run 0 at the modes; NAN: not known */
    struct strategy_verdict *verdict; /* [strategy] */
    struct verdict (*reader)[READERS]; /* [strategy] */
    size_t fitted, played; /* draws of strategies where actors wait */
    struct winner_map_choice best, sound; /* of all, of those without a condition */
    char *failed; /* why nothing of it is known: a simulation could not go on; NULL: all is known */
};

/* Where two strategies cost the same along the axis. */
struct memo_crossing {
    size_t place; /* the first whose panel it is in */
    size_t a, b;
    enum breakeven_status status;
    bool a_below; /* on the low side a costs less */
    struct band at;
    struct quantile_error error; /* of the band */
    double share; /* of the draws that cross so */
};

/* What one setting does to the gap between the best and the next one. */
struct memo_swing {
    size_t place;
    char key[64];
    const char *model; /* the model's own error, in words: nothing that one can measure; NULL: it
                          is a cost or a key */
    char low_text[48], high_text[48]; /* the setting's ends */
    char evidence[64];
    double at_low, at_high; /* what the next one costs more than the best */
    double size; /* of the swing, as a share of what the best costs */
    bool turns; /* the sign changes: the answer does */
};

/* A published row, and what the model says of it. */
struct memo_published {
    char table[40], row[40], phase[32], host[48];
    bool predicted; /* and not fitted to */
    bool inside;
    enum unit unit;
    double measured; /* in base units, as the band */
    struct band band;
    double error; /* model over measured, less 1 */
};

/* Of a strategy: what was seen by running kernels that have it. */
struct memo_seen {
    char kernels[96];
    bool patched; /* not Linux as it is */
    size_t runs, old_runs; /* of these, those that read old bytes */
    uint64_t lines_max; /* so many lines at most */
    uint64_t equal, cells; /* counts: as the model has them, of all */
};

struct memo {
    const struct study *study;
    enum metric metric[1 + STUDY_MEMO_LIST]; /* [0]: what strategies are compared by */
    size_t metrics; /* with the parts of the time, where these are wanted */
    size_t parts; /* where those begin */
    size_t strategies, runs;
    size_t upstream; /* what Linux does; SIZE_MAX: the study has it not */
    bool facet[STUDY_AXES];
    const struct axis *axis; /* along which curves go; NULL: none */

    struct memo_scenario *scenario; /* all that were asked for, by rising point */
    size_t scenarios;
    size_t place[MEMO_PLACES]; /* points of the answers */
    size_t places;
    size_t merged[MEMO_PLACES]; /* points of further ones, each the same as one of those */
    size_t merges;

    bool advised; /* the ladders of all places are known */
    struct study narrow; /* what they are of */
    struct advise_results advice;
    size_t ladder[MEMO_PLACES]; /* [place]: group of the advice */

    struct memo_crossing *crossing;
    size_t crossings;
    struct memo_swing *swing; /* the largest first */
    size_t swings;
    size_t estimated; /* places whose swings of costs are taken as linear, */
    double estimate_off; /* and how far off that is in the study's draws, at most, as a share */
    struct memo_published *published;
    size_t publisheds;
    struct platform_aliases *machine_names; /* NULL: no table of published rows was found */
    struct memo_seen *seen; /* [strategy] */
    json_t *played; /* what the page lets move (memo_played.c) */
    char **missing; /* what simulations that could not go on leave out, each in a line */
    size_t missings;
    bool crossings_missing, swings_missing; /* some of them are among these */
    char validated_by[MEMO_TEXT]; /* what its table says of itself */
};

/* --- points --- */

/* A point with another value of an axis. */
size_t memo_with(const struct axis *axis, size_t point, size_t digit);
const struct memo_scenario *memo_at(const struct memo *memo, size_t point);
const struct memo_scenario *memo_place(const struct memo *memo, size_t place);

/* Whether the place is the first of those that differ along the curves' axis alone. */
bool memo_is_panel(const struct memo *memo, size_t place);

/* Notes that a simulation could not go on, and what of the memo is therefore left out; false where
 * the error is another one. */
bool memo_miss(struct memo *memo, const char *what, const struct error *err);

/* --- strategies in a scenario --- */

const char *memo_name(const struct memo *memo, size_t strategy);
struct band memo_band(const struct memo *memo, const struct memo_scenario *scenario, size_t metric,
                      size_t strategy);
/* Its medians with a strategy in all places. */
struct memo_range {
    double low, high; /* low above high: none */
};
struct memo_range memo_medians(const struct memo *memo, size_t metric, size_t strategy);
#define MEMO_RANGE_EMPTY ((struct memo_range){INFINITY, -INFINITY})
void memo_range_take(struct memo_range *range, double value);
/* How far the draws may have it from what all that there could be would say. */
struct quantile_error memo_band_error(const struct memo *memo, const struct memo_scenario *scenario,
                                      size_t metric, size_t strategy);
bool memo_stale(const struct memo_scenario *scenario, size_t strategy);
/* Whether it may be called the answer: coherent, and there is hardware for it. */
bool memo_may_win(const struct memo *memo, const struct memo_scenario *scenario, size_t strategy);
/* Strategies by rising cost, those that are stale last. Returns how many. */
size_t memo_order(const struct memo *memo, const struct memo_scenario *scenario, size_t *order);

/* The cheapest of those that may win and cost more than the best; WINNER_NONE: none. */
#define MEMO_TIE 1.005 /* what costs no more than this times as much costs the same */
size_t memo_next(const struct memo *memo, const struct memo_scenario *scenario);

/* The study's strategies that `compare` names; false where it names none. */
bool memo_pair(const struct memo *memo, size_t *a, size_t *b);

/* From what Linux does to the cheapest of all strategies; NULL: that was not asked. */
const struct advise_ladder *memo_ladder(const struct memo *memo, size_t place);
struct band memo_rung_band(struct advise_band band);

/* --- words --- */

/* Of a scenario of which nothing is known. */
#define MEMO_FAILED "not known, a simulation failed"
/* Of a strategy in a workload without readers. */
#define MEMO_UNREAD "not judged, nothing reads it"
/* What a condition of a verdict asks, as the rest of a sentence: "... only if". */
const char *memo_condition(unsigned conditions);
/* A value of an axis: "8 vCPUs", "10 % touched again". */
char *memo_axis_words(const struct memo *memo, const struct axis *axis, size_t point,
                      char buf[MEMO_TEXT]);
/* What tells a place from the others: "4 KiB leaves"; "" where there is one. */
char *memo_place_words(const struct memo *memo, size_t point, char buf[MEMO_TEXT]);
/* The same without machine and kernel. */
char *memo_rest_words(const struct memo *memo, size_t point, char buf[MEMO_TEXT]);
/* The scenario without what tells places apart and without the curves' axis (`along`). */
char *memo_scenario_words(const struct memo *memo, bool along, char buf[2 * MEMO_TEXT]);
/* What parts of the time stand for in shares: the rest is the guest's own. */
enum memo_share { MEMO_CLEANING, MEMO_FAULTS, MEMO_TLBI, MEMO_ICACHE, MEMO_GUEST, MEMO_SHARES };
extern const char *const memo_share_name[MEMO_SHARES];
/* Their shares of what all threads do with a strategy in a scenario, into part[]; returns
 * how long that is. */
double memo_share_parts(const struct memo *memo, const struct memo_scenario *scenario,
                        size_t strategy, double part[MEMO_SHARES]);
/* The sampling errors of the quantiles in a table, as shares of the medians. */
struct memo_sampling {
    size_t count;
    double p50_min, p50_max, ends_min, ends_max;
};
void memo_sampling_add(struct memo_sampling *sampling, struct band band,
                       struct quantile_error error);
/* What stands below the table; nothing where it has no quantiles. */
void memo_put_sampling(const struct memo *memo, const struct memo_sampling *sampling,
                       struct doc_node *doc);
/* In which places something holds: "4 KiB leaves up to 4 vCPUs"; "" for all. */
char *memo_where(const struct memo *memo, const bool in[MEMO_PLACES], char buf[MEMO_TEXT]);

/* --- sections --- */

/* Places in which the same strategy costs least. */
struct memo_pick {
    size_t winner; /* of the study's, in the first place; WINNER_NONE: none can */
    const struct strategy *strategy; /* NULL: none can */
    const struct advise_rung *rung; /* the ladder's last one in the first place; NULL: no ladder */
    bool in[MEMO_PLACES];
    size_t places;
    double low, high; /* its medians */
    double own_low, own_high; /* of Linux; NAN: not known */
    double share; /* of the draws in which it costs least, in the worst place; NAN: not known */
    bool needs_guest; /* the guest must maintain its caches itself */
    bool unread; /* nothing reads what it does: whether it is coherent is not judged */
    unsigned conditions;
};
/* What costs least and where, what holds in most places first: `of_all` strategies, by the
 * ladders, or of those that the study compares. What costs the same as one of those is none of
 * its own. */
size_t memo_picks(const struct memo *memo, bool of_all, struct memo_pick pick[MEMO_PLACES]);
/* The share of the draws in which a strategy costs no more than the cheapest, ties included. */
double memo_share_least(const struct memo *memo, const struct memo_scenario *scenario,
                        size_t strategy);

/* What a strategy does in a few words, or its name; the run's name is the strategy's. */
void memo_put_strategy(const struct strategy *strategy, struct doc_node *block);

/* Says what costs least in so many words that a block has no more than `room`. */
void memo_put_choice(const struct memo *memo, size_t room, struct doc_node *answer);
/* "with 4 KiB leaves", "on kunpeng-920", "from 4 vCPUs". */
void memo_put_where(const struct memo *memo, const char *where, struct doc_node *words);

#define MEMO_ANSWER_WORDS 60 /* at most */
/* The answer itself; the caller frees it. */
struct doc_node *memo_answer_words(const struct memo *memo);
/* By how much the model errs on what is published of this machine; false: nothing is. */
bool memo_misfit(const struct memo *memo, char buf[QUANTITY_TEXT]);
void memo_answer(const struct memo *memo, struct doc_node *doc);
void memo_figures(const struct memo *memo, struct doc_node *doc);
/* Which strategies a figure draws. */
void memo_lines(const struct memo *memo, bool shown[]);
void memo_swing_figure(const struct memo *memo, size_t place, struct doc_node *doc);
/* Rows measured on a machine of the study; `nth` picture of the kind, from 1. */
void memo_published_figure(const struct memo *memo, const char *machine, size_t nth,
                           struct doc_node *doc);
void memo_put_seen(const struct memo *memo, size_t strategy, struct doc_node *words);
void memo_seen_table(const struct memo *memo, struct doc_node *doc);
void memo_comparison(const struct memo *memo, struct doc_node *doc);
void memo_machines(const struct memo *memo, struct doc_node *doc);

/* An item for each file of a run over time. */
void memo_list_timelines(const struct memo *memo, struct doc_node *list);
/* The page's part in which a reader moves costs; words in its place where the metric is no sum of
 * events. */
void memo_put_played(const struct memo *memo, struct doc_node *doc);

/* --- sources --- */

/* Asks the evaluator for what that part needs, and keeps it with the memo. */
bool memo_find_played(struct memo *memo, struct evaluator *evaluator, struct error *err);

bool memo_read_seen(struct memo *memo, struct error *err);
bool memo_read_published(struct memo *memo, const char *validation, struct error *err);
/* Whether a row was measured on a machine, which may go by another name of its platform. */
bool memo_measured_on(const struct memo *memo, const struct memo_published *published,
                      const char *machine);
bool memo_find_swings(struct memo *memo, struct evaluator *evaluator, struct error *err);

#endif
