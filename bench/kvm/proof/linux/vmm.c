/*
 * vmm - reboots one of the small guests (../bare/guest.S) in a VM of KVM, as the host's only
 * process.
 *
 *   vmm relocated|aliased|several 4k|thp [count]
 *
 * One thread runs all vCPUs, by turns.
 *
 * It says on the console whether the guest's sums are right; with `count`, also what the kernel did
 * in each phase, in the columns of ../../counts.csv.
 */
#include "common.h"
#include "counting.h"
#include "memory_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* No power of two: the histograms that count faults by IPA keep the guest's apart from others. */
#define GUEST_IPA UINT64_C(0xc0000000)
#define GUEST_BYTES UINT64_C(0x400000)
#define EXIT_IPA UINT64_C(0x10000000)
#define DATA 0x10000
#define CLEARED 0x18000
#define TABLE 0x300000
#define LINES 64

extern const char relocated_start[], relocated_end[], aliased_start[], aliased_end[];
extern const char several_start[], several_end[];

static struct memory_slot ram;
static struct kvm_vcpu_init init;
static struct vcpu {
    int fd;
    struct kvm_run *run;
} vcpus[2];

/* --- KVM --- */

static int call(int fd, unsigned long request, const void *argument, const char *what)
{
    int result = ioctl(fd, request, argument);
    if (result < 0) {
        die(PROBE_FAILED, "%s: %s", what, strerror(errno));
    }
    return result;
}

static void set_register(const struct vcpu *vcpu, size_t index64, uint64_t value)
{
    struct kvm_one_reg reg = {.id =
                                  KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | index64 * 2,
                              .addr = (uint64_t)(uintptr_t)&value};
    call(vcpu->fd, KVM_SET_ONE_REG, &reg, "a register can't be set");
}

static void create(enum backing backing, int count)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) {
        die(PROBE_MISSING, "no /dev/kvm: %s", strerror(errno));
    }
    int vm = call(kvm, KVM_CREATE_VM, NULL, "no VM");
    int bytes = call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "no size of a vCPU");
    if (!memory_slot_open(&ram, backing, GUEST_BYTES)) {
        die(PROBE_MISSING, "no memory for the guest");
    }
    struct kvm_userspace_memory_region slot = {.guest_phys_addr = GUEST_IPA,
                                               .memory_size = GUEST_BYTES,
                                               .userspace_addr = (uint64_t)(uintptr_t)ram.at};
    call(vm, KVM_SET_USER_MEMORY_REGION, &slot, "no slot");
    call(vm, KVM_ARM_PREFERRED_TARGET, &init, "no target");
    for (int i = 0; i < count; i++) {
        struct vcpu *vcpu = &vcpus[i];
        vcpu->fd = ioctl(vm, KVM_CREATE_VCPU, i);
        vcpu->run = vcpu->fd < 0 ? MAP_FAILED
                                 : mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                                        vcpu->fd, 0);
        if (vcpu->run == MAP_FAILED) {
            die(PROBE_FAILED, "no vCPU: %s", strerror(errno));
        }
    }
}

/* The first time an initialisation, later a re-init. */
static void reset(const struct vcpu *vcpu)
{
    call(vcpu->fd, KVM_ARM_VCPU_INIT, &init, "the vCPU can't be initialised");
}

static void place(const struct vcpu *vcpu)
{
    set_register(vcpu, 20, 0);
    set_register(vcpu, 21, (uint64_t)(vcpu - vcpus));
    set_register(vcpu, 28, EXIT_IPA);
    set_register(vcpu, offsetof(struct kvm_regs, regs.pc) / 8, GUEST_IPA);
}

/* Until a vCPU ends its part `number`; its sum. */
static uint64_t part(const struct vcpu *vcpu, unsigned number)
{
    const struct kvm_run *run = vcpu->run;
    uint64_t sum = 0;
    while (ioctl(vcpu->fd, KVM_RUN, 0) != 0) {
        if (errno != EINTR) {
            die(PROBE_FAILED, "the guest can't run: %s", strerror(errno));
        }
    }
    if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
        run->mmio.phys_addr != EXIT_IPA + 8 * number) {
        die(PROBE_FAILED, "part %u ended for reason %u at %#llx", number, run->exit_reason,
            (unsigned long long)run->mmio.phys_addr);
    }
    memcpy(&sum, run->mmio.data, sizeof sum);
    return sum;
}

/* --- what the VMM writes --- */

