/*
 * boot - boots Linux in a VM of KVM, reboots it in place, and ends when it has booted again, as the
 * host's only process.
 *
 *   boot 4k|thp [count]    /guest/Image, /guest/initrd, /guest/dtb (guest.dts)
 *
 * With `count` it says on the console what the kernel did in each phase, in the columns of
 * ../../counts.csv, and which events of KVM there were, as `s2flush import` takes them.
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

/* As guest.dts has them. The histograms that count faults by IPA take what is below 3 GiB for other
 * guests'. */
#define RAM_IPA UINT64_C(0xc0000000)
#define RAM_BYTES UINT64_C(0x4000000)
#define IMAGE 0x200000
#define INITRD 0x2000000
#define DTB 0x3000000
#define UART_IPA UINT64_C(0x09000000)
#define DISTRIBUTOR_IPA UINT64_C(0x08000000)
#define REDISTRIBUTOR_IPA UINT64_C(0x080a0000)

static struct memory_slot ram;
static struct kvm_vcpu_init init;
static struct kvm_run *run;
static int vm, vcpu;

static int call(int fd, unsigned long request, const void *argument, const char *what)
{
    int result = ioctl(fd, request, argument);
    if (result < 0) {
        die(PROBE_FAILED, "%s: %s", what, strerror(errno));
    }
    return result;
}

/* --- the VM --- */

static void set_device(int device, uint32_t group, uint64_t which, const void *value)
{
    struct kvm_device_attr attribute = {
        .group = group, .attr = which, .addr = (uint64_t)(uintptr_t)value};
    call(device, KVM_SET_DEVICE_ATTR, &attribute, "the GIC can't be set up");
}

static void create_gic(void)
{
    static const uint64_t distributor = DISTRIBUTOR_IPA, redistributor = REDISTRIBUTOR_IPA;
    struct kvm_create_device gic = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
    call(vm, KVM_CREATE_DEVICE, &gic, "no GIC");
    int device = (int)gic.fd;
    set_device(device, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &distributor);
    set_device(device, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redistributor);
    set_device(device, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

static void create(enum backing backing)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) {
        die(PROBE_MISSING, "no /dev/kvm: %s", strerror(errno));
    }
    vm = call(kvm, KVM_CREATE_VM, NULL, "no VM");
    int bytes = call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "no size of a vCPU");
    if (!memory_slot_open(&ram, backing, RAM_BYTES)) {
        die(PROBE_MISSING, "no memory for the guest");
    }
    struct kvm_userspace_memory_region slot = {.guest_phys_addr = RAM_IPA,
                                               .memory_size = RAM_BYTES,
                                               .userspace_addr = (uint64_t)(uintptr_t)ram.at};
    call(vm, KVM_SET_USER_MEMORY_REGION, &slot, "no slot");
    call(vm, KVM_ARM_PREFERRED_TARGET, &init, "no target");
    init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    run = vcpu < 0 ? MAP_FAILED
                   : mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED) {
        die(PROBE_FAILED, "no vCPU: %s", strerror(errno));
    }
    create_gic();
}

/* --- a boot --- */

static void load(const char *path, uint64_t at)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;
    while (fd >= 0 && (got = read(fd, ram.at + at, RAM_BYTES - at)) > 0) {
        at += (uint64_t)got;
    }
    if (fd < 0 || got < 0) {
        die(PROBE_MISSING, "%s: %s", path, strerror(errno));
    }
    close(fd);
}

static void set_register(size_t offset, uint64_t value)
{
    struct kvm_one_reg reg = {.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
                                    offset / sizeof(uint32_t),
                              .addr = (uint64_t)(uintptr_t)&value};
    call(vcpu, KVM_SET_ONE_REG, &reg, "a register can't be set");
}

/* The vCPU is initialised, then the VMM writes what the guest boots from. */
static void reset(void)
{
    call(vcpu, KVM_ARM_VCPU_INIT, &init, "the vCPU can't be initialised");
    load("/guest/Image", IMAGE);
    load("/guest/initrd", INITRD);
    load("/guest/dtb", DTB);
    set_register(offsetof(struct kvm_regs, regs.regs[0]), RAM_IPA + DTB);
    set_register(offsetof(struct kvm_regs, regs.pc), RAM_IPA + IMAGE);
}

/* What the guest prints; all that it reads there is 0. */
static void access_device(void)
{
    if (run->mmio.is_write && run->mmio.phys_addr == UART_IPA) {
        putchar(run->mmio.data[0]);
    }
    memset(run->mmio.data, 0, run->mmio.is_write ? 0 : sizeof run->mmio.data);
}

/* Until the guest asks to be reset. */
static void boot(void)
{
    for (;;) {
        if (ioctl(vcpu, KVM_RUN, 0) != 0) {
            if (errno != EINTR) {
                die(PROBE_FAILED, "the guest can't run: %s", strerror(errno));
            }
        } else if (run->exit_reason == KVM_EXIT_MMIO) {
            access_device();
        } else if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT &&
                   run->system_event.type == KVM_SYSTEM_EVENT_RESET) {
            return;
        } else {
            die(PROBE_FAILED, "the guest ended for reason %u", run->exit_reason);
        }
    }
}

/* --- the trace --- */

#define TRACING "/sys/kernel/tracing/"

static void set_tracing(const char *file, const char *value)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC | O_TRUNC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0) {
        die(PROBE_FAILED, "%s: %s", file, strerror(errno));
    }
    close(fd);
}

/* Devices' faults and exits are left out: they are no memory, and many. */
static void start_trace(void)
{
    set_tracing(TRACING "buffer_size_kb", "16384");
    set_tracing(TRACING "events/kvm/kvm_guest_fault/filter", "ipa >= 0xc0000000");
    set_tracing(TRACING "events/kvm/kvm_userspace_exit/filter", "reason == 24");
    set_tracing(TRACING "events/kvm/kvm_guest_fault/enable", "1");
    set_tracing(TRACING "events/kvm/kvm_userspace_exit/enable", "1");
    set_tracing(TRACING "events/kvm/kvm_toggle_cache/enable", "1");
    set_tracing(TRACING "events/kvm/kvm_set_way_flush/enable", "1");
    set_tracing(TRACING "events/kvm/kvm_unmap_hva_range/enable", "1");
}

static void print_trace(void)
{
    FILE *in = fopen(TRACING "trace", "r");
    char line[256];
    set_tracing(TRACING "tracing_on", "0");
    while (in && fgets(line, sizeof line, in)) {
        fputs(line, stdout);
    }
    if (!in || fclose(in) != 0) {
        die(PROBE_FAILED, TRACING "trace: %s", strerror(errno));
    }
}

int main(int count, char **words)
{
    if (count < 2) {
        die(PROBE_MISSING, "boot 4k|thp [count]");
    }
    bool counts = count > 2 && strcmp(words[2], "count") == 0;
    if (counts) {
        start_trace();
        counting_start();
    }
    create(strcmp(words[1], "thp") == 0 ? BACKING_THP : BACKING_4K);
    reset();
    boot();
    counting_phase_end("boot1");
    reset();
    counting_phase_end("reset1");
    boot();
    counting_phase_end("boot2");
    if (counts) {
        print_trace();
    }
    printf("end\n");
    return 0;
}
