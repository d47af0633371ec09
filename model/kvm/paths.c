/*
 * The lengths of the kernel's own paths, in instructions.
 *
 * Least-squares fit of the instruction counts recorded on kernel 6.1; `s2flush paths
 * bench/kvm/counts.csv` fits them again and prints what stands here beside it, with standard
 * errors (those of model/README.md). What the model charges in nanoseconds is
 * taken out: the world switch inside a VHE exit (in exit_ns), the TLBI sequence
 * (in tlbi_ns) and the four instructions of a maintenance loop per line (in the
 * line's cost). On nVHE the first two run at EL2 and were not counted.
 * Other versions inherit these lengths: assumed.
 */
#include "kvm/kvm.h"

#include <math.h>

struct path_length {
    enum event_kind kind;
    double vhe, nvhe;
};

/* A trapped set/way operation, the shortest trap known. */
#define SWITCH 1770
/* An unmapped leaf with VHE, 292, less one without, 209. */
#define TLBI 83
/* Each entry that a walk calls back for is charged by itself, also a leaf that
 * is unmapped or flushed and a table that is freed. */
#define VISIT 17

/* The part of a fault's path that runs under mmu_lock: from the check for
 * notifiers to the end of the walk, three levels with a callback or two each.
 * Assumed from the code; the recordings do not tell the parts apart. */
#define LOCKED_MAP 800
#define LOCKED_RELAX 400

static const struct path_length paths[] = {
    /* refault of 4 KiB: 4148 and 3713 in all */
    {EV_fault_path, 4148 - SWITCH - LOCKED_MAP, 3713 - LOCKED_MAP},
    {EV_map_calls, LOCKED_MAP, LOCKED_MAP},
    {EV_lost_maps, LOCKED_MAP, LOCKED_MAP},
    {EV_block_path, 0, 0}, /* the rows do not tell a 2 MiB refault from one of 4 KiB */
    /* permission fault with relaxation: 3878; no rows for nVHE */
    {EV_perm_path, 3878 - SWITCH - TLBI - LOCKED_RELAX, 3878 - SWITCH - TLBI - LOCKED_RELAX},
    {EV_relax_calls, LOCKED_RELAX, LOCKED_RELAX},
    /* first touch less refault, less the page's clearing: 7647 - 4148 - 617 */
    {EV_host_alloc, 2882, 2954},
    /* 292 and 209; 531 and 556 */
    {EV_unmap_leaves, 292 - TLBI - VISIT, 209 - VISIT},
    {EV_s2_tables_free, 531 - TLBI - VISIT, 556 - VISIT},
    /* 40 at a time: at most the lump of a vCPU's first touches, 74751, less its
     * first run, 2276, over 40; part of it is the host's own tables: assumed */
    {EV_s2_tables_alloc, 1400, 1400},
    {EV_flush_leaves, 102 - VISIT, 102 - VISIT}, /* no rows for nVHE */
    /* a flushed leaf less its maintenance call; a leaf of a table that goes: assumed */
    {EV_wrprotect_leaves, 70, 70},
    {EV_collapsed_leaves, 40, 40},
    /* memory given back without stage 2: 1050 a page, 14293 a huge page of 2 MiB */
    {EV_host_zap, 1050, 1050},
    {EV_host_zap_huge, 14293, 14293},
    /* munmap of 2 MiB pages of a hugetlb pool: counted by bench/kvm/emulate/zap.sh, which
     * counts 1050 for a small page as the recordings do */
    {EV_host_zap_hugetlb, 820, 820},
    /* what bench/kvm/emulate/zap.sh counts on 6.1.190 besides, with 8 host CPUs where that matters.
     * KVM_SET_USER_MEMORY_REGION: to add a slot or change its flags waits for its readers (SRCU)
     * once, to delete it twice; the waits are in */
    {EV_slot_changes, 28000, 28000},
    {EV_slot_deletes, 79000, 79000},
    {EV_vm_ends, 149000, 149000},
    {EV_vm_end_cpus, 3200, 3200},
    /* 13260 to unmap and close it, 13040 when the VM goes (40 spare table pages are freed) */
    {EV_vcpu_ends, 26300, 26300},
    {EV_vm_makes, 115000, 115000},
    {EV_vcpu_makes, 14400, 14400}, /* its KVM_ARM_VCPU_INIT is a re-init's */
    /* re-init of a vCPU that has run: 13525 with an empty unmap */
    {EV_reinits, 11730, 11730},
    {EV_unmap_vm_calls, 13525 - 11730, 13583 - 11730},
    {EV_walk_unmap, VISIT, VISIT},
    {EV_walk_flush, VISIT, VISIT},
    {EV_user_exits, 5318 - SWITCH, 4121},
    {EV_setway_traps, 0, 0}, /* the switch and nothing else */
    {EV_toggle_traps, 2085 - SWITCH, 2085 - SWITCH}, /* no rows for nVHE */
};

void kvm_path_lengths(bool vhe, double insns[EVENT_KINDS])
{
    for (uint32_t i = 0; i < EVENT_KINDS; i++) {
        insns[i] = NAN;
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        insns[paths[i].kind] = vhe ? paths[i].vhe : paths[i].nvhe;
    }
}
