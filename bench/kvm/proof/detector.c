/*
 * detector - a TCG plugin that reports each read and fetch that could get old bytes.
 *
 * It feeds shadow.h with what QEMU executes: accesses, fetches, DC, IC and DSB, of the host and
 * of guests. Whether an access goes through the caches follows from HCR_EL2 and SCTLR of the
 * regime; with the MMU on, memory is taken as Write-Back.
 *
 *   -plugin detector.so,ram=BASE:BYTES,report=FILE[,dic=off][,dc=off][,without=RULE]
 *
 * CTR_EL0.IDC and .DIC are the machine's; dic=off takes the I-caches as not coherent all the same.
 * dc=off takes the host's DC CIVAC as not done: a control, for a kernel whose code stays as it is.
 */
#include "qemu.h"
#include "shadow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VCPUS 16
#define NO_PAGE UINT64_MAX

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_API_VERSION;
PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc,
                                      char **argv);

enum who { HOST_USER, HOST_KERNEL, GUEST_OFF, GUEST_ON, WHOS };
static const char *const who_name[] = {"host EL0", "host", "guest (MMU off)", "guest (MMU on)"};
static const char *const where_name[] = {"memory", "a data cache", "the PoU", "an I-cache",
                                         "everywhere"};

/* --- what a vCPU is in --- */

enum {
    REG_X0 = 0,
    REG_CPSR = 31,
    REG_HCR,
    REG_SCTLR_EL1,
    REG_SCTLR_EL2,
    REG_CTR,
    REG_CLIDR,
    REG_MMFR2,
    REGS
};
static const char *const register_name[] = {[REG_CPSR] = "cpsr",
                                            [REG_HCR] = "HCR_EL2",
                                            [REG_SCTLR_EL1] = "SCTLR_EL1",
                                            [REG_SCTLR_EL2] = "SCTLR_EL2",
                                            [REG_CTR] = "CTR_EL0",
                                            [REG_CLIDR] = "CLIDR",
                                            [REG_MMFR2] = "ID_AA64MMFR2_EL1"};

static struct vcpu {
    void *handle[REGS];
    bool known; /* what follows is of now */
    enum who who;
    bool guest, data_past, fetch_past;
    uint64_t page, page_physical; /* what maintenance was last done on; see translate() */
} vcpus[VCPUS];
static bool hides_dic, ignores_dc;

#define HCR_VM (UINT64_C(1) << 0)
#define HCR_DC (UINT64_C(1) << 12)
#define HCR_TGE (UINT64_C(1) << 27)
#define HCR_E2H (UINT64_C(1) << 34)
#define HCR_FWB (UINT64_C(1) << 46)
#define SCTLR_M (UINT64_C(1) << 0)
#define SCTLR_C (UINT64_C(1) << 2)
#define SCTLR_I (UINT64_C(1) << 12)

static uint64_t read_register(const struct vcpu *vcpu, int which)
{
    static GByteArray *buffer;
    uint64_t value = 0;
    buffer = buffer ? buffer : g_byte_array_new();
    g_byte_array_set_size(buffer, 0);
    if (!vcpu->handle[which] || !qemu_plugin_read_register(vcpu->handle[which], buffer)) {
        fprintf(stderr, "detector: register %d can't be read\n", which);
        exit(1);
    }
    memcpy(&value, buffer->data, buffer->len < 8 ? buffer->len : 8);
    return value;
}

/* CTR_EL0.IDC as it is in effect: 1 also where no level has to be cleaned to the PoU, which
 * FEAT_S2FWB demands. */
static void look_at_caches(const struct vcpu *vcpu)
{
    uint64_t ctr = read_register(vcpu, REG_CTR), clidr = read_register(vcpu, REG_CLIDR);
    bool levels = (clidr >> 21 & 7) || (clidr >> 27 & 7);
    bool has_fwb = read_register(vcpu, REG_MMFR2) >> 40 & 15;
    shadow_caches((ctr >> 28 & 1) || !levels || has_fwb, (ctr >> 29 & 1) && !hides_dic);
}

