/*
 * groups - the points of a study with some axes taken out.
 *
 * A break-even point looks along one axis and a map at two; what is left of the
 * other axes, strategy aside, are the groups that get an answer each.
 */
#ifndef S2FLUSH_STUDY_GROUPS_H
#define S2FLUSH_STUDY_GROUPS_H

#include "study/study.h"

struct error;

#define GROUPS_OUT 2

struct groups {
    const struct study *study;
    const struct axis *out[GROUPS_OUT]; /* taken out; NULL: none */
    size_t count;
};

/* The study's axis of that name, or NULL. */
const struct axis *groups_axis(const struct study *study, const char *name);

void groups_init(struct groups *groups, const struct study *study, const struct axis *first,
                 const struct axis *second);

/* Whether an axis tells groups apart. */
bool groups_has(const struct groups *groups, const struct axis *axis);

/* The group's point with the first value of each axis that was taken out. */
size_t groups_point(const struct groups *groups, size_t group);

/* "machine=neoverse-n1; backing=4k": the values in which it differs from other
 * groups; "" where there is one only. */
void groups_text(const struct groups *groups, size_t group, char *text, size_t size);

/* A value of an axis as people write it: 128M and not 134217728. */
void groups_spell(const struct axis *axis, const char *text, char *buf, size_t size);

/* The index of the study's strategy whose name has `length` characters; of the
 * two in "A,B". False with a line that names the option (NULL: none), and a suggestion,
 * where there is none. */
bool groups_strategy(const struct study *study, const char *option, const char *name, size_t length,
                     size_t *index, struct error *err);
bool groups_pair(const struct study *study, const char *option, const char *pair, size_t *a,
                 size_t *b, struct error *err);

#endif
