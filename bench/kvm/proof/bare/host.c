/* A host at EL2 that does what KVM and a VMM do at a guest's reboot, by one of many policies. */
#include <stdbool.h>
#include <stdint.h>

/* A word at the start of RAM says what to do. */
#define POLICY (*(volatile uint32_t *)0x40000000)
enum {
    UNMAP = 1, /* at the reset, stage 2 is unmapped */
    UNMAP_CLEANS = 2, /* and each leaf is cleaned */
    FAULT_CLEANS = 4, /* a fault cleans the leaf that it maps */
    FAULT_ICACHE = 8, /* and invalidates I-caches */
    FLUSH_BEFORE = 16, /* all that is mapped is cleaned before the rewrite */
    FLUSH_AFTER = 32, /* behind it */
    RESET_ICACHE = 64, /* I-caches are invalidated behind it */
    NO_DSB = 128, /* no DSB stands behind a fault's clean */
    FWB = 256,
    ALIASED = 512, /* the second guest */
    MISMATCHED = 1024, /* for which the host's accesses are not cacheable */
    GUEST_I = 2048, /* with its MMU off the guest has SCTLR_EL1.I = 1 */
    GUEST_KEEPS = 4096, /* the guest does not invalidate what it wrote with its MMU off */
    GUEST_NO_CLEAN = 8192, /* nor clean the code that it moves */
    WRITE_FIRST = 16384, /* of aliased lines the host reads what it just wrote */
    GUEST_PATCHES = 32768, /* the guest changes code of its page, cleans, and leaves I-caches */
    LOAD_CLEANS = 65536, /* the VMM cleans what it wrote, but not what it cleared */
};

#define GUEST_PA UINT64_C(0x50000000)
#define GUEST_IPA UINT64_C(0x80000000)
#define GUEST_BYTES UINT64_C(0x400000)
#define LEAF_BYTES UINT64_C(0x200000)
#define LEAVES (GUEST_BYTES / LEAF_BYTES)
#define DATA 0x10000
#define CLEARED 0x18000
#define TABLE 0x300000
#define LINES 64

extern const uint8_t relocated_start[], relocated_end[], aliased_start[], aliased_end[];
uint64_t enter(uint64_t *registers);
void host_main(void);
void host_failed(uint64_t esr, uint64_t elr, uint64_t far);

static uint64_t stage2_l1[512] __attribute__((aligned(4096)));
static uint64_t stage2_l2[512] __attribute__((aligned(4096)));

