/*
 * study_parts - what the files that make up study.h share; not for others.
 */
#ifndef S2FLUSH_STUDY_STUDY_PARTS_H
#define S2FLUSH_STUDY_STUDY_PARTS_H

#include "study/study.h"

struct error;
struct source_location;

/* Folders of studies that are found by name, under the data folder. */
#define STUDY_DIR "workloads/studies"
#define QUESTION_DIR "workloads/questions"

extern const char *const study_role_name[AXIS_ROLES];

/* Takes a line of the section [strategy NAME]. */
bool study_strategy_line(struct study *study, const char *section, const char *key,
                         const char *value, const struct source_location *at, struct error *err);

/* What they come to when the file has been read: keys without effect are refused, and
 * those that began as another row are named by what differs. */
bool study_strategies_end(struct study *study, struct error *err);

/* The axis of that name, or NULL. */
struct axis *study_axis(struct study *study, const char *name);

/* Adds an axis at the end. */
typedef bool (*add_axis_fn)(struct study *study, const char *name, const char *list,
                            const struct source_location *at, struct error *err);

/* Adds the axes that every study has where the file names none, and checks
 * what depends on several keys. */
bool study_complete(struct study *study, add_axis_fn add, struct error *err);

/* Loads what the values of the four axes name, applies [set], and tries every
 * value of every other axis. */
bool study_load(struct study *study, struct error *err);

/* The same as study_read, but settings without effect are taken. */
bool study_read_whole(struct study *study, const char *name, const struct study_changes *changes,
                      struct error *err);

/* Refuses a setting or an axis that changes nothing at any point. */
bool study_effects(const struct study *study, struct error *err);

/* Puts every row in the place of STUDY_RULE among the strategies; and, when all is loaded, takes
 * those away that the rule leaves out. */
bool study_rule_begin(struct study *study, struct error *err);
bool study_rule_end(struct study *study, struct error *err);

/* Strides of the axes, and how many points there are. */
bool study_lay_out(struct study *study, struct error *err);

/* Fills err for a study that is nowhere; suggests the nearest. */
bool study_unknown(const char *name, struct error *err);

#endif
