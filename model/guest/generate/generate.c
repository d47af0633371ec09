#include "guest/generate/generate.h"

#include "core/error.h"
#include "core/portable_math.h"
#include "guest/generate/generate_plan.h"
#include "guest/linux_guest.h"
#include "guest/workload/workload.h"

#include <math.h>
#include <string.h>

/* Memory of the host that is read to push a guest's lines out of the caches:
 * more than any cache of the platforms. */
#define ELSEWHERE_BYTES (256 * MIB)

/* The pieces into which the cached share of a footprint is spread. */
#define CACHED_PIECES 32
#define LAST_PIECE_BYTES (4 * MIB) /* of three in four where the guest is large */

/* --- keys that follow from others --- */

static bool was_given(const bool *given, const char *key)
{
    for (size_t i = 0; i < workload_option_count; i++) {
        if (strcmp(workload_options[i].name, key) == 0) {
            return given[i];
        }
    }
    return false;
}

static void resolve_firmware(struct workload_values *values, const bool *given)
{
    bool uefi = values->firmware == FIRMWARE_UEFI;
    if (!was_given(given, "rewrite")) {
        uint64_t usual = uefi ? MIB : 34 * MIB;
        values->rewrite = usual < values->footprint ? usual : values->footprint;
    }
    if (!was_given(given, "mmu_on_bytes")) {
        values->mmu_on_bytes = uefi ? 4 * KIB : 36 * KIB;
    }
    if (!was_given(given, "mmu_on_places")) {
        values->mmu_on_places = uefi ? 1 : 5;
    }
    if (!was_given(given, "mmu_off_insns")) {
        values->mmu_off_insns = uefi ? 712 : 4426;
    }
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static uint64_t kernel_bytes(const struct workload_values *values)
{
    return values->firmware == FIRMWARE_UEFI ? 168 * MIB : 29 * MIB;
}

static uint64_t memory_map_bytes(const struct workload_values *values)
{
    return values->ram / 64;
}

/* Linux brings its other CPUs up when it has unpacked itself, cleared the memory map (a
 * struct page of 64 bytes for each page) and, where RAM ends above what 32-bit devices
 * reach, the bounce buffer for them. */
static uint64_t bytes_before_others(const struct workload_values *values)
{
    uint64_t bounce = values->ram_ipa + values->ram > 4 * GIB ? 64 * MIB : 0;
    return kernel_bytes(values) + memory_map_bytes(values) + bounce;
}

static void resolve_secondaries(struct workload_values *values, const bool *given)
{
    uint64_t map = memory_map_bytes(values);
    bool mode = was_given(given, "secondaries_after");
    if (!mode) {
        values->secondaries_after = bytes_before_others(values);
    }
    if (!was_given(given, "secondaries_after_min")) {
        uint64_t map_now = map < 2 * MIB ? map : 2 * MIB;
        values->secondaries_after_min =
            mode ? values->secondaries_after : kernel_bytes(values) + map_now;
    }
    if (!was_given(given, "secondaries_after_max")) {
        values->secondaries_after_max = values->secondaries_after + (mode ? 0 : map);
    }
}

/* What a boot touches grows with RAM: by the recorded boots of 256 MiB, 1 GiB and 4 GiB it is
 * 22 MiB and a 128th of RAM more than what comes before the other CPUs. A second boot touches as
 * much as a first one. */
static uint64_t boot_bytes(const struct workload_values *values)
{
    uint64_t bytes = bytes_before_others(values) + 22 * MIB + values->ram / 128;
    return round_up(bytes, PLAN_UNIT_BYTES);
}

static void resolve_touched(struct workload_values *values, const bool *given)
{
    double share = (double)boot_bytes(values) / (double)values->footprint;
    if (!was_given(given, "touched")) {
        values->touched = values->reset && share < 1 ? share : 1;
    }
}

/* The recorded boots execute 894 million instructions over the first 57.5 MiB, and 5,700 for each
 * further page. What a second boot touches where the file says it is any guest's work. */
static void resolve_insns(struct workload_values *values, const bool *given)
{
    const double usual_insns = 894.35e6, usual_pages = 14717, further_insns = 5700;
    double pages = values->touched * (double)values->footprint / (double)WORKLOAD_PAGE;
    bool boots = !values->reset || !was_given(given, "touched");
    if (!was_given(given, "insns_per_page") && boots && pages > usual_pages) {
        double insns = usual_insns + further_insns * (pages - usual_pages);
        values->insns_per_page = (uint64_t)(insns / pages);
    }
}

void generate_resolve(struct workload_values *values, const bool *given)
{
    if (!values->reset && !was_given(given, "footprint")) {
        uint64_t bytes = boot_bytes(values);
        values->footprint = bytes < values->ram ? bytes : values->ram;
    }
    resolve_firmware(values, given);
    if (!was_given(given, "ram")) {
        bool whole_gigs = values->footprint > 256 * MIB || values->backing == BACKING_HUGETLB_1G;
        values->ram = whole_gigs ? round_up(values->footprint, GIB) : 256 * MIB;
    }
    if (!was_given(given, "ipa_bits")) {
        values->ipa_bits = 40;
        while (values->ipa_bits < 52 && values->ram_ipa + values->ram > UINT64_C(1)
                                                                            << values->ipa_bits) {
            values->ipa_bits++;
        }
    }
    resolve_secondaries(values, given);
    resolve_touched(values, given);
    resolve_insns(values, given);
}

/* --- operations --- */

static void touch(struct plan *plan, uint32_t vcpu, enum touch_access access, uint64_t ipa,
                  uint64_t bytes)
{
    if (bytes > 0) {
        timeline_add(plan->timeline, vcpu,
                     (struct op){.kind = OP_TOUCH,
                                 .access = (uint8_t)access,
                                 .density = (uint16_t)plan->values->density,
                                 .ipa = ipa,
                                 .bytes = bytes,
                                 .count = 1});
    }
}

static void add(struct plan *plan, uint32_t vcpu, enum op_kind kind, uint64_t n, bool on)
{
    timeline_add(plan->timeline, vcpu, (struct op){.kind = (uint8_t)kind, .n = n, .on = on});
}

static void vmm_range(struct plan *plan, enum op_kind kind, uint64_t ipa, uint64_t bytes)
{
    if (bytes > 0) {
        timeline_add(plan->timeline, SCRIPT_VMM,
                     (struct op){.kind = (uint8_t)kind, .ipa = ipa, .bytes = bytes});
    }
}

static bool is_linux(const struct plan *plan)
{
    return plan->values->guest_maintenance == GUEST_LINUX;
}

/* Fetches from memory that the guest has written since. */
static void execute_written(struct plan *plan, uint32_t vcpu, uint64_t ipa, uint64_t bytes)
{
    if (bytes > 0 && is_linux(plan)) {
        linux_sync_code(plan->timeline, vcpu, ipa, bytes);
    }
    touch(plan, vcpu, TOUCH_FETCH, ipa, bytes);
}

static void mmu_on(struct plan *plan, uint32_t vcpu)
{
    add(plan, vcpu, OP_VMREGS, plan->values->vm_registers, false);
    add(plan, vcpu, OP_MMU, 0, true);
    if (is_linux(plan)) {
        linux_mmu_on(plan->timeline, vcpu);
    }
}

/* --- up to the reset --- */

/* A free range of guest addresses for memory that is not the guest's. */
static bool add_elsewhere(const char *file, struct plan *plan, uint32_t *slot, struct error *err)
{
    struct vm_shape *vm = &plan->timeline->vm;
    uint64_t top = UINT64_C(1) << vm->ipa_bits;
    for (uint64_t ipa = 0; ipa < top; ipa += ELSEWHERE_BYTES) {
        struct slot_shape shape = {.ipa = ipa, .bytes = ELSEWHERE_BYTES, .backing = BACKING_4K};
        struct error full;
        if (vm_shape_slot(vm, shape, &full)) {
            *slot = vm->slot_count - 1;
            return true;
        }
    }
    struct source_location at = {.file = file, .key = "ipa_bits"};
    return error_input(err, &at,
                       "no 256M of %u bits of address space are free beside the slots, expected "
                       "a larger ipa_bits or one slot less",
                       vm->ipa_bits);
}

/* The i-th page that the first vCPU uses with its MMU off. */
static uint64_t early_page(const struct workload_values *values, uint64_t i)
{
    uint64_t places = values->mmu_on_places;
    uint64_t gap = values->footprint / places;
    gap -= gap % (gap > PLAN_UNIT_BYTES ? PLAN_UNIT_BYTES : WORKLOAD_PAGE);
    return values->ram_ipa + i % places * gap + i / places * WORKLOAD_PAGE;
}

/* What the second boot executes, the first one executed: a guest starts from the
 * same places each time, and KVM has made them executable. */
static void execute_once(struct plan *plan)
{
    uint64_t early = plan->values->mmu_on_bytes / WORKLOAD_PAGE;
    for (uint64_t i = 0; i < early; i += 2) {
        execute_written(plan, 0, early_page(plan->values, i), WORKLOAD_PAGE);
    }
    for (uint64_t i = 0; i < plan->count; i++) {
        execute_written(plan, 0, plan->pieces[i].ipa, plan->pieces[i].execute_bytes);
    }
}

/* Everything is used once, by all vCPUs with their MMUs on, and then nothing of
 * it is in the caches. */
static void play_first_use(struct plan *plan, uint32_t elsewhere)
{
    const struct workload_values *values = plan->values;
    timeline_phase(plan->timeline, "boot1");
    vmm_range(plan, OP_FILL, values->ram_ipa, values->rewrite);
    for (uint32_t vcpu = 0; vcpu < values->vcpus; vcpu++) {
        add(plan, vcpu, OP_ENTER, 0, false);
        mmu_on(plan, vcpu);
    }
    touch(plan, 0, TOUCH_WRITE, values->ram_ipa, values->footprint);
    execute_once(plan);
    vmm_range(plan, OP_HOST_READ, plan->timeline->vm.slots[elsewhere].ipa, ELSEWHERE_BYTES);
    add(plan, SCRIPT_VMM, OP_SLOT_DELETE, elsewhere, false);
}

/* The page with which a piece of the last use begins. Caches hold what was used last, so
 * that its pieces are small however large the guest is. */
static uint64_t piece_start(uint64_t pages, uint64_t piece)
{
    const uint64_t fine = LAST_PIECE_BYTES / WORKLOAD_PAGE, coarse = CACHED_PIECES / 4;
    if (pages <= CACHED_PIECES * fine) {
        return pages * piece / CACHED_PIECES;
    }
    uint64_t before = pages - (CACHED_PIECES - coarse) * fine;
    return piece < coarse ? before * piece / coarse : before + (piece - coarse) * fine;
}

/* Brings the share that is cached at the reset into the caches, the dirty part
 * of it by writing. */
static void play_last_use(struct plan *plan)
{
    const struct workload_values *values = plan->values;
    uint64_t pages = values->footprint / WORKLOAD_PAGE;
    for (uint64_t i = 0; i < CACHED_PIECES; i++) {
        uint64_t start = piece_start(pages, i), end = piece_start(pages, i + 1);
        uint64_t cached = (uint64_t)llround(values->cached * (double)(end - start));
        uint64_t dirty = (uint64_t)llround(values->dirty * (double)cached);
        uint64_t ipa = values->ram_ipa + start * WORKLOAD_PAGE;
        touch(plan, 0, TOUCH_WRITE, ipa, dirty * WORKLOAD_PAGE);
        touch(plan, 0, TOUCH_READ, ipa + dirty * WORKLOAD_PAGE, (cached - dirty) * WORKLOAD_PAGE);
    }
}

/* Before a first boot nothing is mapped: its re-inits have nothing to do. */
static void play_reset(struct plan *plan)
{
    const struct workload_values *values = plan->values;
    timeline_phase(plan->timeline, values->reset ? "reset1" : "load");
    for (uint32_t vcpu = 0; vcpu < values->vcpus; vcpu++) {
        add(plan, SCRIPT_VMM, OP_REINIT, vcpu, false);
    }
    vmm_range(plan, OP_FILL, values->ram_ipa, values->rewrite);
    if (values->reset && values->dirty_log == BOOT_LOG_RESET) {
        add(plan, SCRIPT_VMM, OP_DIRTY_LOG, 0, false);
    }
}

/* --- the second boot --- */

static uint64_t signal_to(struct plan *plan, uint32_t from, uint32_t to)
{
    uint64_t signal = timeline_signal(plan->timeline);
    add(plan, from, OP_SIGNAL, signal, false);
    add(plan, to, OP_WAIT, signal, false);
    return signal;
}

/* What Linux does about a page that it uses with its MMU off. With UEFI the first one holds
 * the device tree, which firmware reads with its MMU off, too (EDK II,
 * QemuVirtMemInfoPeiLibConstructor; newer firmware does so with its MMU on). */
static void linux_uses_early(struct plan *plan, uint64_t ipa, bool written)
{
    uint16_t density = (uint16_t)plan->values->density;
    if (!is_linux(plan)) {
        return;
    }
    if (written) {
        linux_read_tables(plan->timeline, 0, ipa, WORKLOAD_PAGE, density);
        linux_invalidate(plan->timeline, 0, ipa, WORKLOAD_PAGE);
    } else {
        linux_read_literals(plan->timeline, 0, ipa, WORKLOAD_PAGE, density);
    }
}

/* The first vCPU's first pages, with its MMU off: every second one is fetched,
 * the others (its first tables and its stack) are written, and read again as
 * soon as the MMU is on. */
static void play_mmu_off(struct plan *plan)
{
    const struct workload_values *values = plan->values;
    uint64_t pages = values->mmu_on_bytes / WORKLOAD_PAGE;
    for (uint64_t i = 0; i < pages; i++) {
        bool written = i % 2 == 1;
        touch(plan, 0, written ? TOUCH_WRITE : TOUCH_FETCH, early_page(values, i), WORKLOAD_PAGE);
        linux_uses_early(plan, early_page(values, i), written);
        uint64_t until = values->mmu_off_insns * (i + 1) / pages;
        add(plan, 0, OP_INSNS, until - values->mmu_off_insns * i / pages, false);
    }
    mmu_on(plan, 0);
    for (uint64_t i = 1; i < pages; i += 2) {
        touch(plan, 0, TOUCH_READ, early_page(values, i), WORKLOAD_PAGE);
        if (is_linux(plan)) { /* a piece that is executed may lie over it */
            linux_sync_code(plan->timeline, 0, early_page(values, i), WORKLOAD_PAGE);
        }
    }
}

static void play_piece(struct plan *plan, uint32_t vcpu, const struct piece *piece)
{
    touch(plan, vcpu, piece->write ? TOUCH_WRITE : TOUCH_READ, piece->ipa, piece->bytes);
    if (piece->write) {
        execute_written(plan, vcpu, piece->ipa, piece->execute_bytes);
    } else {
        touch(plan, vcpu, TOUCH_FETCH, piece->ipa, piece->execute_bytes);
    }
    uint64_t pages = piece->bytes / WORKLOAD_PAGE;
    add(plan, vcpu, OP_INSNS, u64_mul(pages, plan->values->insns_per_page, "instructions"), false);
}

/* Goes back to one of the pieces touched so far: rank r with probability about
 * 1 / r^s. */
static void play_again(struct plan *plan, uint32_t vcpu, uint64_t known)
{
    double s = plan->values->zipf_exponent, n = (double)(known + 1);
    double u = (double)(plan_draw(plan) >> 11) * 0x1p-53;
    double rank = fabs(s - 1) < 1e-9
                      ? portable_pow(n, u)
                      : portable_pow(u * (portable_pow(n, 1 - s) - 1) + 1, 1 / (1 - s));
    uint64_t index = rank < 1 ? 0 : (uint64_t)rank - 1;
    const struct piece *piece = &plan->pieces[index < known ? index : known - 1];
    touch(plan, vcpu, TOUCH_READ, piece->ipa, piece->bytes);
}

static uint32_t who_touches(const struct plan *plan, uint64_t piece)
{
    return piece < plan->alone ? 0 : (uint32_t)((piece - plan->alone) % plan->values->vcpus);
}

/* A page of data that the first vCPU has written when it brings the others up. */
static bool shared_page(const struct plan *plan, uint64_t *ipa)
{
    *ipa = early_page(plan->values, 1);
    bool found = plan->values->mmu_on_bytes >= 2 * WORKLOAD_PAGE;
    for (uint64_t i = 0; i < plan->alone && !found; i++) {
        *ipa = plan->pieces[i].ipa;
        found = plan->pieces[i].write && plan->pieces[i].bytes >= WORKLOAD_PAGE;
    }
    return found;
}

/* Linux brings vCPUs up one after another and waits for each. */
static void bring_up(struct plan *plan)
{
    const struct workload_values *values = plan->values;
    uint16_t density = (uint16_t)values->density;
    uint64_t data;
    bool shared = is_linux(plan) && shared_page(plan, &data);
    for (uint32_t vcpu = 1; vcpu < values->vcpus; vcpu++) {
        if (shared) {
            linux_prepare_secondary(plan->timeline, data, density);
        }
        signal_to(plan, 0, vcpu);
        add(plan, vcpu, OP_ENTER, 0, false);
        touch(plan, vcpu, TOUCH_FETCH, values->ram_ipa, WORKLOAD_PAGE);
        if (shared) {
            linux_start_secondary(plan->timeline, vcpu, values->ram_ipa, data, density);
        }
        mmu_on(plan, vcpu);
        if (shared) {
            linux_secondary_on(plan->timeline, vcpu, data, density);
        }
        signal_to(plan, vcpu, 0);
    }
}

static void play_boot(struct plan *plan)
{
    bool zipf = plan->values->order == ORDER_ZIPF;
    timeline_phase(plan->timeline, plan->values->reset ? "boot2" : "boot1");
    plan->timeline->serial = false;
    signal_to(plan, SCRIPT_VMM, 0);
    add(plan, 0, OP_ENTER, 0, false);
    play_mmu_off(plan);
    for (uint64_t i = 0; i < plan->count; i++) {
        if (i == plan->alone) {
            bring_up(plan);
        }
        uint32_t vcpu = who_touches(plan, i);
        play_piece(plan, vcpu, &plan->pieces[i]);
        if (zipf) {
            play_again(plan, vcpu, i + 1);
        }
    }
    if (plan->alone == plan->count) {
        bring_up(plan);
    }
}

/* --- after it --- */

static void end_logging(struct plan *plan)
{
    for (uint32_t vcpu = 0; vcpu < plan->values->vcpus; vcpu++) {
        signal_to(plan, vcpu, SCRIPT_VMM);
    }
    add(plan, SCRIPT_VMM, OP_DIRTY_LOG, 0, false);
    for (uint32_t vcpu = 0; vcpu < plan->values->vcpus; vcpu++) {
        signal_to(plan, SCRIPT_VMM, vcpu);
    }
}

static void play_later(struct plan *plan)
{
    timeline_phase(plan->timeline, "use2");
    for (uint64_t pass = 0; pass < plan->values->later_passes; pass++) {
        for (uint64_t i = 0; i < plan->count; i++) {
            touch(plan, who_touches(plan, i), TOUCH_READ, plan->pieces[i].ipa,
                  plan->pieces[i].bytes);
        }
    }
}

/* The range of what the first vCPU touches alone has its mode within. */
static bool check_secondaries(const char *file, const struct workload_values *values,
                              struct error *err)
{
    uint64_t mode = values->secondaries_after;
    bool low = values->secondaries_after_min > mode;
    if (!low && values->secondaries_after_max >= mode) {
        return true;
    }
    char found[48], wanted[48];
    struct source_location at = {file, 0, low ? "secondaries_after_min" : "secondaries_after_max"};
    unit_format_whole(low ? values->secondaries_after_min : values->secondaries_after_max,
                      UNIT_BYTES, found, sizeof found);
    unit_format_whole(mode, UNIT_BYTES, wanted, sizeof wanted);
    return error_input(err, &at, "found %s, expected at %s secondaries_after, %s", found,
                       low ? "most" : "least", wanted);
}

static bool check_keys(const char *file, const struct workload_values *values, struct error *err)
{
    struct source_location at = {.file = file};
    char found[48], max[48];
    at.key = values->footprint > values->ram ? "footprint" : "rewrite";
    uint64_t bytes = values->footprint > values->ram ? values->footprint : values->rewrite;
    uint64_t limit = values->footprint > values->ram ? values->ram : values->footprint;
    unit_format_whole(bytes, UNIT_BYTES, found, sizeof found);
    unit_format_whole(limit, UNIT_BYTES, max, sizeof max);
    if (bytes > limit) {
        return error_input(err, &at, "found %s, expected at most %s, the %s", found, max,
                           limit == values->ram ? "ram" : "footprint");
    }
    if (values->footprint % (64 * KIB) || values->rewrite % WORKLOAD_PAGE ||
        values->mmu_on_bytes % WORKLOAD_PAGE) {
        at.key = "footprint";
        return error_input(err, &at,
                           "expected whole multiples of 64K for footprint, of 4K for "
                           "rewrite and mmu_on_bytes");
    }
    if (values->mmu_on_bytes / values->mmu_on_places + WORKLOAD_PAGE >
        values->footprint / values->mmu_on_places) {
        at.key = "mmu_on_bytes";
        return error_input(err, &at, "found as much as the footprint of %s, expected less", max);
    }
    return check_secondaries(file, values, err);
}

bool generate_boot(const char *file, const struct workload_values *values,
                   struct timeline *timeline, struct error *err)
{
    struct plan plan = {.values = values, .timeline = timeline};
    uint32_t elsewhere = 0;
    if (!check_keys(file, values, err) ||
        (values->reset && !add_elsewhere(file, &plan, &elsewhere, err))) {
        return false;
    }
    timeline->serial = true;
    plan_make(&plan);
    if (values->reset) {
        play_first_use(&plan, elsewhere);
        timeline_phase(timeline, "use1");
        if (values->dirty_log != BOOT_LOG_NO) {
            add(&plan, SCRIPT_VMM, OP_DIRTY_LOG, 0, true);
        }
        play_last_use(&plan);
    }
    play_reset(&plan);
    play_boot(&plan);
    if (values->reset && values->dirty_log == BOOT_LOG_BOOT) {
        end_logging(&plan);
    }
    play_later(&plan);
    plan_free(&plan);
    return true;
}
