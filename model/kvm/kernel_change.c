#include "kvm/kernel_change.h"

#include "core/invariant.h"

#include <stdio.h>
#include <string.h>

/* One line for each value of each key; value NULL: any, and %s in the words is it. Functions are
 * those of Linux 7.1. */
static const struct {
    const char *key, *value, *brief, *what, *where;
} lines[] = {
    {"reinit_unmap", "none", "mappings kept at re-init", "keep the mappings at re-init",
     "kvm_arch_vcpu_ioctl_vcpu_init, no stage2_unmap_vm"},
    {"reinit_unmap", "all", "all mappings torn down at re-init",
     "tear all mappings down at re-init", "stage2_unmap_vm"},
    {"reinit_unmap", "pages", "only pages unmapped at re-init",
     "unmap pages alone at re-init, keep larger leaves", "stage2_unmap_vm, stage2_unmap_walker"},
    {"reinit_unmap", "blocks", "only blocks unmapped at re-init",
     "unmap blocks alone at re-init, keep pages", "stage2_unmap_vm, stage2_unmap_walker"},
    {"reinit_unmap_cleans", "no", "no clean in the re-init's unmap",
     "leave the clean out of the re-init's unmap", "stage2_unmap_vm, stage2_unmap_walker"},
    {"reinit_unmap_cleans", "yes", "a clean in the re-init's unmap",
     "clean what the re-init unmaps", "stage2_unmap_vm, stage2_unmap_walker"},
    {"reinit_tlbi", "leaf", "one TLB invalidation for each leaf",
     "invalidate TLBs for each leaf that the re-init unmaps", "stage2_unmap_put_pte"},
    {"reinit_tlbi", "range", "one TLB invalidation for each chunk",
     "invalidate TLBs once for each chunk that the re-init unmaps",
     "stage2_unmap_defer_tlb_flush, without FWB too"},
    {"reinit_tlbi", "vm", "one TLB invalidation for the whole VM",
     "invalidate TLBs once for the whole VM, at the end of the re-init's unmap",
     "stage2_unmap_vm, stage2_unmap_put_pte; __kvm_tlb_flush_vmid"},
    {"notifier_unmap_cleans", "no", "no clean in MMU notifiers",
     "leave the clean out of what MMU notifiers and slots unmap",
     "kvm_unmap_gfn_range, kvm_arch_flush_shadow_memslot"},
    {"notifier_unmap_cleans", "yes", "a clean in MMU notifiers",
     "clean what MMU notifiers and slots unmap",
     "kvm_unmap_gfn_range, kvm_arch_flush_shadow_memslot"},
    {"fault_cleans", "no", "no clean at faults", "leave the clean out of the fault",
     "kvm_pgtable_stage2_map: stage2_map_walker_try_leaf"},
    {"fault_cleans", "yes", "a clean at faults", "clean what a fault maps",
     "kvm_pgtable_stage2_map: stage2_map_walker_try_leaf"},
    {"reinit_icache", "no", "no I-cache invalidation at re-init",
     "leave the I-cache's invalidation out of the re-init", "kvm_arch_vcpu_ioctl_vcpu_init"},
    {"reinit_icache", "yes", "one I-cache invalidation at re-init",
     "invalidate the whole I-cache at re-init",
     "kvm_arch_vcpu_ioctl_vcpu_init: icache_inval_all_pou"},
    {"flush_at", "none", "no flush", "leave the flush out", "kvm_arch_vcpu_run_pid_change"},
    {"flush_at", "each_init", "a flush in each re-init", "flush what is mapped in each re-init",
     "kvm_arch_vcpu_ioctl_vcpu_init: stage2_flush_vm"},
    {"flush_at", "first_run", "one flush at the first run",
     "flush what is mapped once, at the first run after the re-inits",
     "kvm_arch_vcpu_run_pid_change: stage2_flush_vm"},
    {"flush_leaves", "all", "of leaves of every size", "flush leaves of every size",
     "stage2_flush_walker"},
    {"flush_leaves", "pages", "of pages alone", "flush pages alone", "stage2_flush_walker"},
    {"flush_leaves", "blocks", "of blocks alone", "flush blocks alone", "stage2_flush_walker"},
    {"flush_record", "none", "of all that is mapped", "flush whatever was written",
     "stage2_flush_vm"},
    {"flush_record", "leaves", "of leaves that were written",
     "flush the leaves alone that a record of writes names", "stage2_flush_vm, by the dirty log"},
    {"flush_record", "ranges", "of pages that were written",
     "flush what a record of writes names, to the page", "stage2_flush_vm, by a log of pages"},
    {"flush_record", "loader", "of what the VMM says it wrote", "flush what the VMM says it wrote",
     "stage2_flush_vm, a new ioctl"},
    {"flush_by", "line", "line by line", "clean line by line", "stage2_flush_walker"},
    {"flush_by", "range", "by physical range", "clean by physical range, a command a leaf",
     "stage2_flush_walker; a driver of the caches"},
    {"toggle", "every", "a flush at every MMU-on", "flush at every vCPU's MMU-on",
     "kvm_toggle_cache"},
    {"toggle", "first", "a flush at the first MMU-on alone",
     "flush at the first vCPU's MMU-on after a re-init alone", "kvm_toggle_cache"},
    {"toggle", "none", "no flush at MMU-on", "flush at no vCPU's MMU-on", "kvm_toggle_cache"},
    {"recreate", "no", "the VM kept", "keep the VM and its memory", "the VMM"},
    {"recreate", "yes", "a new VM on fresh memory", "make the VM anew on fresh memory", "the VMM"},
    {"workers", NULL, "flushed by %s threads", "share the flush out among %s threads",
     "stage2_flush_vm"},
    {"chunk", NULL, "mmu_lock given up after every %s", "give mmu_lock up after every %s",
     "stage2_apply_range"},
    {"fwb", "yes", "FEAT_S2FWB used", "use FEAT_S2FWB", "hardware"},
    {"fwb", "no", "FEAT_S2FWB left off", "leave FEAT_S2FWB off", "kvm_arch_vcpu_ioctl_vcpu_init"},
};

/* With the value for %s. */
static void put_words(const char *words, const char *value, char *buf, size_t size)
{
    const char *place = strstr(words, "%s");
    int before = place ? (int)(place - words) : (int)strlen(words);
    snprintf(buf, size, "%.*s%s%s", before, words, place ? value : "", place ? place + 2 : "");
}

static void fill(const char *key, const char *value, struct kernel_change *change)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strcmp(lines[i].key, key) != 0 ||
            (lines[i].value && strcmp(lines[i].value, value) != 0)) {
            continue;
        }
        snprintf(change->key, sizeof change->key, "%s", key);
        snprintf(change->value, sizeof change->value, "%s", value);
        put_words(lines[i].brief, value, change->brief, sizeof change->brief);
        put_words(lines[i].what, value, change->what, sizeof change->what);
        snprintf(change->where, sizeof change->where, "%s", lines[i].where);
        return;
    }
    INVARIANT(false, "no words for %s = %s", key, value);
}

size_t kernel_changes(const struct strategy *from, const struct strategy *to,
                      struct kernel_change changes[STRATEGY_KEYS])
{
    struct strategy old = strategy_canonical(from), new = strategy_canonical(to);
    size_t count = 0;
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *key = &strategy_options[i];
        char before[32], after[32];
        if (key->kind == OPTION_TEXT ||
            strcmp(option_format(key, &old, before, sizeof before),
                   option_format(key, &new, after, sizeof after)) == 0) {
            continue;
        }
        if (changes) {
            fill(key->name, after, &changes[count]);
        }
        count++;
    }
    return count;
}