static void look(struct vcpu *vcpu)
{
    static bool looked;
    if (!looked) {
        look_at_caches(vcpu);
        looked = true;
    }
    unsigned el = (unsigned)read_register(vcpu, REG_CPSR) >> 2 & 3;
    uint64_t hcr = read_register(vcpu, REG_HCR);
    bool host_el0 = el == 0 && (hcr & HCR_TGE) && (hcr & HCR_E2H);
    bool el2 = el == 2 || host_el0;
    uint64_t sctlr = read_register(vcpu, el2 ? REG_SCTLR_EL2 : REG_SCTLR_EL1);
    bool on = sctlr & SCTLR_M;
    vcpu->guest = !el2 && el < 2 && (hcr & HCR_VM);
    bool forced = vcpu->guest && SHADOW_HAS(FORCED) && ((hcr & HCR_FWB) || (!on && (hcr & HCR_DC)));
    vcpu->data_past = !(on && (sctlr & SCTLR_C)) && !forced && SHADOW_HAS(OFF);
    vcpu->fetch_past = !(sctlr & SCTLR_I) && !forced && SHADOW_HAS(OFF_FETCH);
    vcpu->who = vcpu->guest ? on ? GUEST_ON : GUEST_OFF : el == 0 ? HOST_USER : HOST_KERNEL;
    vcpu->known = true;
}

static void find_registers(unsigned index, void *data)
{
    (void)data;
    GArray *all = qemu_plugin_get_registers();
    for (guint i = 0; i < all->len; i++) {
        const struct plugin_register *reg = &g_array_index(all, struct plugin_register, i);
        int number;
        if (sscanf(reg->name, "x%d", &number) == 1 && number < 31) {
            vcpus[index].handle[REG_X0 + number] = reg->handle;
        }
        for (int which = REG_CPSR; which < REGS; which++) {
            if (strcmp(reg->name, register_name[which]) == 0) {
                vcpus[index].handle[which] = reg->handle;
            }
        }
    }
    g_array_free(all, true);
    vcpus[index].page = NO_PAGE;
}

/* --- what is found --- */

static struct row {
    uint64_t reads, lines, address, pc;
    struct shadow_writer writer;
    bool seen;
} rows[WHOS][2][3][5];
static uint16_t *seen_lines[WHOS][2]; /* a bit for each outcome and place */
static uint64_t ram_base, ram_bytes;
static const char *report_path;

static void found(const struct vcpu *vcpu, bool fetch, uint64_t address, uint64_t pc,
                  struct shadow_answer answer)
{
    if (answer.found == FOUND_NEW) {
        return;
    }
    struct row *row = &rows[vcpu->who][fetch][answer.found][answer.where];
    uint64_t line = (address - ram_base) / LINE_BYTES;
    uint16_t *seen = &seen_lines[vcpu->who][fetch][line];
    unsigned bit = (answer.found - FOUND_OLD_AHEAD) * 5 + answer.where;
    if (!row->seen) {
        row->seen = true;
        row->address = address;
        row->pc = pc;
        row->writer = answer.writer;
    }
    row->reads++;
    row->lines += !(*seen >> bit & 1);
    *seen |= (uint16_t)(1u << bit);
}

/* --- counts of instructions --- */

#define COUNTS(X) \
    X(DC_IVAC)    \
    X(DC_CVAC)    \
    X(DC_CVAU) X(DC_CIVAC) X(DC_ZVA) X(IC_IALLU) X(IC_IVAU) X(SETWAY) X(DSB) X(UNTRANSLATED)
#define COUNT_NAME(name) COUNT_##name,
enum count { COUNTS(COUNT_NAME) COUNT_KINDS };
#undef COUNT_NAME
#define COUNT_TEXT(name) #name,
static const char *const count_name[] = {COUNTS(COUNT_TEXT)};
static uint64_t counts[2][COUNT_KINDS]; /* of hosts, of guests */

/* --- calls from QEMU --- */

static uint64_t end_of_line(uint64_t at, uint64_t end)
{
    uint64_t next = (at | (LINE_BYTES - 1)) + 1;
    return next < end ? next : end;
}

