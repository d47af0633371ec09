/*
 * store_internal - what the files behind store.h share; not for others.
 */
#ifndef S2FLUSH_STUDY_STORE_INTERNAL_H
#define S2FLUSH_STUDY_STORE_INTERNAL_H

#include "core/database.h"
#include "study/store.h"

#include <pthread.h>

struct store {
    struct database database;
    pthread_mutex_t lock; /* one thread at a time */
    struct store_about about;
    bool *has; /* [cells] */
    struct store_sum sum;
    char *add_point; /* a statement with as many values as there are columns */
};

/* A write, by one thread at a time: all of it or nothing. store_end must follow, with whether it
 * was good. */
bool store_begin(struct store *store, struct error *err);
bool store_end(struct store *store, bool good, struct error *err);

/* A line that says that this is no store; false. */
bool store_damaged(const struct store *store, struct error *err);

/* Takes up which cells are there. */
bool store_read_cells(struct store *store, struct error *err);

#endif
