/*
 * qemu - runs QEMU as the VMM of a Linux guest that reboots in place, until it has booted twice, as
 * the host's only process.
 *
 *   qemu thp|4k reboot|kexec WORDS...    its last program; WORDS for QEMU, behind what each guest
 * needs
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A flash chip of QEMU's virt; where the firmware ends, zeros follow. */
#define FIRMWARE "/guest/efi.fd"
#define FLASH_BYTES 0x4000000
#define HUGE_PAGES "/sys/kernel/mm/transparent_hugepage/enabled"

/* The guest is the kernel /guest/Image; init of /guest/reboot or /guest/kexec runs /guest. */
static char append[64], initrd[64];
static char *first_words[] = {"/vmm/ld-linux-aarch64.so.1",
                              "--library-path",
                              "/vmm",
                              "/vmm/qemu-system-aarch64",
                              "-machine",
                              "virt,accel=kvm,gic-version=host,dtb-randomness=off",
                              "-cpu",
                              "host",
                              "-L",
                              "/vmm",
                              "-m",
                              "256",
                              "-nodefaults",
                              "-display",
                              "none",
                              "-serial",
                              "stdio",
                              "-kernel",
                              "/guest/Image",
                              "-initrd",
                              initrd,
                              "-append",
                              append};

/* Huge pages are what init.c has set up: QEMU asks for them. */
static void forbid_huge_pages(void)
{
    int fd = open(HUGE_PAGES, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "never", 5) != 5) {
        die(PROBE_FAILED, "%s: %s", HUGE_PAGES, strerror(errno));
    }
    close(fd);
}

static pid_t start(char **words, int count, FILE **console)
{
    enum { FIRST = sizeof first_words / sizeof *first_words, MOST = 64 };
    char *all[MOST + 1] = {0};
    int ends[2];
    if (FIRST + count > MOST || pipe(ends) != 0) {
        die(PROBE_FAILED, "QEMU can't be started");
    }
    memcpy(all, first_words, sizeof first_words);
    memcpy(all + FIRST, words, (size_t)count * sizeof *words);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execv(all[0], all);
        die(PROBE_MISSING, "%s: %s", all[0], strerror(errno));
    }
    close(ends[1]);
    *console = fdopen(ends[0], "r");
    if (child < 0 || !*console) {
        die(PROBE_FAILED, "QEMU can't be started: %s", strerror(errno));
    }
    return child;
}

int main(int count, char **words)
{
    char line[512];
    int boots = 0;
    FILE *console;
    if (count < 3) {
        die(PROBE_MISSING, "qemu thp|4k reboot|kexec WORDS...");
    }
    snprintf(initrd, sizeof initrd, "/guest/%s", words[2]);
    snprintf(append, sizeof append, "console=ttyAMA0 quiet panic=-1 -- /guest %s", words[2]);
    if (strcmp(words[1], "4k") == 0) {
        forbid_huge_pages();
    }
    if (truncate(FIRMWARE, FLASH_BYTES) != 0) {
        die(PROBE_MISSING, FIRMWARE ": %s", strerror(errno));
    }
    pid_t child = start(words + 3, count - 3, &console);
    while (boots < 2 && fgets(line, sizeof line, console)) {
        fputs(line, stdout);
        fflush(stdout);
        boots += strstr(line, "booted") != NULL;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("%s\n", boots == 2 ? "end" : "QEMU ended too early");
    return boots == 2 ? 0 : PROBE_FAILED;
}
