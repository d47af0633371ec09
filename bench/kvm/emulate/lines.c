/*
 * lines - a TCG plugin that counts what a window of an emulated machine touches.
 *
 * For each window (window.h) it writes of the CPU which opened it: the distinct 64-byte lines of
 * data that it read or wrote, its instructions, the distinct lines of code that these are in, and
 * how many of them were TLBI and DSB.
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
#define CODE_MARK (UINT64_C(1) << 63) /* a line of code: the same line of data is another one */
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
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
#if PLUGIN_VERSION < 3
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#else
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *data, size_t size);
#endif
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t i);

EXPORT int qemu_plugin_version = PLUGIN_VERSION;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

#define NO_FLAGS 0
#define ACCESS_BOTH 3

static FILE *report;
static bool open;
static unsigned owner; /* the CPU that opened the window */
static uint64_t data_lines, code_lines, insns, tlbis, dsbs;
/* An open hash table; a slot is of this window if its number is. */
static uint64_t lines[TABLE_MASK + 1];
static uint32_t window_of[TABLE_MASK + 1], window;

/* Whether the line is the window's first sight of it. */
static bool is_new(uint64_t line)
{
    uint64_t at = line * UINT64_C(0x9e3779b97f4a7c15) >> (64 - TABLE_BITS);
    while (window_of[at] == window && lines[at] != line) {
        at = (at + 1) & TABLE_MASK;
    }
    if (window_of[at] == window) {
        return false;
    }
    window_of[at] = window;
    lines[at] = line;
    return true;
}

static void open_window(unsigned cpu)
{
    open = true;
    owner = cpu;
    window++;
    data_lines = code_lines = insns = tlbis = dsbs = 0;
}

static void close_window(void)
{
    if (open) {
        fprintf(report, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", data_lines,
                insns, code_lines, tlbis, dsbs);
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
        data_lines += is_new(address >> LINE_BITS);
    }
}

/* Instructions that follow one another. */
struct run {
    uint64_t start;
    uint32_t insns, tlbis, dsbs;
};

static void run_seen(unsigned cpu, void *data)
{
    const struct run *run = data;
    if (open && cpu == owner) {
        insns += run->insns;
        tlbis += run->tlbis;
        dsbs += run->dsbs;
        uint64_t last = run->start + 4 * (uint64_t)run->insns - 1;
        for (uint64_t at = run->start >> LINE_BITS; at <= last >> LINE_BITS; at++) {
            code_lines += is_new(at | CODE_MARK);
        }
    }
}

static uint32_t bits_of(const struct qemu_plugin_insn *insn)
{
    uint32_t bits = 0;
#if PLUGIN_VERSION < 3
    memcpy(&bits, qemu_plugin_insn_data(insn), sizeof bits);
#else
    qemu_plugin_insn_data(insn, &bits, sizeof bits);
#endif
    return bits;
}

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    size_t count = qemu_plugin_tb_n_insns(block);
    struct run *run = calloc(1, sizeof *run); /* as long as the machine runs */
    if (!run || count == 0) {
        abort();
    }
    run->start = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    run->insns = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_of(qemu_plugin_tb_get_insn(block, i));
        run->tlbis += (bits & 0xfff8f000) == 0xd5088000; /* SYS with CRn 8 */
        run->dsbs += (bits & 0xfffff0ff) == 0xd503309f;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(block, run_seen, NO_FLAGS, run);
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
