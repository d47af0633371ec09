#include "vm.h"

#include "common.h"
#include "guest.h"
#include "memory_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_IPA UINT64_C(0x50000000)
#define CODE_BYTES UINT64_C(0x4000)
#define TABLE_IPA (CODE_IPA + 4096)
#define RAM_IPA UINT64_C(0x90000000)
#define EXIT_IPA UINT64_C(0x10001000)
#define RETURN_TWICE UINT64_C(0xd65f03c0d65f03c0) /* two RET instructions */

/* Stage 1 of the guest: identity, 1 GiB blocks, 39 bits, walked through caches. */
#define MAIR UINT64_C(0xff00) /* 0 device, 1 write-back */
#define TCR UINT64_C(0x200803519)
#define BLOCK UINT64_C(0x701) /* valid block, accessed, inner shareable */
#define BLOCK_CACHED UINT64_C(0x4)

extern const char guest_code[];
extern const uint64_t guest_code_bytes;

struct vcpu {
    int fd;
    struct kvm_run *run;
    bool placed; /* whether its PC is where the guest's code begins or waits */
};

struct vm {
    int fd;
    size_t run_bytes;
    struct memory_slot code, ram;
    uint64_t ram_ipa;
    struct kvm_vcpu_init init;
    struct vcpu *vcpus;
    size_t count;
};

static int kvm_open(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        return fd;
    }
    if (errno == EACCES || errno == EPERM) {
        die(PROBE_MISSING, "/dev/kvm is not for this user: become root or join its group");
    }
    die(PROBE_MISSING, "no /dev/kvm (%s): the kernel has no KVM or did not start at EL2",
        strerror(errno));
}

void vm_require(void)
{
    int kvm = kvm_open();
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
        die(PROBE_MISSING, "/dev/kvm speaks another version of its interface");
    }
    if (sysconf(_SC_PAGESIZE) != 4096) {
        die(PROBE_MISSING, "the table is for 4 KiB pages, this kernel's have %ld bytes",
            sysconf(_SC_PAGESIZE));
    }
    close(kvm);
}

static uint64_t core_reg(size_t index64)
{
    return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | index64 * 2;
}

static void set_reg(const struct vcpu *vcpu, uint64_t id, uint64_t value)
{
    struct kvm_one_reg reg = {.id = id, .addr = (uint64_t)(uintptr_t)&value};
    if (ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg) != 0) {
        die(PROBE_FAILED, "a vCPU's register can't be set: %s", strerror(errno));
    }
}

int vm_id_field(struct vm *vm, unsigned op2, unsigned crm, unsigned shift)
{
    uint64_t value = 0;
    struct kvm_one_reg reg = {.id = ARM64_SYS_REG(3, 0, 0, crm, op2),
                              .addr = (uint64_t)(uintptr_t)&value};
    if (ioctl(vm->vcpus[0].fd, KVM_GET_ONE_REG, &reg) != 0) {
        return -1;
    }
    return (int)(value >> shift & 0xf);
}

/* 40 bits, as in the table, or what this CPU can do. */
static int create_vm(int kvm)
{
    int fd = ioctl(kvm, KVM_CREATE_VM, 0);
    if (fd < 0) {
        int bits = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
        fd = bits > 0 ? ioctl(kvm, KVM_CREATE_VM, bits) : -1;
    }
    if (fd < 0) {
        die(PROBE_FAILED, "no VM: %s", strerror(errno));
    }
    return fd;
}

static void add_slot(const struct vm *vm, uint32_t number, uint64_t ipa,
                     const struct memory_slot *slot)
{
    struct kvm_userspace_memory_region region = {
        .slot = number,
        .guest_phys_addr = ipa,
        .memory_size = slot->bytes,
        .userspace_addr = (uint64_t)(uintptr_t)slot->at,
    };
    if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) != 0) {
        die(PROBE_FAILED, "KVM refuses memory at %#llx: %s", (unsigned long long)ipa,
            strerror(errno));
    }
}

/* Page 0 is the code, page 1 the one table of stage 1. */
static void fill_code(struct vm *vm)
{
    memcpy(vm->code.at, guest_code, guest_code_bytes);
    uint64_t *table = (uint64_t *)(void *)(vm->code.at + 4096);
    for (uint64_t gib = 0; gib < 512; gib++) {
        table[gib] = gib << 30 | BLOCK | (gib ? BLOCK_CACHED : 0);
    }
}

static void init_vcpu(struct vm *vm, struct vcpu *vcpu)
{
    if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &vm->init) != 0) {
        die(PROBE_FAILED, "a vCPU can't be initialised: %s", strerror(errno));
    }
    vcpu->placed = false;
}

static void add_vcpu(struct vm *vm, size_t number)
{
    struct vcpu *vcpu = &vm->vcpus[number];
    vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, number);
    if (vcpu->fd < 0) {
        die(PROBE_FAILED, "no vCPU %zu: %s", number, strerror(errno));
    }
    vcpu->run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (vcpu->run == MAP_FAILED) {
        die(PROBE_FAILED, "a vCPU can't be mapped: %s", strerror(errno));
    }
    init_vcpu(vm, vcpu);
}