static void accessed(unsigned index, uint32_t info, uint64_t address, void *pc)
{
    struct vcpu *vcpu = &vcpus[index];
    struct plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, address);
    if (!where || qemu_plugin_hwaddr_is_io(where)) {
        return;
    }
    uint64_t physical = qemu_plugin_hwaddr_phys_addr(where);
    uint64_t end = physical + (UINT64_C(1) << qemu_plugin_mem_size_shift(info));
    for (uint64_t at = physical, next; at < end; at = next) {
        next = end_of_line(at, end);
        if (!shadow_holds(at)) {
            return;
        }
        if (qemu_plugin_mem_is_store(info)) {
            shadow_write(at, next - at, vcpu->data_past,
                         (struct shadow_writer){(uint64_t)pc, (uint8_t)vcpu->who, (uint8_t)index});
        } else {
            found(vcpu, false, at, (uint64_t)pc, shadow_read(at, vcpu->data_past));
        }
    }
}

/* A block's lines: at most two pages. */
struct block {
    uint64_t pc, physical[2];
    uint32_t bytes[2];
    uint64_t checked; /* shadow_code_changes, when its lines were fetched last */
    enum who by;
};

static void executed(unsigned index, void *data)
{
    struct vcpu *vcpu = &vcpus[index];
    struct block *block = data;
    if (!vcpu->known) {
        look(vcpu);
    }
    if (block->checked == shadow_code_changes && block->by == vcpu->who) {
        return;
    }
    for (int part = 0; part < 2; part++) {
        uint64_t at = block->physical[part], end = at + block->bytes[part];
        for (uint64_t next; at < end && shadow_holds(at); at = next) {
            next = end_of_line(at, end);
            found(vcpu, true, at, block->pc, shadow_fetch(at, next - at, vcpu->fetch_past));
        }
    }
    block->checked = shadow_code_changes;
    block->by = vcpu->who;
}

static void zero_block(unsigned index, uint64_t physical)
{
    struct vcpu *vcpu = &vcpus[index];
    if (SHADOW_HAS(ZERO)) {
        shadow_write(physical, LINE_BYTES, vcpu->data_past,
                     (struct shadow_writer){0, (uint8_t)vcpu->who, (uint8_t)index});
    }
}

#define SYS(op1, crn, crm, op2) \
    (UINT32_C(0xd5080000) | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)

static const struct {
    uint32_t insn;
    enum count count;
    enum shadow_op op;
} maintenance[] = {
    {SYS(0u, 7u, 6u, 1u), COUNT_DC_IVAC, DO_DROP},
    {SYS(3u, 7u, 10u, 1u), COUNT_DC_CVAC, DO_CLEAN_POC},
    {SYS(3u, 7u, 11u, 1u), COUNT_DC_CVAU, DO_CLEAN_POU},
    {SYS(3u, 7u, 14u, 1u), COUNT_DC_CIVAC, DO_CLEAN_DROP},
    {SYS(3u, 7u, 5u, 1u), COUNT_IC_IVAU, DO_ICACHE_LINE},
    {SYS(0u, 7u, 1u, 0u), COUNT_IC_IALLU, DO_ICACHE_ALL},
    {SYS(0u, 7u, 5u, 0u), COUNT_IC_IALLU, DO_ICACHE_ALL},
};

/* Maintenance goes through pages line by line. A page stays where it is until a DSB, an exception
 * or another table: what maps it elsewhere needs one of them. */
static bool translate(struct vcpu *vcpu, uint64_t address, uint64_t *physical)
{
    uint64_t offset = address & (PAGE_BYTES - 1), page = address - offset;
    if (vcpu->page != page) {
        vcpu->page = NO_PAGE;
        if (!qemu_plugin_translate_vaddr(page, &vcpu->page_physical)) {
            return false;
        }
        vcpu->page = page;
    }
    *physical = vcpu->page_physical + offset;
    return true;
}