#define WRITE_REGISTER(name, value) __asm__ volatile("msr " #name ", %0" : : "r"(value))
#define READ_REGISTER(name)                                \
    ({                                                     \
        uint64_t value_;                                   \
        __asm__ volatile("mrs %0, " #name : "=r"(value_)); \
        value_;                                            \
    })
#define DO(text) __asm__ volatile(text : : : "memory")

/* --- console --- */

static void put(const char *text)
{
    for (; *text; text++) {
        *(volatile uint32_t *)0x09000000 = (uint8_t)*text;
    }
}

static void put_number(uint64_t number)
{
    for (int shift = 60; shift >= 0; shift -= 4) {
        const char digit[] = {"0123456789abcdef"[number >> shift & 15], 0};
        put(digit);
    }
}

void host_failed(uint64_t esr, uint64_t elr, uint64_t far)
{
    put("failed: esr ");
    put_number(esr);
    put(" elr ");
    put_number(elr);
    put(" far ");
    put_number(far);
    put("\n");
}

/* --- what KVM does --- */

static void clean(uint64_t start, uint64_t bytes)
{
    for (uint64_t at = start; at < start + bytes; at += 64) {
        __asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
    }
}

static void invalidate_icache(void)
{
    DO("ic ialluis");
    DO("dsb ish");
    DO("isb");
}

static uint64_t *leaf(uint64_t index)
{
    return &stage2_l2[index];
}

static void map(uint64_t index)
{
    uint64_t attributes = POLICY & FWB ? 6 : 15;
    if (POLICY & FAULT_ICACHE) {
        invalidate_icache();
    }
    if (POLICY & FAULT_CLEANS) {
        clean(GUEST_PA + index * LEAF_BYTES, LEAF_BYTES);
    }
    *leaf(index) =
        (GUEST_PA + index * LEAF_BYTES) | 1 | attributes << 2 | 3 << 6 | 3 << 8 | 1 << 10;
    if (!(POLICY & NO_DSB)) {
        DO("dsb ish");
    }
}

static void unmap_all(void)
{
    for (uint64_t i = 0; i < LEAVES; i++) {
        bool mapped = *leaf(i) & 1;
        *leaf(i) = 0;
        DO("dsb ish");
        DO("tlbi vmalls12e1is");
        DO("dsb ish");
        DO("isb");
        if (mapped && POLICY & UNMAP_CLEANS) {
            clean(GUEST_PA + i * LEAF_BYTES, LEAF_BYTES);
            DO("dsb sy");
        }
    }
}

static void flush_all(void)
{
    for (uint64_t i = 0; i < LEAVES; i++) {
        if (*leaf(i) & 1) {
            clean(GUEST_PA + i * LEAF_BYTES, LEAF_BYTES);
            DO("dsb sy");
        }
    }
}

static void prepare_stage2(void)
{
    stage2_l1[GUEST_IPA >> 30] = (uint64_t)stage2_l2 | 3;
    DO("dsb ish");
    WRITE_REGISTER(vtcr_el2, UINT64_C(0x80023559)); /* 39 bits, from level 1; 40 bits out */
    WRITE_REGISTER(vttbr_el2, (uint64_t)stage2_l1);
    WRITE_REGISTER(hcr_el2, UINT64_C(1) << 31 | 1 | (POLICY & FWB ? UINT64_C(1) << 46 : 0));
    DO("isb");
}

/* --- what the VMM does --- */

static void load(const uint8_t *start, const uint8_t *end, uint64_t seed)
{
    volatile uint8_t *code = (volatile uint8_t *)GUEST_PA;
    for (uint64_t i = 0; start + i < end; i++) {
        code[i] = start[i];
    }
    for (uint64_t i = 0; i < LINES; i++) {
        *(volatile uint64_t *)(GUEST_PA + DATA + 64 * i) = seed + i;
        __asm__ volatile("dc zva, %0" : : "r"(GUEST_PA + CLEARED + 64 * i) : "memory");
    }
    if (POLICY & LOAD_CLEANS) {
        clean(GUEST_PA, (uint64_t)(end - start) + 64);
        clean(GUEST_PA + DATA, 64 * LINES);
        DO("dsb sy");
    }
}

static void load_guests_table(void)
{
    volatile uint64_t *table = (volatile uint64_t *)(GUEST_PA + TABLE);
    for (uint64_t i = 0; i < 512; i++) {
        table[i] = i == GUEST_IPA >> 30 ? GUEST_IPA | 0x701 : 0;
    }
}

static void reset(uint64_t *registers)
{
    for (int i = 0; i < 31; i++) {
        registers[i] = 0;
    }
    registers[20] = POLICY;
    WRITE_REGISTER(sctlr_el1, UINT64_C(0x30d00800) | (POLICY & GUEST_I ? 0x1000 : 0));
    WRITE_REGISTER(spsr_el2, UINT64_C(0x3c5));
    WRITE_REGISTER(elr_el2, GUEST_IPA);
    DO("isb");
}

/* Until the guest calls; what it calls with. */
static unsigned run(uint64_t *registers)
{
    for (;;) {
        uint64_t esr = enter(registers), class = esr >> 26 & 63;
        if (class == 0x16) {
            return esr & 0xffff;
        }
        uint64_t ipa = READ_REGISTER(hpfar_el2) >> 4 << 12;
        uint64_t index = (ipa - GUEST_IPA) / LEAF_BYTES;
        if ((class != 0x20 && class != 0x24) || index >= LEAVES || *leaf(index) & 1) {
            host_failed(esr, READ_REGISTER(elr_el2), READ_REGISTER(far_el2));
            return 99;
        }
        map(index);
    }
}

/* --- the two stories --- */

static uint64_t sum_from(uint64_t seed)
{
    return seed * LINES + LINES * (LINES - 1) / 2;
}

static void tell(bool right)
{
    put(right ? "sum right\n" : "sum WRONG\n");
}

static void relocated_kernel(uint64_t *registers)
{
    load(relocated_start, relocated_end, 1000);
    load_guests_table();
    reset(registers);
    if (run(registers) != 1) {
        return;
    }
    tell(registers[0] == sum_from(1000));
    if (run(registers) != 2) {
        return;
    }
    if (POLICY & UNMAP) {
        unmap_all();
    }
    if (POLICY & FLUSH_BEFORE) {
        flush_all();
    }
    load(relocated_start, relocated_end, 2000);
    if (POLICY & FLUSH_AFTER) {
        flush_all();
    }
    if (POLICY & RESET_ICACHE) {
        invalidate_icache();
    }
    reset(registers);
    if (run(registers) == 1) {
        tell(registers[0] == sum_from(2000));
        run(registers);
    }
}

static void set_caches(bool on)
{
    uint64_t sctlr = READ_REGISTER(sctlr_el2);
    WRITE_REGISTER(sctlr_el2, on ? sctlr | 4 : sctlr & ~UINT64_C(4));
    DO("isb");
}

static void aliased_lines(uint64_t *registers)
{
    load(aliased_start, aliased_end, 0);
    load_guests_table();
    reset(registers);
    for (uint64_t round = 1; round < 4; round++) {
        if (run(registers) != 1) {
            return;
        }
        volatile uint64_t *data = (volatile uint64_t *)(GUEST_PA + DATA);
        uint64_t sum = 0;
        set_caches(!(POLICY & MISMATCHED));
        for (uint64_t i = 0; i < LINES; i++) {
            sum += POLICY & WRITE_FIRST ? 0 : data[8 * i];
            data[8 * i] = 100 * round + i;
            sum += POLICY & WRITE_FIRST ? data[8 * i] : 0;
        }
        set_caches(true);
        tell(sum == (POLICY & WRITE_FIRST ? sum_from(100 * round) : LINES * (LINES + 1) / 2));
        if (run(registers) != 2) {
            return;
        }
        tell(registers[0] == sum_from(100 * round));
    }
}

void host_main(void)
{
    static uint64_t registers[31];
    prepare_stage2();
    if (POLICY & ALIASED) {
        aliased_lines(registers);
    } else {
        relocated_kernel(registers);
    }
    put("end\n");
}
