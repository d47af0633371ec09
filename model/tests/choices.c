/* Choices out of bytes, and the workload file that they make. */
#include "choices.h"

#include "core/invariant.h"

#include <stdarg.h>
#include <stdio.h>

#define LINES_MAX 48

/* A first byte from here on asks for prefaults, chunks and more VMs, and from there on for all
 * operations. Others mean what they always meant, so that past findings stay what they are. */
#define WITH_MORE 0xf0
#define WITH_ALL 0xf8

void choices_begin(struct choices *choices, const uint8_t *data, size_t size)
{
    choices->at = data;
    choices->end = data + size;
    choices->used = 0;
    choices->logs = false;
    choices->more = size > 0 && data[0] >= WITH_MORE;
    choices->all = size > 0 && data[0] >= WITH_ALL;
    choices->at += choices->more;
}

unsigned choose(struct choices *choices, unsigned count)
{
    return choices->at < choices->end && count > 0 ? *choices->at++ % count : 0;
}

const char *one_of(struct choices *choices, const char *const *words, unsigned count)
{
    return words[choose(choices, count)];
}

static void put(struct choices *choices, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct choices *choices, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length =
        vsnprintf(choices->text + choices->used, CHOICES_TEXT_MAX - choices->used, format, args);
    va_end(args);
    INVARIANT(length >= 0 && choices->used + (size_t)length < CHOICES_TEXT_MAX,
              "the text is too long");
    choices->used += (size_t)length;
}

/* A line that ends in one of the words. One choice for each call: the order in
 * which arguments are evaluated is the compiler's. */
#define PUT_ONE_OF(choices, text, words) put(choices, text "%s\n", ONE_OF(choices, words))

/* --- the VM --- */

static void put_vm(struct choices *choices)
{
    static const char *const granules[] = {"4K", "4K", "16K", "64K"};
    static const char *const backings[] = {"4k", "thp", "hugetlb", "shm", "hugetlb-1g"};
    static const char *const misaligns[] = {"0", "0", "64K", "1M"};
    static const char *const starts[] = {"1G", "1G", "0x3fe00000"};
    static const char *const s1_pages[] = {"0", "4K", "2M"};
    choices->vcpus = 1 + choose(choices, 4);
    choices->slots = choose(choices, 3);
    const char *play = choose(choices, 4) == 3 ? "concurrent" : "serial";
    unsigned copies = choices->more ? 1 + choose(choices, 4) : choose(choices, 8) == 7 ? 2 : 1;
    put(choices, "[workload]\nplay = %s\n[vm]\nram = %uM\nvcpus = %u\ncopies = %u\n", play,
        2 + 2 * choose(choices, 5), choices->vcpus, copies);
    PUT_ONE_OF(choices, "granule = ", granules);
    PUT_ONE_OF(choices, "backing = ", backings);
    PUT_ONE_OF(choices, "ram_misalign = ", misaligns);
    PUT_ONE_OF(choices, "ram_ipa = ", starts);
    PUT_ONE_OF(choices, "s1_page = ", s1_pages);
    put(choices, "density = %u\n", 1 + choose(choices, choices->all ? 32 : 80));
    put(choices, "off_access_share = 0.%u\n", choose(choices, 10));
    for (unsigned i = 0; i < choices->slots; i++) {
        put(choices, "[slot s%u]\nipa = 0x%x00000\nbytes = %uK\n", i, 8 + 8 * i,
            64 * (1 + choose(choices, 40)));
        PUT_ONE_OF(choices, "backing = ", backings);
        put(choices, "code = %u\n", choose(choices, 2));
        put(choices, "read_only = %u\n", choose(choices, 2));
    }
}

/* --- what happens --- */

/* An address and a size. Some of them do not fit and are refused, but where all operations are
 * chosen from: few timelines would be left. */
static void put_range(struct choices *choices, bool by_vmm)
{
    static const char *const steps[] = {"0", "64K", "1M", "2M", "12K", "3M"};
    static const char *const sizes[] = {"4K", "64K", "2M", "1M", "16K", "4M"};
    static const char *const near[] = {"0", "64K", "12K", "512K"};
    static const char *const small[] = {"4K", "64K", "16K", "1M"};
    unsigned place = choose(choices, 8);
    if (place == 0 && !(choices->all && by_vmm)) {
        put(choices, " 0x9000000 64K"); /* a device, outside every slot */
    } else if (place > 0 && place <= choices->slots) {
        put(choices, " s%u 64K", place - 1);
    } else if (choices->all) {
        put(choices, " ram+%s", ONE_OF(choices, near));
        put(choices, " %s", ONE_OF(choices, small));
    } else {
        put(choices, " ram+%s", ONE_OF(choices, steps));
        put(choices, " %s", ONE_OF(choices, sizes));
    }
}