static void maintained(unsigned index, void *data)
{
    struct vcpu *vcpu = &vcpus[index];
    uint32_t insn = (uint32_t)(uintptr_t)data, number = insn & 31;
    uint64_t physical = 0;
    bool zero = (insn & ~31u) == SYS(3u, 7u, 4u, 1u);
    for (size_t i = 0; i < sizeof maintenance / sizeof *maintenance; i++) {
        bool all = maintenance[i].op == DO_ICACHE_ALL;
        if (!zero && maintenance[i].insn != (insn & ~31u)) {
            continue;
        }
        uint64_t address = number == 31 || all ? 0 : read_register(vcpu, REG_X0 + (int)number);
        counts[vcpu->guest][zero ? COUNT_DC_ZVA : maintenance[i].count]++;
        if (!all && (!translate(vcpu, address, &physical) || !shadow_holds(physical))) {
            counts[vcpu->guest][COUNT_UNTRANSLATED]++;
        } else if (zero) {
            zero_block(index, physical & ~(LINE_BYTES - 1));
        } else if (!ignores_dc || vcpu->guest || maintenance[i].op != DO_CLEAN_DROP) {
            /* HCR_EL2.VM makes a guest's DC IVAC clean as well. */
            bool cleans = maintenance[i].op == DO_DROP && vcpu->guest;
            shadow_maintain(index, cleans ? DO_CLEAN_DROP : maintenance[i].op, physical);
        }
        return;
    }
}

static void barrier(unsigned index, void *data)
{
    (void)data;
    counts[vcpus[index].guest][COUNT_DSB]++;
    vcpus[index].page = NO_PAGE;
    shadow_dsb(index);
}

static void set_way(unsigned index, void *data)
{
    (void)data;
    counts[vcpus[index].guest][COUNT_SETWAY]++;
}

static void changes(unsigned index, void *data)
{
    (void)data;
    vcpus[index].known = false;
    vcpus[index].page = NO_PAGE;
}

static void discontinued(unsigned index, int type, uint64_t from, uint64_t to, void *data)
{
    (void)type;
    (void)from;
    (void)to;
    changes(index, data);
}

/* --- translation --- */

static bool is_maintenance(uint32_t insn)
{
    bool is = (insn & ~31u) == SYS(3u, 7u, 4u, 1u);
    for (size_t i = 0; i < sizeof maintenance / sizeof *maintenance; i++) {
        is |= maintenance[i].insn == (insn & ~31u);
    }
    return is;
}

static bool is_set_way(uint32_t insn)
{
    uint32_t sys = insn & ~31u;
    return sys == SYS(0u, 7u, 6u, 2u) || sys == SYS(0u, 7u, 10u, 2u) || sys == SYS(0u, 7u, 14u, 2u);
}

/* MSR to SCTLR_EL1, _EL2, _EL12 and HCR_EL2, to TTBR0_EL1 and TTBR1_EL1 (at EL2 with VHE those of
 * EL2); ERET in its three forms. */
static bool changes_what_a_vcpu_is_in(uint32_t insn)
{
    uint32_t sys = insn & ~31u;
    return sys == 0xd5181000 || sys == 0xd51c1000 || sys == 0xd51d1000 || sys == 0xd51c1100 ||
           sys == 0xd5182000 || sys == 0xd5182020 || insn == 0xd69f03e0 || insn == 0xd69f0bff ||
           insn == 0xd69f0fff;
}

