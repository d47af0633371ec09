/* A workload's keys, slots and lines put together into a timeline. */
#include "core/error.h"
#include "guest/generate/generate.h"
#include "guest/recording/recording.h"
#include "guest/workload/workload.h"
#include "guest/workload/workload_values.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- slots --- */

/* What one [slot NAME] section sets. */
struct slot_keys {
    uint64_t ipa, bytes, misalign;
    enum backing backing;
    bool code, read_only;
};

#define SLOT(field) .section = "slot", .name = #field, OPTION_FIELD(struct slot_keys, field)
const struct option_row workload_slot_options[] = {
    {SLOT(ipa), .unit = UNIT_ADDRESS, .high = 4503599627370496.0,
     .help = "where the slot begins in the guest's address space"},
    {SLOT(bytes), .unit = UNIT_BYTES, .low = 1, .high = 4503599627370496.0, .help = "its size"},
    {SLOT(misalign), .unit = UNIT_BYTES, .high = 1 << 30, .fallback = "0",
     .help = "guest address less VMM address, modulo the block size"},
    {SLOT(backing), .choices = CHOICES_OF(BACKING_CHOICES), .fallback = "4k",
     .help = "host pages behind it"},
    {SLOT(code), .fallback = "no", .help = "it holds code, whose faults are counted apart"},
    {SLOT(read_only), .fallback = "no", .help = "the guest's writes go to the VMM"},
};
#define SLOT_OPTIONS (sizeof workload_slot_options / sizeof *workload_slot_options)
const size_t workload_slot_option_count = SLOT_OPTIONS;

static struct named_slot *slot_of_section(struct slot_list *list, const char *name,
                                          const struct source_location *at, struct error *err)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->slots[i].name, name) == 0) {
            return &list->slots[i];
        }
    }
    bool number = name[0] >= '0' && name[0] <= '9';
    if (strcmp(name, "ram") == 0 || number || strpbrk(name, "+ \t")) {
        error_input(err, at,
                    "found [slot %.40s], expected a name with a letter first and no "
                    "blank or '+', other than ram",
                    name);
        return NULL;
    }
    if (list->count == TIMELINE_SLOTS - 1) {
        error_input(err, at, "found more than %d slots beside RAM", TIMELINE_SLOTS - 1);
        return NULL;
    }
    struct named_slot *slot = &list->slots[list->count++];
    *slot = (struct named_slot){.line = at->line};
    snprintf(slot->name, sizeof slot->name, "%s", name);
    return slot;
}

bool workload_slot_line(struct slot_list *list, const char *slot_name, const char *name,
                        const char *value, const struct source_location *at, struct error *err)
{
    struct named_slot *slot = slot_of_section(list, slot_name, at, err);
    if (!slot) {
        return false;
    }
    struct slot_shape *shape = &slot->shape;
    struct slot_keys keys = {.ipa = shape->ipa,
                             .bytes = shape->bytes,
                             .misalign = shape->misalign,
                             .backing = shape->backing,
                             .code = shape->code,
                             .read_only = shape->read_only};
    if (!option_assign(workload_slot_options, SLOT_OPTIONS, "slot", name, value, &keys, at, err)) {
        return false;
    }
    *shape = (struct slot_shape){.ipa = keys.ipa,
                                 .bytes = keys.bytes,
                                 .misalign = keys.misalign,
                                 .backing = keys.backing,
                                 .code = keys.code,
                                 .read_only = keys.read_only};
    return true;
}

/* --- building --- */

static const uint64_t granules[] = {
    [GRANULE_4K] = 4 * KIB, [GRANULE_16K] = 16 * KIB, [GRANULE_64K] = 64 * KIB};

static enum backing ram_backing(const struct workload_values *values)
{
    return values->backing == BACKINGS ? BACKING_4K : values->backing;
}

static struct slot_list all_slots(const struct workload *workload)
{
    const struct workload_values *values = &workload->values;
    struct slot_list all = {.count = 1};
    all.slots[0] = (struct named_slot){.name = "ram",
                                       .shape = {.ipa = values->ram_ipa,
                                                 .bytes = values->ram,
                                                 .misalign = values->ram_misalign,
                                                 .backing = ram_backing(values)}};
    for (uint32_t i = 0; i < workload->slots.count; i++) {
        all.slots[all.count++] = workload->slots.slots[i];
    }
    return all;
}

/* The largest leaf that the memory behind a slot may be mapped by. */
static uint64_t largest_leaf(const struct slot_shape *shape, uint64_t granule)
{
    return shape->backing == BACKING_HUGETLB_1G ? GIB : granule * (granule / 8);
}

static bool check_slot(const struct named_slot *slot, uint64_t granule,
                       const struct source_location *at, struct error *err)
{
    const struct slot_shape *shape = &slot->shape;
    if (shape->bytes == 0) {
        return error_input(err, at, "slot %s has no bytes, expected a key bytes", slot->name);
    }
    if (shape->backing == BACKING_HUGETLB_1G && granule == 64 * KIB) {
        return error_input(err, at,
                           "slot %s: hosts with pages of 64K have no huge pages of 1 GiB, expected "
                           "backing = hugetlb (512 MiB) or thp, or granule = 4K or 16K",
                           slot->name);
    }
    if (shape->ipa % granule || shape->bytes % granule || shape->misalign % granule) {
        return error_input(err, at,
                           "slot %s: found ipa %#llx, %llu bytes, misalign %llu, expected whole "
                           "pages of %lluK",
                           slot->name, (unsigned long long)shape->ipa,
                           (unsigned long long)shape->bytes, (unsigned long long)shape->misalign,
                           (unsigned long long)(granule / KIB));
    }
    uint64_t leaf = largest_leaf(shape, granule);
    if (shape->misalign >= leaf) {
        return error_input(err, at,
                           "slot %s: found misalign %lluK, expected less than the largest leaf, "
                           "%lluK: %lluK more or less come to the same",
                           slot->name, (unsigned long long)(shape->misalign / KIB),
                           (unsigned long long)(leaf / KIB), (unsigned long long)(leaf / KIB));
    }
    return true;
}