struct vm *vm_open(const struct vm_case *shape)
{
    struct vm *vm = must_alloc(sizeof *vm);
    if (!memory_slot_open(&vm->ram, shape->backing, shape->mem_mib << 20)) {
        free(vm);
        return NULL;
    }
    if (!memory_slot_open(&vm->code, BACKING_4K, CODE_BYTES)) {
        die(PROBE_FAILED, "no memory for the guest's code");
    }
    int kvm = kvm_open();
    vm->fd = create_vm(kvm);
    vm->run_bytes = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    close(kvm);
    if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &vm->init) != 0) {
        die(PROBE_FAILED, "KVM knows no target for this CPU: %s", strerror(errno));
    }
    fill_code(vm);
    vm->ram_ipa = RAM_IPA + shape->slot_offset;
    add_slot(vm, 0, CODE_IPA, &vm->code);
    add_slot(vm, 1, vm->ram_ipa, &vm->ram);
    vm->count = shape->vcpus;
    vm->vcpus = must_alloc(vm->count * sizeof *vm->vcpus);
    for (size_t i = 0; i < vm->count; i++) {
        add_vcpu(vm, i);
    }
    return vm;
}

void vm_close(struct vm *vm)
{
    for (size_t i = 0; i < vm->count; i++) {
        munmap(vm->vcpus[i].run, vm->run_bytes);
        close(vm->vcpus[i].fd);
    }
    close(vm->fd);
    memory_slot_close(&vm->code);
    memory_slot_close(&vm->ram);
    free(vm->vcpus);
    free(vm);
}

/* The guest's registers x0 to x5; PC only where it is not at the code already. */
static void prepare(struct vcpu *vcpu, const uint64_t args[6])
{
    for (size_t i = 0; i < 6; i++) {
        set_reg(vcpu, core_reg(i), args[i]);
    }
    if (!vcpu->placed) {
        set_reg(vcpu, core_reg(offsetof(struct kvm_regs, regs.pc) / 8), CODE_IPA);
        vcpu->placed = true;
    }
}

static void check_exit(const struct vcpu *vcpu)
{
    const struct kvm_run *run = vcpu->run;
    if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write) {
        die(PROBE_FAILED, "the guest stopped for reason %u", run->exit_reason);
    }
    if (run->mmio.phys_addr == EXIT_IPA + GUEST_TROUBLE) {
        uint64_t esr;
        memcpy(&esr, run->mmio.data, sizeof esr);
        die(PROBE_FAILED, "the guest took an exception, ESR %#llx", (unsigned long long)esr);
    }
    if (run->mmio.phys_addr != EXIT_IPA) {
        die(PROBE_FAILED, "the guest stored to %#llx", (unsigned long long)run->mmio.phys_addr);
    }
}

static uint64_t run_guest(struct vm *vm, size_t number, const uint64_t args[6])
{
    struct vcpu *vcpu = &vm->vcpus[number];
    prepare(vcpu, args);
    uint64_t begin = now_ns();
    int failed;
    do {
        failed = ioctl(vcpu->fd, KVM_RUN, 0);
    } while (failed && errno == EINTR);
    uint64_t took = now_ns() - begin;
    if (failed) {
        die(PROBE_FAILED, "the guest can't run: %s", strerror(errno));
    }
    check_exit(vcpu);
    return took;
}

static uint64_t run_pages(struct vm *vm, const struct op *op, uint64_t what)
{
    return run_guest(vm, op->vcpu,
                     (uint64_t[]){what, vm->ram_ipa + op->first * 4096, op->stride * 4096,
                                  op->count, RETURN_TWICE, EXIT_IPA});
}

/* What the VMM does itself. */
static uint64_t vmm_does(struct vm *vm, const struct op *op)
{
    uint64_t begin = now_ns();
    if (op->verb == OP_INIT) {
        init_vcpu(vm, &vm->vcpus[op->vcpu]);
    } else if (op->verb == OP_FILL) {
        memory_slot_fill(&vm->ram, RETURN_TWICE);
    } else {
        memory_slot_drop(&vm->ram);
    }
    return now_ns() - begin;
}

uint64_t vm_do(struct vm *vm, const struct op *op)
{
    switch (op->verb) {
    case OP_WRITE:
        return run_pages(vm, op, GUEST_WRITE);
    case OP_READ:
        return run_pages(vm, op, GUEST_READ);
    case OP_CALL:
        return run_pages(vm, op, GUEST_CALL);
    case OP_EXIT:
        return run_pages(vm, op, GUEST_EXIT);
    case OP_MMU_OFF:
        return run_pages(vm, op, GUEST_MMU_OFF);
    case OP_SETWAY:
        return run_pages(vm, op, GUEST_SETWAY);
    case OP_MMU_ON:
        return run_guest(vm, op->vcpu,
                         (uint64_t[]){GUEST_MMU_ON, MAIR, TCR, TABLE_IPA, 0, EXIT_IPA});
    case OP_INIT:
    case OP_FILL:
    case OP_DROP:
        break;
    }
    return vmm_does(vm, op);
}
