#include "report/merge.h"

#include "core/alloc.h"
#include "core/error.h"
#include "report/export.h"
#include "report/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- whether they are all there --- */

#define LISTED 8 /* missing shards that a message names */

/* What is known of a shard's file. */
struct piece {
    const char *path;
    struct store_about about;
};

static int by_shard(const void *a, const void *b)
{
    const struct piece *one = a, *other = b;
    return one->about.shard.number < other->about.shard.number   ? -1
           : one->about.shard.number > other->about.shard.number ? 1
                                                                 : strcmp(one->path, other->path);
}

static void pass_over(void *context, const struct stored_point *point)
{
    (void)context;
    (void)point;
}

static bool whole(struct store *store, struct error *err)
{
    const struct shard *shard = &store_about(store)->shard;
    struct store_sum sum = store_sum(store);
    if (sum.have < sum.own) {
        return error_input(err, NULL,
                           "%s: shard %" PRIu32 "/%" PRIu32 " is not finished, %zu of its %zu "
                           "cells are there; run it again",
                           store_path(store), shard->number, shard->count, sum.have, sum.own);
    }
    return store_each_point(store, pass_over, NULL, err);
}

/* Looks at one of the files. */
static bool look(struct piece *piece, const struct piece *first, struct error *err)
{
    struct store *store = store_read(piece->path, err);
    struct error unused;
    if (!store) {
        return false;
    }
    bool good = whole(store, err) &&
                (piece == first || store_same(&first->about, store_about(store), piece->path, err));
    if (good) {
        piece->about = store_about_copy(store_about(store));
    }
    (void)store_close(store, &unused);
    return good;
}

static bool say_missing(const char *list, size_t missing, uint32_t all, struct error *err)
{
    static const char way[] =
        "expected all of them: s2flush run STUDY --shard K/N -o DIR makes one";
    if (missing == 1) {
        return error_input(err, NULL, "shard %s of %" PRIu32 " is missing, %s", list, all, way);
    }
    return error_input(err, NULL, "%zu shards of %" PRIu32 " are missing: %s%s; %s", missing, all,
                       list, missing > LISTED ? " ..." : "", way);
}

/* Sorted, none twice: names the numbers that are left out. */
static bool none_missing(const struct piece *pieces, size_t count, struct error *err)
{
    char list[LISTED * 8] = "";
    uint32_t all = pieces[0].about.shard.count;
    size_t next = 0, missing = 0;
    for (uint32_t number = 1; number <= all; number++) {
        if (next < count && pieces[next].about.shard.number == number) {
            next++;
        } else if (missing++ < LISTED) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%" PRIu32, used ? ", " : "", number);
        }
    }
    return missing == 0 || say_missing(list, missing, all, err);
}

/* Whether these are all shards of one study, each once and whole. */
static bool complete(char *const *paths, struct piece *pieces, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        pieces[i].path = paths[i];
        if (!look(&pieces[i], &pieces[0], err)) {
            return false;
        }
    }
    qsort(pieces, count, sizeof *pieces, by_shard);
    for (size_t i = 1; i < count; i++) {
        if (pieces[i - 1].about.shard.number == pieces[i].about.shard.number) {
            return error_input(err, NULL, "%s and %s are both shard %" PRIu32 "/%" PRIu32,
                               pieces[i - 1].path, pieces[i].path, pieces[i].about.shard.number,
                               pieces[i].about.shard.count);
        }
    }
    return none_missing(pieces, count, err);
}

/* --- making one of them --- */

static bool put_together(const struct piece *pieces, size_t count, struct store *store,
                         const char *folder, struct error *err)
{
    bool format[ROWS_FORMATS];
    for (size_t i = 0; i < count; i++) {
        if (!store_merge(store, pieces[i].path, err)) {
            return false;
        }
    }
    return rows_formats(pieces[0].about.text[STORE_FORMAT], format, err) &&
           export_write(store, format, folder, err) && store_none_failed(store, err);
}

static bool write_merged(const struct piece *pieces, size_t count, const char *folder,
                         const char *name, struct store_sum *sum, struct error *err)
{
    char path[OUTPUT_PATH];
    struct store_about about = pieces[0].about;
    if (!output_path(path, folder, name, err) || !output_folder_check(folder, err) ||
        !output_folder_make(folder, err)) {
        return false;
    }
    about.shard = (struct shard){1, 1};
    struct store *store = store_open(path, &about, false, err);
    if (!store) {
        return false;
    }
    struct error inner = {0};
    bool good = put_together(pieces, count, store, folder, err);
    *sum = store_sum(store);
    bool closed = store_close(store, &inner);
    if (good && !closed) {
        *err = inner;
    }
    return good && closed;
}

bool merge_shards(char *const *paths, size_t count, const char *folder, const char *store,
                  struct store_about *merged, struct store_sum *sum, struct error *err)
{
    struct piece *pieces = alloc_zeroed(count, sizeof *pieces, "shards");
    bool good =
        complete(paths, pieces, count, err) && write_merged(pieces, count, folder, store, sum, err);
    if (good) {
        *merged = store_about_copy(&pieces[0].about);
    }
    for (size_t i = 0; i < count; i++) {
        store_about_free(&pieces[i].about);
    }
    free(pieces);
    return good;
}
