/*
 * guest - the last program of a Linux guest that is watched: it has booted, and asks for a reboot.
 *
 *   guest reboot
 *   guest kexec    first boots the kernel in /next in place of the running one
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As guest.dts has them, with RAM at 1 GiB. */
#define KERNEL UINT64_C(0x40200000)
#define INITRD UINT64_C(0x42000000)
#define DTB UINT64_C(0x43000000)
#define ENTRY UINT64_C(0x43100000)

/* Zeros follow behind the file. */
static struct kexec_segment segment(const char *path, uint64_t to, size_t memory)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) {
        die(PROBE_MISSING, "%s: %s", path, strerror(errno));
    }
    size_t bytes = (size_t)file.st_size;
    void *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) {
        die(PROBE_FAILED, "%s: %s", path, strerror(errno));
    }
    return (struct kexec_segment){at, bytes, (void *)(uintptr_t)to, memory};
}

/* What runs between the two kernels: ldr x0, =DTB; x1 to x3 = 0; ldr x4, =KERNEL; br x4. */
static const uint32_t entry[] = {0x580000c0,       0xd2800001,  0xd2800002,    0xd2800003,
                                 0x58000084,       0xd61f0080,  (uint32_t)DTB, DTB >> 32,
                                 (uint32_t)KERNEL, KERNEL >> 32};

static void load_next_kernel(void)
{
    const struct kexec_segment segments[] = {
        segment("/next/Image", KERNEL, 0x1000000),
        segment("/next/initrd", INITRD, 0x400000),
        segment("/next/dtb", DTB, 0x10000),
        {entry, sizeof entry, (void *)(uintptr_t)ENTRY, 0x10000},
    };
    if (syscall(SYS_kexec_load, ENTRY, sizeof segments / sizeof *segments, segments,
                (unsigned long)KEXEC_ARCH_AARCH64) != 0) {
        die(PROBE_FAILED, "no kexec: %s", strerror(errno));
    }
}

/* To the kernel's log, for not every guest has a console of its own. */
static void say_booted(void)
{
    int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    if (log < 0 || write(log, "<0>booted", 9) != 9) {
        die(PROBE_FAILED, "/dev/kmsg: %s", strerror(errno));
    }
}

int main(int count, char **words)
{
    if (count > 1 && strcmp(words[1], "kexec") == 0) {
        load_next_kernel();
        reboot(RB_KEXEC);
    } else if (count > 1 && strcmp(words[1], "reboot") == 0) {
        say_booted();
        reboot(RB_AUTOBOOT);
    }
    die(PROBE_FAILED, "guest reboot|kexec: %s", strerror(errno));
}
