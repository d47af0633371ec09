#include "report/words.h"

#include "report/quantity.h"
#include "vm/backing.h"

#include <stdio.h>
#include <string.h>

/* Of the granule: its page, and what a block of its tables maps. */
static const char *size_of(const char *granule, bool block)
{
    static const char *const sizes[][3] = {
        {"4K", "4 KiB", "2 MiB"}, {"16K", "16 KiB", "32 MiB"}, {"64K", "64 KiB", "512 MiB"}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(sizes[i][0], granule) == 0) {
            return sizes[i][1 + block];
        }
    }
    return granule;
}

char *words_leaf(const char *granule, const char *backing, char buf[WORDS_TEXT])
{
    const char *page = size_of(granule, false), *block = size_of(granule, true);
    const struct { /* with larger granules stage 2 has no leaves of 1 GiB */
        enum backing backing;
        const char *size, *more;
    } leaves[] = {{BACKING_4K, page, ""},
                  {BACKING_THP, block, ""},
                  {BACKING_HUGETLB, block, " (hugetlb)"},
                  {BACKING_HUGETLB_1G, strcmp(granule, "4K") == 0 ? "1 GiB" : block, " (hugetlb)"},
                  {BACKING_HUGETLB_SHARED, block, " (shared hugetlb)"},
                  {BACKING_SHARED, page, " (shared memory)"}};
    snprintf(buf, WORDS_TEXT, "leaves as the host has pages");
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        if (strcmp(backing_name[leaves[i].backing], backing) == 0) {
            snprintf(buf, WORDS_TEXT, "%s leaves%s", leaves[i].size, leaves[i].more);
        }
    }
    return buf;
}

/* How a value of an axis is said: what stands before and after it, and what its axis is
 * called beside a figure and in a sentence. */
static const struct spoken {
    const char *axis, *before, *one, *many, *title, *noun;
} spoken[] = {
    {"footprint", "", " in use", " in use", "memory in use", "memory in use"},
    {"ram", "", " of RAM", " of RAM", "memory of the VM", "RAM"},
    {"touched", "", " touched again", " touched again", "touched again, of what is in use",
     "what is touched again"},
    {"vcpus", "", " vCPU", " vCPUs", "vCPUs", "vCPUs"},
    {"workers", "", " flush worker", " flush workers", "flush workers", "flush workers"},
    {"dirty", "", " of cached lines dirty", " of cached lines dirty", "dirty, of cached lines",
     "what is dirty"},
    {"chunk", "chunks of ", "", "", "chunk after which mmu_lock is given up", "chunk"},
    {"kernel", "Linux ", "", "", "kernel", "kernel"},
    {"granule", "", " granule", " granule", "granule", "granule"},
    {"backing", "", " backing", " backing", "leaf size", "leaf size"},
    {"machine", "", "", "", "machine", "machine"},
    {"workload", "", "", "", "workload", "workload"},
};

static const struct spoken *spoken_of(const char *axis)
{
    for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++) {
        if (strcmp(spoken[i].axis, axis) == 0) {
            return &spoken[i];
        }
    }
    return NULL;
}

/* A name as a study has it; of a file in the study's own folder without "./" and ".ini". */
static void name_text(const char *value, char buf[QUANTITY_TEXT])
{
    const char *begin = strncmp(value, "./", 2) == 0 ? value + 2 : value;
    size_t length = strlen(begin);
    if (length > 4 && strcmp(begin + length - 4, ".ini") == 0) {
        length -= 4;
    }
    snprintf(buf, QUANTITY_TEXT, "%.*s", (int)(length < 90 ? length : 90), begin);
}

char *words_value(const char *key, const char *value, struct value_kind kind, char buf[WORDS_TEXT])
{
    const struct spoken *way = spoken_of(key);
    char text[QUANTITY_TEXT];
    double number;
    bool read = kind.number && unit_parse(value, kind.unit, &number);
    if (read) {
        quantity_value(number, kind.unit, text);
    } else {
        name_text(value, text);
    }
    if (way && read && number == 0 && strcmp(key, "chunk") == 0) {
        snprintf(buf, WORDS_TEXT, "the kernel's own chunks");
    } else if (way) {
        snprintf(buf, WORDS_TEXT, "%s%s%s", way->before, text,
                 read && number == 1 && kind.unit == UNIT_NONE ? way->one : way->many);
    } else {
        snprintf(buf, WORDS_TEXT, "%s %s", key, text);
    }
    return buf;
}

char *words_shorten(const char *axis, char *words)
{
    static const char again[] = " again";
    size_t length = strlen(words), end = length - (sizeof again - 1);
    if (strcmp(axis, "touched") == 0 && length >= sizeof again && strcmp(words + end, again) == 0) {
        words[end] = '\0';
    }
    return words;
}

const char *words_axis(const char *axis)
{
    const struct spoken *way = spoken_of(axis);
    return way ? way->title : axis;
}

const char *words_noun(const char *axis)
{
    const struct spoken *way = spoken_of(axis);
    return way ? way->noun : axis;
}

const char *words_metric(enum metric metric)
{
    static const char *const words[METRICS] = {
        [METRIC_added_boot_ns] = "added to the reboot",
        [METRIC_window_ns] = "time from the first re-init to the end",
        [METRIC_cpu_ns] = "processor time",
        [METRIC_pause_ns] = "longest hold of mmu_lock",
        [METRIC_stall_p50_ns] = "median stall of a vCPU",
        [METRIC_stall_p99_ns] = "99th percentile of a vCPU's stalls",
        [METRIC_stall_max_ns] = "longest stall of a vCPU",
        [METRIC_first_insn_ns] = "time to the first instruction",
        [METRIC_writeback_bytes] = "written back to memory",
        [METRIC_lines] = "lines cleaned",
        [METRIC_tlbi] = "TLB invalidations",
        [METRIC_faults] = "stage-2 faults"};
    return words[metric] ? words[metric] : metric_help[metric];
}
