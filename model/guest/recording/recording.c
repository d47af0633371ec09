/* Recordings: what the comment lines say, and the way from file to timeline. */
#include "guest/recording/recording.h"

#include "core/error.h"
#include "core/invariant.h"
#include "core/units.h"
#include "guest/recording/recording_rows.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_VCPUS 512
#define MOST_RAM_MIB (UINT64_C(1) << 32)

/* --- comment lines --- */

/* The text after "KEY:" or "KEY (...):" of the first comment that starts so. */
static const char *comment(const struct csv *table, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < table->comment_count; i++) {
        const char *text = table->comments[i] + strspn(table->comments[i], " \t");
        if (strncmp(text, key, length) == 0 && strchr(" (:", text[length])) {
            const char *colon = strchr(text, ':');
            return colon ? colon + 1 + strspn(colon + 1, " \t") : NULL;
        }
    }
    return NULL;
}

/* Copies up to the first of `stops`; false where that is empty or too long. */
static bool copy_until(char *buf, size_t size, const char *text, const char *stops)
{
    size_t length = strcspn(text, stops);
    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(buf, text, length);
    buf[length] = '\0';
    return true;
}

static bool describe_name(const struct csv *table, struct recording_info *info, struct error *err)
{
    const char *name = comment(table, "name");
    if (!name) {
        const char *slash = strrchr(table->path, '/');
        name = slash ? slash + 1 : table->path;
    }
    size_t length = strlen(name);
    size_t end = length > 4 && strcmp(name + length - 4, ".csv") == 0 ? length - 4 : length;
    while (end > 0 && isspace((unsigned char)name[end - 1])) {
        end--;
    }
    if (end == 0 || end >= sizeof info->name) {
        return error_input(err, &(struct source_location){.file = table->path},
                           "the recording's name is empty or longer than %zu characters",
                           sizeof info->name - 1);
    }
    memcpy(info->name, name, end);
    info->name[end] = '\0';
    return true;
}

/* The first "6.1" among the words after "Linux". */
static bool describe_kernel(const char *host, struct recording_info *info)
{
    const char *at = host ? strstr(host, "Linux ") : NULL;
    for (at = at ? strchr(at, ' ') : NULL; at; at = strchr(at, ' ')) {
        at += strspn(at, " ");
        size_t major = strspn(at, "0123456789");
        if (major > 0 && at[major] == '.') {
            size_t minor = strspn(at + major + 1, "0123456789");
            size_t length = major + 1 + minor;
            if (minor == 0 || length >= sizeof info->kernel) {
                return false;
            }
            memcpy(info->kernel, at, length);
            info->kernel[length] = '\0';
            return true;
        }
    }
    return false;
}

static bool describe_host(const struct csv *table, struct recording_info *info, struct error *err)
{
    struct source_location at = {.file = table->path};
    const char *host = comment(table, "host");
    if (!describe_kernel(host, info)) {
        return error_input(err, &at, "no comment '# host: Linux ... 6.1...' names the kernel");
    }
    const char *cpu = strstr(host, "-cpu ");
    if (!cpu || !copy_until(info->cpu, sizeof info->cpu, cpu + strlen("-cpu "), " ,;(")) {
        return error_input(err, &at, "no comment '# host: ... -cpu NAME' names the CPU");
    }
    return true;
}

/* Takes `before` and the number that follows it off the text. */
static bool take_number(const char **text, const char *before, uint64_t *value)
{
    size_t length = strlen(before);
    char *end;
    if (strncmp(*text, before, length) != 0 || !isdigit((unsigned char)(*text)[length])) {
        return false;
    }
    *value = strtoull(*text + length, &end, 0);
    *text = end;
    return true;
}

static bool describe_guest(const struct csv *table, struct recording_info *info, struct error *err)
{
    const char *guest = comment(table, "guest");
    const char *ram = guest ? strstr(guest, "RAM ") : NULL;
    uint64_t mib = 0, start = 0, vcpus = 0;
    struct source_location at = {.file = table->path};
    if (!ram || !take_number(&ram, "RAM ", &mib) || !take_number(&ram, " MiB at IPA ", &start) ||
        !take_number(&ram, ", ", &vcpus) || strncmp(ram, " vCPU", 5) != 0) {
        return error_input(err, &at,
                           "no comment '# guest: ... RAM N MiB at IPA 0xN, N vCPU' says what "
                           "the VM is");
    }
    if (mib == 0 || mib > MOST_RAM_MIB || vcpus == 0 || vcpus > MOST_VCPUS ||
        start % (2 * MIB) != 0) {
        return error_input(err, &at, "a VM with %llu MiB of RAM at 0x%llx and %llu vCPUs",
                           (unsigned long long)mib, (unsigned long long)start,
                           (unsigned long long)vcpus);
    }
    info->ram_bytes = mib * MIB;
    info->ram_start = start;
    info->vcpus = (uint32_t)vcpus;
    const char *firmware = strstr(guest, "firmware: ");
    firmware = firmware ? firmware + strlen("firmware: ") : "";
    info->uefi = strncmp(firmware, "efi", 3) == 0 || strncmp(firmware, "uefi", 4) == 0;
    return true;
}

