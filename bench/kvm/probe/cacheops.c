#include "cacheops.h"

#if defined(__aarch64__)

static bool always(void)
{
    return true;
}

static void flush_civac(const char *from, const char *to, size_t line)
{
    for (const char *at = from; at < to; at += line) {
        __asm__ volatile("dc civac, %0" ::"r"(at) : "memory");
    }
    __asm__ volatile("dsb sy" ::: "memory");
}

const struct flusher flushers[] = {
    {"dc_civac", always, flush_civac},
    {NULL, NULL, NULL},
};

size_t line_bytes(void)
{
    uint64_t ctr;
    __asm__("mrs %0, ctr_el0" : "=r"(ctr));
    return (size_t)4 << (ctr >> 16 & 0xf);
}

uint64_t timer_hz(void)
{
    uint64_t hz;
    __asm__("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}

#define ADD_ONE "add %0, %0, #1\n\t"

#elif defined(__x86_64__)

#include <cpuid.h>

#define BIT_CLFLUSH (UINT32_C(1) << 19) /* leaf 1, EDX; not in the header */

static uint32_t cpuid_ebx(uint32_t leaf)
{
    uint32_t a, b, c, d;
    return __get_cpuid_count(leaf, 0, &a, &b, &c, &d) ? b : 0;
}

static bool has_clflush(void)
{
    uint32_t a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (d & BIT_CLFLUSH);
}

static bool has_clflushopt(void)
{
    return cpuid_ebx(7) & bit_CLFLUSHOPT;
}

/* CLFLUSH is ordered with every other CLFLUSH and store, one after the other. */
static void flush_clflush(const char *from, const char *to, size_t line)
{
    for (const char *at = from; at < to; at += line) {
        __asm__ volatile("clflush (%0)" ::"r"(at) : "memory");
    }
    __asm__ volatile("mfence" ::: "memory");
}

/* CLFLUSHOPT is ordered by a fence only, as DC CIVAC is by a DSB. */
static void flush_clflushopt(const char *from, const char *to, size_t line)
{
    for (const char *at = from; at < to; at += line) {
        __asm__ volatile("clflushopt (%0)" ::"r"(at) : "memory");
    }
    __asm__ volatile("mfence" ::: "memory");
}

const struct flusher flushers[] = {
    {"clflush", has_clflush, flush_clflush},
    {"clflushopt", has_clflushopt, flush_clflushopt},
    {NULL, NULL, NULL},
};

size_t line_bytes(void)
{
    uint32_t units = cpuid_ebx(1) >> 8 & 0xff;
    return units ? (size_t)units * 8 : 64;
}

/* The time stamp counter tells its frequency on few machines only. */
uint64_t timer_hz(void)
{
    return 0;
}

#define ADD_ONE "add $1, %0\n\t"

#else
#error "The probe knows arm64 and x86-64."
#endif

#define ADD_8 ADD_ONE ADD_ONE ADD_ONE ADD_ONE ADD_ONE ADD_ONE ADD_ONE ADD_ONE

void add_chain(uint64_t additions)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i + ADD_CHAIN <= additions; i += ADD_CHAIN) {
        __asm__ volatile(ADD_8 ADD_8 ADD_8 ADD_8 ADD_8 ADD_8 ADD_8 ADD_8 : "+r"(sum) : : "cc");
    }
}
