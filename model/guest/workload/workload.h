/*
 * workload - a workload file: a VM, and what happens in it.
 *
 * A file gives [workload] and [vm], further memory slots as [slot NAME], and
 * one of
 *   recording = FILE   a recorded boot, played as it was recorded
 *   [timeline]         operations written out, one a line
 *   [boot]             a generated use, reboot and second boot
 * Every key of [workload], [vm] and [boot] can be an axis of a study or be set
 * on the command line; the timeline is built anew for each. The grammar is in
 * workloads/README.md.
 */
#ifndef S2FLUSH_GUEST_WORKLOAD_WORKLOAD_H
#define S2FLUSH_GUEST_WORKLOAD_WORKLOAD_H

#include "core/option.h"
#include "guest/timeline.h"

struct error;
struct source_location;

struct workload;

/* Reads the workload of that name: a path to a file, or the name of one under
 * the data folder's workloads/. NULL with one line in err. */
struct workload *workload_read(const char *name, struct error *err);

/* Whether the name is that of a workload, or of a file that has sections of one. */
bool workload_is(const char *name);

/* A copy to set keys in. */
struct workload *workload_copy(const struct workload *workload);
void workload_free(struct workload *workload);

/* Sets one key ("ram", "touched", ...) as an axis or --set does. Keys of a
 * generated boot that follow from it and were not given follow again. */
bool workload_set(struct workload *workload, const char *key, const char *text,
                  const struct source_location *at, struct error *err);

/* The key of that name; NULL: there is none. */
const struct option_row *workload_key(const char *key);

/* What takes the place of a key that earlier versions had; NULL: there was none. */
const char *workload_former_key(const char *key);

/* Builds the timeline that the keys describe; checks what depends on several
 * keys at once. The caller frees it with timeline_free. */
bool workload_build(const struct workload *workload, struct timeline *timeline, struct error *err);

/* Where the other vCPUs come up, in bytes that were touched before: known as a range, low to high
 * around the mode. False: it has no part in the workload, or is one value. */
bool workload_range(const struct workload *workload, double *low, double *mode, double *high);

/* Puts an amount in the place of the range's mode. */
void workload_in_range(struct workload *workload, double bytes);

/* Whether a key of it says something of what happens, and no recording or [timeline] in its place.
 */
bool workload_says(const struct workload *workload, const char *key);

/* Why a key of it changes nothing in what is played, and the way out; NULL: it does. */
const char *workload_without_effect(const struct workload *workload, const char *key);

const char *workload_name(const struct workload *workload);
const char *workload_title(const struct workload *workload);

/* All keys, for listings and the echo of resolved values; `workload_values`
 * is the struct that option_format reads them from. */
extern const struct option_row workload_options[];
extern const size_t workload_option_count;

/* The keys of a [slot NAME] section, in a struct that only the reader knows. */
extern const struct option_row workload_slot_options[];
extern const size_t workload_slot_option_count;

const void *workload_values(const struct workload *workload);

#endif
