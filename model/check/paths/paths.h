/*
 * paths - the lengths of the kernel's own paths, from recorded instructions.
 *
 * A table of counts with the column insns_kernel_bare says how many instructions
 * the kernel executed in each phase; the model says how many events of each kind
 * the phase held. A row's instructions are the sum over the terms below of count
 * times length, so the lengths follow by least squares over the rows. A timer
 * tick in a row adds some thousand instructions that belong to no path: the fit
 * is robust, so that such rows weigh little.
 *
 * What the rows cannot tell apart is left out of the fit and named, with the
 * terms that carry it.
 */
#ifndef S2FLUSH_CHECK_PATHS_PATHS_H
#define S2FLUSH_CHECK_PATHS_PATHS_H

#include "check/counts/counts.h"

struct error;

/* The kernel whose lengths stand in model/kvm/paths.c. */
#define PATHS_KERNEL "6.1"

#define PATH_PARTS 6

/* One part of a sum over kinds of event. */
struct path_part {
    int32_t times; /* 0 ends the list */
    enum event_kind kind;
};

/* How a term stands to what is written in model/kvm/paths.c. */
enum path_standing {
    STANDS, /* the sum of its parts, to be compared with the fit */
    STANDS_ELSEWHERE, /* not an instruction count there, or derived: `note` says how */
    STANDS_WITHIN /* part of other terms; here only so that the fit says so */
};

struct path_term {
    const char *name, *title;
    struct path_part count[PATH_PARTS]; /* how many of it a row holds, in `per` events */
    double per; /* 0: 1 */
    enum path_standing standing;
    struct path_part stands[PATH_PARTS]; /* what model/kvm/paths.c charges for one */
    uint32_t traps, tlbis; /* world switches and TLBI sequences in it */
    double outside; /* instructions charged in ns in both worlds */
    const char *note;
};

/* In the order in which the fit takes them: of terms that the rows cannot tell
 * apart, the earlier carries the later. */
enum {
    TERM_FAULT_4K,
    TERM_FAULT_2M,
    TERM_FAULT_CODE,
    TERM_FAULT_PERM,
    TERM_HOST_ALLOC,
    TERM_HOST_CLEAR,
    TERM_TABLE_ALLOC,
    TERM_ZAP,
    TERM_ZAP_HUGE,
    TERM_UNMAP_LEAF,
    TERM_TABLE_FREE,
    TERM_FLUSH_LEAF,
    TERM_LINE,
    TERM_IC_LINE,
    TERM_REINIT,
    TERM_REINIT_UNMAP,
    TERM_IC_ALL,
    TERM_USER_EXIT,
    TERM_FIRST_RUN,
    TERM_FIRST_TOUCH,
    TERM_TOGGLE_TRAP,
    TERM_SETWAY_TRAP,
    TERM_VISIT,
    TERM_WALK_MAP,
    TERM_TLBI,
    TERM_CMO_CALL,
    PATH_TERMS
};
extern const struct path_term path_terms[PATH_TERMS];

/* Instructions that the paths hold but that the model charges in ns: the world
 * switch of a trap (in exit_ns; the shortest trap known, a set/way operation) and
 * a TLBI sequence (in tlbi_ns; an unmapped leaf with VHE less one without). Both
 * run at EL2 without VHE, where nothing was counted. */
#define PATH_SWITCH_INSNS 1770
#define PATH_TLBI_INSNS 83

enum path_world { WORLD_VHE, WORLD_NVHE, WORLD_FWB, WORLDS };
extern const char *const world_name[];

/* What the fit works on. */
struct path_rows {
    size_t count;
    double (*x)[PATH_TERMS]; /* how many of each term a row holds */
    double *y; /* its instructions */
    double *sigma; /* how far they may be off */
    size_t *row; /* which row of the table it is */
    /* Left out: copy on write and zero pages; memory that the VMM filled. */
    size_t copying, filled;
};

/* Collects the rows of one world; the table must have been played. */
bool path_rows_collect(const struct counts *counts, enum path_world world, struct path_rows *rows,
                       struct error *err);
void path_rows_free(struct path_rows *rows);

struct path_estimate {
    size_t rows; /* that hold any of it */
    bool fitted;
    double insns, standard_error;
    double max_pct; /* largest residual of those rows, less those with a tick */
    /* Not fitted: how much of it each fitted term carries in one of its own. */
    double carried_by[PATH_TERMS];
};

struct path_fit {
    struct path_estimate term[PATH_TERMS];
    double covariance[PATH_TERMS][PATH_TERMS];
    size_t rows, terms, disturbed; /* disturbed: rows of less than half weight */
    double max_pct, max_clean_pct; /* of all rows; of those not disturbed */
    size_t max_row, max_clean_row; /* rows of the table */
};

/* Fits all terms that the rows hold and can tell apart. */
bool path_fit(const struct path_rows *rows, struct path_fit *fit, struct error *err);

/* A sum of terms, such as a first touch: value and standard error. False where
 * one of them was not fitted. */
bool path_sum(const struct path_fit *fit, const double weight[PATH_TERMS], double *insns,
              double *standard_error);

/* What model/kvm/paths.c says a fitted term is, with what it carries of others
 * and what is charged in ns. False where it says nothing of it. */
bool path_stands(const struct path_fit *fit, enum path_world world, int term, double *insns);

/* The report for people, and one row a term for programs: world,path,insns,se,
 * rows,stands,difference_se,note. */
void path_print(const struct counts *counts, const struct path_rows *rows,
                const struct path_fit *fit, enum path_world world, FILE *out);
void path_csv_header(FILE *out);
void path_csv(const struct path_fit *fit, enum path_world world, FILE *out);

/* What the fits of VHE and nVHE say of the part at EL2, which no nVHE row holds. */
void path_print_unseen(const struct path_fit *vhe, const struct path_fit *nvhe, FILE *out);

#endif