static bool add_slots(const struct workload *workload, const struct slot_list *slots,
                      struct timeline *timeline, struct error *err)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        const struct named_slot *slot = &slots->slots[i];
        struct source_location at = {.file = workload->path, .line = slot->line, .key = "slot"};
        struct error inner;
        if (!check_slot(slot, timeline->vm.granule_bytes, &at, err)) {
            return false;
        }
        if (!vm_shape_slot(&timeline->vm, slot->shape, &inner)) {
            return error_input(err, &at, "%s: %s", slot->name, inner.text);
        }
    }
    return true;
}

static void set_vm(const struct workload_values *values, struct vm_shape *vm)
{
    vm->granule_bytes = granules[values->granule];
    vm->ipa_bits = (uint32_t)values->ipa_bits;
    vm->copies = (uint32_t)values->copies;
    vm->s1_levels = (uint32_t)values->s1_levels;
    vm->s1_page_bytes = values->s1_page;
    vm->off_access_share = values->off_access_share;
    vm->off_access_bytes = values->off_access_bytes;
    vm->placement = values->placement;
    vm->reset_stops_vcpus = values->reset_stops_vcpus;
}

static bool build_written(const struct workload *workload, struct timeline *timeline,
                          struct error *err)
{
    const struct workload_values *values = &workload->values;
    struct slot_list slots = all_slots(workload);
    bool serial = workload->timeline_line && values->play == PLAY_SERIAL;
    timeline_init(timeline, values->name, serial, (uint32_t)values->vcpus);
    set_vm(values, &timeline->vm);
    if (!add_slots(workload, &slots, timeline, err)) {
        return false;
    }
    struct source_location at = {.file = workload->path};
    return workload->boot_line ? generate_boot(workload->path, values, timeline, err) &&
                                     timeline_fits(timeline, &at, err)
                               : workload_play_lines(workload->path, &workload->lines, &slots,
                                                     (uint16_t)values->density, timeline, err);
}

/* Keys that a recording answers itself. */
bool workload_check_recorded(const struct workload *workload, struct error *err)
{
    static const char *const fixed[] = {"ram",     "ram_ipa",  "ram_misalign",
                                        "granule", "ipa_bits", "vcpus"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (workload_given(workload, fixed[i])) {
            struct source_location at = {.file = workload->path, .key = fixed[i]};
            return error_input(err, &at,
                               "is set by the recording, expected no such key, or a workload "
                               "with a [boot] such as generated-boot");
        }
    }
    if (workload->slots.count > 0) {
        struct source_location at = {.file = workload->path, .line = workload->slots.slots[0].line};
        return error_input(err, &at, "found [slot %s], but the recording has slots of its own",
                           workload->slots.slots[0].name);
    }
    return true;
}

/* Whether the file has the recording that it names, and nothing else to play. */
static bool check_recording(const struct workload *workload, const char *path, struct error *err)
{
    struct source_location at = {.file = workload->path, .key = "recording"};
    if (workload->boot_line || workload->timeline_line) {
        return error_input(err, &at,
                           "found '%.80s' beside a [%s], which says what is played; expected a "
                           "workload that is a recording, such as workload=recorded-4k",
                           workload->values.recording, workload->boot_line ? "boot" : "timeline");
    }
    return access(path, F_OK) == 0 ||
           error_input(err, &at,
                       "found '%.80s', and there is no %.200s: expected the path of a recorded "
                       "boot's CSV from the folder of the workload's file on, such as "
                       "recorded/n1-q-256m-c1-4k-f128.csv",
                       workload->values.recording, path);
}

static bool build_recorded(const struct workload *workload, struct timeline *timeline,
                           struct error *err)
{
    const struct workload_values *values = &workload->values;
    struct recording_keys keys = {.density = (uint16_t)values->density,
                                  .off_access_share = values->off_access_share,
                                  .vm_registers = values->vm_registers,
                                  .linux_guest = values->guest_maintenance == GUEST_LINUX,
                                  .backing = values->backing};
    struct recording_info info;
    char path[sizeof workload->path + sizeof values->recording];
    const char *slash = strrchr(workload->path, '/');
    int folder = slash && values->recording[0] != '/' ? (int)(slash - workload->path) + 1 : 0;
    snprintf(path, sizeof path, "%.*s%s", folder, workload->path, values->recording);
    if (!check_recording(workload, path, err) || !workload_check_recorded(workload, err) ||
        !recording_read(path, &keys, timeline, &info, err)) {
        return false;
    }
    timeline->vm.copies = (uint32_t)values->copies;
    timeline->vm.s1_levels = (uint32_t)values->s1_levels;
    timeline->vm.s1_page_bytes = values->s1_page;
    timeline->vm.off_access_bytes = values->off_access_bytes;
    timeline->vm.placement = values->placement;
    timeline->vm.reset_stops_vcpus = values->reset_stops_vcpus;
    return true;
}

bool workload_build(const struct workload *workload, struct timeline *timeline, struct error *err)
{
    const struct workload_values *values = &workload->values;
    if (values->recording[0] != '\0') {
        if (!build_recorded(workload, timeline, err)) {
            return false;
        }
    } else if (!build_written(workload, timeline, err)) {
        timeline_free(timeline);
        return false;
    }
    snprintf(timeline->name, sizeof timeline->name, "%s", values->name);
    snprintf(timeline->title, sizeof timeline->title, "%s", values->title);
    return true;
}
