/*
 * lines - a TCG plugin that counts what a window of an emulated machine touches.
 *
 * For each window (window.h) it writes the number of distinct 64-byte lines of data that the CPU
 * which opened it read or wrote, and the instructions of that CPU.
 *
 *   -plugin lines.so,report=FILE
 *
 * QEMU's interface for plugins is declared here as far as it is used, for not every package of QEMU
 * has its header. PLUGIN_VERSION is that interface's: 1 in QEMU 7.2.
 */
#include "window.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION 1
#endif
#define EXPORT __attribute__((visibility("default")))

#define LINE_BITS 6
#define TABLE_BITS 22
#define TABLE_MASK ((UINT64_C(1) << TABLE_BITS) - 1)

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t plugin_id;
typedef void (*on_translation)(plugin_id id, struct qemu_plugin_tb *block);
typedef void (*on_access)(unsigned cpu, uint32_t info, uint64_t address, void *data);
typedef void (*on_block)(unsigned cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, on_translation callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, on_block callback,
                                          int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, on_access callback, int flags,
                                      int accesses, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t i);

EXPORT int qemu_plugin_version = PLUGIN_VERSION;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

#define NO_FLAGS 0
#define ACCESS_BOTH 3

static FILE *report;
static bool open;
static unsigned owner; /* the CPU that opened the window */
static uint64_t distinct, insns;
/* An open hash table; a slot is of this window if its number is. */
static uint64_t lines[TABLE_MASK + 1];
static uint32_t window_of[TABLE_MASK + 1], window;

static void note_line(uint64_t line)
{
    uint64_t at = line * UINT64_C(0x9e3779b97f4a7c15) >> (64 - TABLE_BITS);
    while (window_of[at] == window && lines[at] != line) {
        at = (at + 1) & TABLE_MASK;
    }
    if (window_of[at] != window) {
        window_of[at] = window;
        lines[at] = line;
        distinct++;
    }
}

static void open_window(unsigned cpu)
{
    open = true;
    owner = cpu;
    window++;
    distinct = insns = 0;
}

static void close_window(void)
{
    if (open) {
        fprintf(report, "%" PRIu64 ",%" PRIu64 "\n", distinct, insns);
        fflush(report);
    }
    open = false;
}

static void access_seen(unsigned cpu, uint32_t info, uint64_t address, void *data)
{
    (void)info;
    (void)data;
    if (address == WINDOW_AT) {
        open_window(cpu);
    } else if (address == WINDOW_AT + WINDOW_CLOSE) {
        close_window();
    } else if (open && cpu == owner) {
        note_line(address >> LINE_BITS);
    }
}

static void block_seen(unsigned cpu, void *data)
{
    insns += open && cpu == owner ? (uintptr_t)data : 0;
}

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    size_t count = qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, block_seen, NO_FLAGS, (void *)(uintptr_t)count);
    for (size_t i = 0; i < count; i++) {
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(block, i), access_seen, NO_FLAGS,
                                         ACCESS_BOTH, NULL);
    }
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    static const char key[] = "report=";
    const char *path =
        argc == 1 && strncmp(argv[0], key, strlen(key)) == 0 ? argv[0] + strlen(key) : NULL;
    report = path ? fopen(path, "w") : NULL;
    if (!report) {
        fprintf(stderr, "lines: report=FILE, a file that can be written, is needed\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
