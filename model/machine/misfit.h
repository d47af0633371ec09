/*
 * misfit - how far the model is off by itself, by kind of cost.
 *
 * The ranges of a machine's costs say what is not known of the machine. That the model leaves
 * things out is another matter: rows of published tables to which nothing was fitted are missed by
 * more than those ranges allow. What they are missed by is shared out among five kinds of cost, by
 * the part of a row's time that each makes up, and becomes a factor on all prices of the kind. A
 * draw has one value of each factor, so that strategies that share a cost share its error.
 *
 * platforms/misfit.csv has these rows; `s2flush validate --misfit FILE` writes it. Of each kind the
 * factor is as wide as four of five rows ask for, rows weighted by the kind's share in their time
 * and each table alike. All rows are added with the weight of one table, whatever the kind: of a
 * kind in which few tables have a share little is known.
 */
#ifndef S2FLUSH_MACHINE_MISFIT_H
#define S2FLUSH_MACHINE_MISFIT_H

#include "machine/platform.h"

struct error;

#define MISFIT_TABLE(X) X(path) X(lines) X(tlbi) X(wait) X(access)

enum misfit {
#define MISFIT_ENUM(name) MISFIT_##name,
    MISFIT_TABLE(MISFIT_ENUM)
#undef MISFIT_ENUM
        MISFITS
};

extern const char *const misfit_name[MISFITS];
extern const enum cost_id misfit_cost[MISFITS];

/* Whether a cost is one of these. */
bool misfit_is(enum cost_id id);

/* What a published row to which nothing was fitted says. */
struct misfit_row {
    char table[40], row[40];
    double share[MISFITS]; /* by how much of 1 % the time follows 1 % of the kind */
    double off; /* the logarithm by which it is missed beyond what its draws explain, 0 and above */
};

#define MISFIT_ROWS_MAX 1024
struct misfit_rows {
    struct misfit_row *row; /* [MISFIT_ROWS_MAX], the owner frees it */
    size_t count;
};

/* The file that comes with the program; misfit_free frees it, also where this was false. */
bool misfit_read(struct misfit_rows *rows, struct error *err);
void misfit_free(struct misfit_rows *rows);

/* Room for one more; NULL where there are MISFIT_ROWS_MAX. */
struct misfit_row *misfit_add(struct misfit_rows *rows);

/* Writes such a file, without its comments. */
void misfit_write(const struct misfit_rows *rows, FILE *out);

/* The standard deviation of each factor's logarithm as all tables but one (NULL: all) have it. */
void misfit_deviations(const struct misfit_rows *rows, const char *without,
                       double deviation[MISFITS]);

/* Gives a platform the misfits that its file does not. */
bool misfit_complete(struct platform *platform, struct error *err);

#endif