static volatile uint64_t *word(uint64_t at)
{
    return (volatile uint64_t *)(void *)(ram.at + at);
}

static void load(const char *start, const char *end, uint64_t seed)
{
    memcpy(ram.at, start, (size_t)(end - start));
    for (uint64_t i = 0; i < LINES; i++) {
        *word(DATA + 64 * i) = seed + i;
    }
    for (uint64_t i = 0; i < LINES; i++) {
        __asm__ volatile("dc zva, %0" : : "r"(ram.at + CLEARED + 64 * i) : "memory");
    }
}

/* Stage 1, identity: 1 GiB of devices, where exits are, and 1 GiB of memory. */
static void load_table(void)
{
    for (uint64_t i = 0; i < 512; i++) {
        *word(TABLE + 8 * i) = i == 0 ? 0x705 : i == GUEST_IPA >> 30 ? GUEST_IPA | 0x701 : 0;
    }
}

static uint64_t sum_from(uint64_t seed)
{
    return seed * LINES + LINES * (LINES - 1) / 2;
}

static void expect(uint64_t sum, uint64_t right)
{
    printf("sum %s\n", sum == right ? "right" : "WRONG");
}

/* --- the stories, as the workloads beside this file have them --- */

static void relocated(void)
{
    struct vcpu *vcpu = &vcpus[0];
    load(relocated_start, relocated_end, 1000);
    load_table();
    reset(vcpu);
    place(vcpu);
    expect(part(vcpu, 1), sum_from(1000));
    part(vcpu, 2);
    counting_phase_end("boot1");
    reset(vcpu);
    load(relocated_start, relocated_end, 2000);
    place(vcpu);
    counting_phase_end("reset1");
    expect(part(vcpu, 1), sum_from(2000));
    part(vcpu, 2);
    counting_phase_end("boot2");
}

static void aliased(void)
{
    struct vcpu *vcpu = &vcpus[0];
    load(aliased_start, aliased_end, 0);
    load_table();
    reset(vcpu);
    place(vcpu);
    part(vcpu, 4);
    counting_phase_end("boot1");
    reset(vcpu);
    place(vcpu);
    counting_phase_end("reset1");
    part(vcpu, 4);
    for (uint64_t round = 1; round < 4; round++) {
        uint64_t sum = 0;
        part(vcpu, 1);
        for (uint64_t i = 0; i < LINES; i++) {
            sum += *word(DATA + 64 * i);
            *word(DATA + 64 * i) = 100 * round + i;
        }
        expect(sum, LINES * (LINES + 1) / 2);
        expect(part(vcpu, 2), sum_from(100 * round));
    }
    counting_phase_end("boot2");
}

/* The second vCPU is the last one to run and then the first: KVM empties the I-cache of a CPU on
 * which another vCPU of the VM ran before, and so would hide that nothing else does. */
static void boot_several(uint64_t seed, const char *phase)
{
    struct vcpu *first = &vcpus[0], *second = &vcpus[1];
    place(first);
    place(second);
    part(second, 3);
    expect(part(first, 1), sum_from(seed));
    part(first, 2);
    expect(part(second, 4), LINES * (LINES + 1) / 2);
    expect(part(second, 5), sum_from(seed) + LINES * (LINES + 1) / 2);
    counting_phase_end(phase);
}

static void several(void)
{
    load(several_start, several_end, 1000);
    load_table();
    reset(&vcpus[0]);
    reset(&vcpus[1]);
    boot_several(1000, "boot1");
    reset(&vcpus[0]);
    reset(&vcpus[1]);
    load(several_start, several_end, 2000);
    counting_phase_end("reset1");
    boot_several(2000, "boot2");
}

int main(int count, char **words)
{
    static const struct {
        const char *name;
        int vcpus;
        void (*play)(void);
    } stories[] = {{"relocated", 1, relocated}, {"aliased", 1, aliased}, {"several", 2, several}};
    size_t story = 0, all = sizeof stories / sizeof *stories;
    while (count > 2 && story < all && strcmp(words[1], stories[story].name) != 0) {
        story++;
    }
    if (count < 3 || story == all) {
        die(PROBE_MISSING, "vmm relocated|aliased|several 4k|thp [count]");
    }
    if (count > 3 && strcmp(words[3], "count") == 0) {
        counting_start();
    }
    create(strcmp(words[2], "thp") == 0 ? BACKING_THP : BACKING_4K, stories[story].vcpus);
    stories[story].play();
    printf("end\n");
    return 0;
}