/* A comment of its own says it first of all. */
static bool recorded_backing(const struct csv *table, struct recording_info *info)
{
    const char *text = comment(table, "backing");
    for (int i = 0; text && i < BACKINGS; i++) {
        size_t length = strlen(backing_name[i]);
        if (strncmp(text, backing_name[i], length) == 0 &&
            text[length + strspn(text + length, " \t\r")] == '\0') {
            info->backing = (enum backing)i;
            return true;
        }
    }
    return false;
}

/* Else the backing is a part of the name; where it is not, the host's setting of
 * transparent huge pages decides. */
static bool describe_backing(const struct csv *table, struct recording_info *info,
                             struct error *err)
{
    static const struct {
        const char *word;
        enum backing backing;
    } words[] = {{"-4k-", BACKING_4K},           {"-hugetlb-1g-", BACKING_HUGETLB_1G},
                 {"-1g-", BACKING_HUGETLB_1G},   {"-hugetlb-shared-", BACKING_HUGETLB_SHARED},
                 {"-hugetlb-", BACKING_HUGETLB}, {"-shm-", BACKING_SHARED},
                 {"-2m-", BACKING_THP},          {"-thp-", BACKING_THP}};
    char name[sizeof info->name + 2];
    if (recorded_backing(table, info)) {
        return true;
    }
    snprintf(name, sizeof name, "-%s-", info->name);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(name, words[i].word)) {
            info->backing = words[i].backing;
            return true;
        }
    }
    const char *host = comment(table, "host");
    info->backing = host && strstr(host, "THP always") ? BACKING_THP : BACKING_4K;
    if (host && strstr(host, "THP ")) {
        return true;
    }
    return error_input(err, &(struct source_location){.file = table->path},
                       "neither the name '%s' nor a comment says how RAM is backed (4k, 2m, "
                       "hugetlb, 1g, shm)",
                       info->name);
}

/* What the comments and the file's name say. */
static bool describe(const struct csv *table, struct recording_info *info, struct error *err)
{
    return describe_name(table, info, err) && describe_host(table, info, err) &&
           describe_guest(table, info, err) && describe_backing(table, info, err);
}

/* --- from file to timeline --- */

static uint64_t leaf_of(enum backing backing)
{
    switch (backing) {
    case BACKING_THP:
    case BACKING_HUGETLB:
    case BACKING_HUGETLB_SHARED:
        return 2 * MIB;
    case BACKING_HUGETLB_1G:
        return GIB;
    case BACKING_4K:
    case BACKING_SHARED:
    case BACKINGS:
        break;
    }
    return 4 * KIB;
}

static bool check_backing(const char *path, const struct recording_keys *keys,
                          const struct recording_info *info, struct error *err)
{
    INVARIANT(keys->backing >= 0 && keys->backing <= BACKINGS, "backing %d", keys->backing);
    if (keys->backing == BACKINGS ||
        leaf_of((enum backing)keys->backing) >= leaf_of(info->backing)) {
        return true;
    }
    return error_input(err, &(struct source_location){.file = path},
                       "recorded on '%s' memory, whose rows do not say which smaller pages were "
                       "touched; it cannot be played on '%s', expected backing = %s or as-recorded",
                       backing_name[info->backing], backing_name[keys->backing],
                       backing_name[info->backing]);
}

static bool build(const struct csv *table, const struct recording_keys *keys,
                  struct timeline *timeline, struct recording_info *info, struct error *err)
{
    struct rows rows = {0};
    bool built = recording_rows(table, info->vcpus, &rows, err) &&
                 recording_slots(&rows, info, keys, &timeline->vm, err) &&
                 recording_ops(&rows, keys, timeline, info, err);
    free(rows.row);
    return built;
}

bool recording_read(const char *path, const struct recording_keys *keys, struct timeline *timeline,
                    struct recording_info *info, struct error *err)
{
    struct csv table;
    *info = (struct recording_info){0};
    if (!csv_read(path, &table, err)) {
        return false;
    }
    bool read = describe(&table, info, err) && check_backing(path, keys, info, err);
    if (read) {
        timeline_init(timeline, info->name, true, info->vcpus);
        snprintf(timeline->title, sizeof timeline->title, "recorded on %.31s, Linux %.31s",
                 info->cpu, info->kernel);
        timeline->vm.off_access_share = keys->off_access_share;
        read = build(&table, keys, timeline, info, err);
        if (!read) {
            timeline_free(timeline);
        }
    }
    csv_free(&table);
    return read;
}