static void put_repeat(struct choices *choices)
{
    static const char *const strides[] = {"4K", "64K", "2M", "0"};
    if (choose(choices, 4) == 3 && !(choices->all && choose(choices, 2))) {
        put(choices, " every %s", ONE_OF(choices, strides));
        put(choices, " times %u", 1 + choose(choices, 20));
    }
    put(choices, "\n");
}

static const char *slot_name(struct choices *choices)
{
    static const char *const names[] = {"ram", "s0", "s1"};
    return names[choose(choices, choices->slots + 1)];
}

/* What the older choices leave out. */
static void put_vmm_more(struct choices *choices)
{
    static const char *const verbs[] = {"clean",
                                        "clean-pou",
                                        "clean-invalidate",
                                        "invalidate",
                                        "icache-invalidate",
                                        "device-write",
                                        "device-write-uncached"};
    static const char *const others[] = {
        "dirty-log round",          "dirty-log get", "window", "compute 3us",
        "dirty-log clear ram+0 2M", "destroy"};
    unsigned what = choose(choices, 10);
    if (what < 7) {
        put(choices, "vmm = %s", verbs[what]);
        put_range(choices, true);
        put(choices, "\n");
    } else {
        put(choices, "vmm = %s\n", ONE_OF(choices, others));
    }
}

static void put_vmm(struct choices *choices)
{
    static const char *const memory[] = {"fill",          "fill-uncached", "read",
                                         "read-uncached", "device-read",   "notify"};
    unsigned what = choose(choices, choices->more ? 18 : 14);
    if (what >= 14) {
        put(choices, "vmm = prefault");
        put_range(choices, true);
        put_repeat(choices);
    } else if (what < 6) {
        put(choices, "vmm = %s", memory[what]);
        put_range(choices, true);
        put(choices, "\n");
    } else if (what < 9) {
        put(choices, "vmm = reinit all\n");
    } else if (what == 9) {
        put(choices, "vmm = reinit %u\n", choose(choices, choices->vcpus));
    } else if (what == 10) {
        static const char *const logs[] = {"on", "off", "on-split", "on-all-dirty-split"};
        choices->logs = true;
        put(choices, "vmm = dirty-log %s\n", ONE_OF(choices, logs));
    } else {
        static const char *const verbs[] = {"drop", "slot-delete", "slot-add"};
        const char *verb = verbs[what - 11];
        put(choices, "vmm = %s %s\n", verb, slot_name(choices));
    }
}

static void put_touch(struct choices *choices, unsigned vcpu)
{
    static const char *const verbs[] = {"read", "write", "fetch"};
    put(choices, "vcpu%u = %s", vcpu, ONE_OF(choices, verbs));
    put_range(choices, false);
    put_repeat(choices);
}

static void put_guest_more(struct choices *choices, unsigned vcpu)
{
    static const char *const verbs[] = {"clean",         "clean-pou",         "clean-invalidate",
                                        "invalidate",    "icache-invalidate", "read-uncached",
                                        "write-uncached"};
    static const char *const others[] = {"icache-invalidate-all", "icache on", "icache off"};
    unsigned what = choose(choices, 10);
    if (what < 7) {
        put(choices, "vcpu%u = %s", vcpu, verbs[what]);
        put_range(choices, false);
        put(choices, "\n");
    } else {
        put(choices, "vcpu%u = %s\n", vcpu, others[what - 7]);
    }
}

static void put_guest(struct choices *choices)
{
    static const char *const other[] = {"enter",    "mmu on",     "mmu off",     "insns 12345",
                                        "vmregs 2", "setway 300", "compute 2us", "enter"};
    unsigned vcpu = choose(choices, choices->vcpus), what = choose(choices, 16);
    if (choices->all && choose(choices, 4) == 3) {
        put_guest_more(choices, vcpu);
    } else if (what < 8) {
        put(choices, "vcpu%u = %s\n", vcpu, other[what]);
    } else {
        put_touch(choices, vcpu);
    }
}

/* A signal is raised before anybody waits for it, so that most are no deadlock. */
static void put_signal(struct choices *choices, unsigned number)
{
    unsigned by = choose(choices, choices->vcpus);
    put(choices, "vmm = signal n%u\nvcpu%u = wait n%u\n", number, by, number);
}

static void put_timeline(struct choices *choices)
{
    put(choices, "[timeline]\nphase = first\n");
    for (unsigned i = 0; i < choices->vcpus; i++) {
        put(choices, "vcpu%u = enter\n", i);
    }
    for (unsigned i = 0; i < LINES_MAX && choices->at < choices->end; i++) {
        unsigned what = choose(choices, 16);
        if (what == 0) {
            put(choices, "phase = p%u\n", i);
        } else if (what == 1) {
            put_signal(choices, i);
        } else if (what == 2 && choices->all) {
            put_vmm_more(choices);
        } else if (what < 7) {
            put_vmm(choices);
        } else {
            put_guest(choices);
        }
    }
}

void choices_put_workload(struct choices *choices)
{
    put_vm(choices);
    put_timeline(choices);
}
