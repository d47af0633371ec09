/* What making, changing and ending a VM takes: see ending.h. */
#include "ending.h"

#include "window.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_IPA UINT64_C(0x40000000)
#define MEMORY_BYTES ((size_t)2 << 20)
#define EXIT_IPA UINT64_C(0x10000000) /* no memory is there: a store exits to this program */
#define VCPUS_MOST 128

struct machine {
    int vm;
    char *memory;
    size_t vcpus, run_bytes;
    struct kvm_vcpu_init init;
    int fd[VCPUS_MOST];
    struct kvm_run *run[VCPUS_MOST];
};

static void check(bool good, const char *what)
{
    if (!good) {
        printf("zap: %s\n", what);
    }
}

static void set_slot(const struct machine *machine, size_t bytes, uint32_t flags)
{
    struct kvm_userspace_memory_region region = {.guest_phys_addr = MEMORY_IPA,
                                                 .memory_size = bytes,
                                                 .userspace_addr =
                                                     (uint64_t)(uintptr_t)machine->memory,
                                                 .flags = flags};
    check(ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "a slot is refused");
}

static void set_reg(int vcpu, size_t index64, uint64_t value)
{
    struct kvm_one_reg reg = {.id =
                                  KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | index64 * 2,
                              .addr = (uint64_t)(uintptr_t)&value};
    check(ioctl(vcpu, KVM_SET_ONE_REG, &reg) == 0, "a register is refused");
}

/* The first page is code: a store to a page of its own, so that each vCPU takes spare table pages,
 * and one that exits. */
static void fill_memory(struct machine *machine)
{
    char *all =
        mmap(NULL, 2 * MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(all != MAP_FAILED, "no memory");
    uintptr_t up = ((uintptr_t)all + MEMORY_BYTES - 1) / MEMORY_BYTES * MEMORY_BYTES;
    machine->memory = (char *)up;
    madvise(machine->memory, MEMORY_BYTES, MADV_NOHUGEPAGE);
    uint32_t *code = (uint32_t *)up;
    code[0] = UINT32_C(0xf9000041); /* str x1, [x2] */
    code[1] = UINT32_C(0xf9000001); /* str x1, [x0] */
    __builtin___clear_cache(machine->memory, machine->memory + 4096);
}

static void create_vcpus(struct machine *machine)
{
    for (size_t i = 0; i < machine->vcpus; i++) {
        machine->fd[i] = ioctl(machine->vm, KVM_CREATE_VCPU, i);
        machine->run[i] =
            mmap(NULL, machine->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, machine->fd[i], 0);
        check(machine->run[i] != MAP_FAILED, "a vCPU is refused");
    }
}

static void run_vcpus(const struct machine *machine)
{
    for (size_t i = 0; i < machine->vcpus; i++) {
        int vcpu = machine->fd[i];
        check(ioctl(vcpu, KVM_ARM_VCPU_INIT, &machine->init) == 0, "a vCPU is not initialised");
        set_reg(vcpu, 0, EXIT_IPA);
        set_reg(vcpu, 2, MEMORY_IPA + (i + 1) * 4096);
        set_reg(vcpu, offsetof(struct kvm_regs, regs.pc) / 8, MEMORY_IPA);
        check(ioctl(vcpu, KVM_RUN, 0) == 0 && machine->run[i]->exit_reason == KVM_EXIT_MMIO,
              "a vCPU does not run");
    }
}

static void close_vcpus(const struct machine *machine)
{
    for (size_t i = 0; i < machine->vcpus; i++) {
        munmap(machine->run[i], machine->run_bytes);
        close(machine->fd[i]);
    }
}

/* All that ends a VM, as kvm_vm_free of the kernel's own tests does it. */
static void end(const struct machine *machine)
{
    set_slot(machine, 0, 0);
    munmap(machine->memory, MEMORY_BYTES);
    close_vcpus(machine);
    close(machine->vm);
}

/* A VM's life; each step is a window, or its end is one. */
static void live(struct machine *machine, int kvm, bool whole_end)
{
    size_t vcpus = machine->vcpus;
    fill_memory(machine);
    WINDOW("vm_create", vcpus, machine->vm = ioctl(kvm, KVM_CREATE_VM, 0));
    ioctl(machine->vm, KVM_ARM_PREFERRED_TARGET, &machine->init);
    WINDOW("slot_add", vcpus, set_slot(machine, MEMORY_BYTES, 0));
    WINDOW("vcpu_create", vcpus, create_vcpus(machine));
    run_vcpus(machine);
    WINDOW("log_on", vcpus, set_slot(machine, MEMORY_BYTES, KVM_MEM_LOG_DIRTY_PAGES));
    WINDOW("log_off", vcpus, set_slot(machine, MEMORY_BYTES, 0));
    if (whole_end) {
        WINDOW("vm_free", vcpus, end(machine));
        return;
    }
    WINDOW("slot_delete", vcpus, set_slot(machine, 0, 0));
    munmap(machine->memory, MEMORY_BYTES);
    WINDOW("vcpu_close", vcpus, close_vcpus(machine));
    WINDOW("vm_close", vcpus, close(machine->vm));
}

void ending_print(int samples)
{
    static const size_t vcpus[] = {1, 8, 64, 128};
    int kvm = open("/dev/kvm", O_RDWR);
    check(kvm >= 0, "no /dev/kvm");
    for (size_t i = 0; kvm >= 0 && i < sizeof vcpus / sizeof *vcpus; i++) {
        for (int k = 0; k < samples; k++) {
            struct machine machine = {.vcpus = vcpus[i],
                                      .run_bytes = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)};
            live(&machine, kvm, k % 2 == 1);
        }
    }
}