static void translated(struct plugin_block *code, void *data)
{
    (void)data;
    struct block *block = g_new0(struct block, 1);
    size_t count = qemu_plugin_tb_n_insns(code);
    for (size_t i = 0; i < count; i++) {
        struct plugin_insn *insn = qemu_plugin_tb_get_insn(code, i);
        uint64_t pc = qemu_plugin_insn_vaddr(insn);
        void *at = (void *)(uintptr_t)pc;
        uint32_t bits = 0;
        qemu_plugin_insn_data(insn, &bits, sizeof bits);
        block->pc = i == 0 ? pc : block->pc;
        int part = (pc ^ block->pc) >= PAGE_BYTES;
        if (block->bytes[part] == 0) {
            uint64_t physical = 0;
            block->physical[part] = qemu_plugin_translate_vaddr(pc, &physical) ? physical : 0;
        }
        block->bytes[part] += 4;
        void *whole = (void *)(uintptr_t)bits;
        if (is_maintenance(bits)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, maintained, REGISTERS_READ, whole);
        } else if ((bits & 0xfffff0ff) == 0xd503309f) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, barrier, REGISTERS_NONE, NULL);
        } else if (is_set_way(bits)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, set_way, REGISTERS_NONE, NULL);
        } else if (changes_what_a_vcpu_is_in(bits)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, changes, REGISTERS_NONE, NULL);
        }
        qemu_plugin_register_vcpu_mem_cb(insn, accessed, REGISTERS_NONE, ACCESS_BOTH, at);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(code, executed, REGISTERS_READ, block);
}

/* --- report --- */

static void write_row(FILE *out, int who, int fetch, int outcome, int where)
{
    const struct row *row = &rows[who][fetch][outcome][where];
    if (row->seen) {
        fprintf(out,
                "%s,%s,%s,%s,%" PRIu64 ",%" PRIu64 ",0x%" PRIx64 ",0x%" PRIx64 ",%s,0x%" PRIx64
                "\n",
                fetch ? "fetch" : "data", who_name[who], outcome == FOUND_OLD ? "old" : "old-ahead",
                where_name[where], row->lines, row->reads, row->address, row->pc,
                who_name[row->writer.who], row->writer.pc);
    }
}

static void report(void *data)
{
    (void)data;
    FILE *out = fopen(report_path, "w");
    if (!out) {
        fprintf(stderr, "detector: can't write %s\n", report_path);
        return;
    }
    fprintf(out, "what,reader,found,where,lines,reads,first_address,first_pc,writer,writer_pc\n");
    for (int i = 0; i < WHOS * 2 * 3 * 5; i++) {
        write_row(out, i / 30, i / 15 % 2, i / 5 % 3, i % 5);
    }
    for (int i = 0; i < COUNT_KINDS; i++) {
        fprintf(out, "count,%s,host,%" PRIu64 ",guest,%" PRIu64 "\n", count_name[i], counts[0][i],
                counts[1][i]);
    }
    fclose(out);
}

/* --- start --- */

static bool take(const char *argument)
{
    const char *value = strchr(argument, '=');
    size_t length = value ? (size_t)(value - argument) : strlen(argument);
    value = value ? value + 1 : "";
    if (strncmp(argument, "ram=", 4) == 0) {
        return sscanf(value, "%" SCNx64 ":%" SCNx64, &ram_base, &ram_bytes) == 2;
    }
    if (strncmp(argument, "report", length) == 0) {
        report_path = strdup(value);
        return report_path != NULL;
    }
    bool hide = strcmp(argument, "dic=off") == 0, ignore = strcmp(argument, "dc=off") == 0;
    if (hide || ignore) {
        hides_dic |= hide;
        ignores_dc |= ignore;
        return true;
    }
    return strncmp(argument, "without", length) == 0 && shadow_leave_out(value);
}

int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!take(argv[i])) {
            fprintf(stderr, "detector: what is %s?\n", argv[i]);
            return 1;
        }
    }
    if (strcmp(info->target_name, "aarch64") != 0 || info->system.max_vcpus > VCPUS ||
        ram_bytes == 0 || !report_path || !shadow_init(ram_base, ram_bytes)) {
        fprintf(stderr, "detector: needs aarch64, up to %d vCPUs, ram= and report=\n", VCPUS);
        return 1;
    }
    for (int i = 0; i < WHOS * 2; i++) {
        seen_lines[i / 2][i % 2] = calloc(ram_bytes / LINE_BYTES, sizeof **seen_lines[0]);
    }
    qemu_plugin_register_vcpu_init_cb(id, find_registers, NULL);
    qemu_plugin_register_vcpu_discon_cb(id, AN_INTERRUPT | AN_EXCEPTION, discontinued, NULL);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated, NULL);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
