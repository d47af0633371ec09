#include "phases.h"

#include "cases.h"
#include "common.h"
#include "events.h"
#include "team.h"
#include "vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* What the first columns say of this machine. */
struct machine {
    char kernel[64], cpu[64];
    int fwb; /* negative: not known */
};

/* The table names a kernel by its first two numbers. */
static void name_kernel(struct machine *machine, const char *given)
{
    struct utsname name;
    if (given) {
        snprintf(machine->kernel, sizeof machine->kernel, "%s", given);
        return;
    }
    if (uname(&name) != 0) {
        die(PROBE_MISSING, "the kernel tells no version: give --kernel");
    }
    size_t major = strspn(name.release, "0123456789");
    size_t minor = name.release[major] == '.' ? strspn(name.release + major + 1, "0123456789") : 0;
    snprintf(machine->kernel, sizeof machine->kernel, "%.*s", (int)(major + 1 + minor),
             name.release);
}

/* Implementer and part of MIDR_EL1, which Linux lets user space read. */
static const struct {
    unsigned part;
    const char *name;
} known_cpus[] = {
    {0x00051, "max"},         {0x41d03, "cortex-a53"},  {0x41d05, "cortex-a55"},
    {0x41d07, "cortex-a57"},  {0x41d08, "cortex-a72"},  {0x41d09, "cortex-a73"},
    {0x41d0a, "cortex-a75"},  {0x41d0b, "cortex-a76"},  {0x41d0c, "neoverse-n1"},
    {0x41d40, "neoverse-v1"}, {0x41d49, "neoverse-n2"}, {0x41d4f, "neoverse-v2"},
    {0xc0ac3, "ampere-1"},    {0x46001, "a64fx"},
};

static void name_cpu(struct machine *machine, const char *given)
{
    if (given) {
        snprintf(machine->cpu, sizeof machine->cpu, "%s", given);
        return;
    }
    uint64_t midr;
    __asm__("mrs %0, midr_el1" : "=r"(midr));
    unsigned part = (unsigned)(midr >> 24 & 0xff) << 12 | (unsigned)(midr >> 4 & 0xfff);
    snprintf(machine->cpu, sizeof machine->cpu, "midr-%05x", part);
    for (size_t i = 0; i < sizeof known_cpus / sizeof *known_cpus; i++) {
        if (known_cpus[i].part == part) {
            snprintf(machine->cpu, sizeof machine->cpu, "%s", known_cpus[i].name);
        }
    }
}

/* The smallest VM there is, to learn what this machine does. */
static struct vm *open_small(void)
{
    struct vm *vm = vm_open(&(struct vm_case){.backing = BACKING_4K, .mem_mib = 4, .vcpus = 1});
    if (!vm) {
        die(PROBE_FAILED, "no memory for a VM of 4 MiB");
    }
    return vm;
}

/* One page written and dropped again: one leaf, one table at least are taken out, and
 * each needs an invalidation. If none was seen, they happen where no probe reaches. */
static void learn(struct machine *machine, bool counting)
{
    struct counts before = {0};
    struct counts after = {0};
    struct vm *vm = open_small();
    machine->fwb = vm_id_field(vm, 2, 7, 40);
    if (counting) {
        events_read(&before);
    }
    vm_do(vm, &(struct op){.verb = OP_WRITE, .stride = 1, .count = 1});
    vm_do(vm, &(struct op){.verb = OP_DROP});
    if (counting) {
        events_read(&after);
        struct counts seen;
        events_difference(&before, &after, &seen);
        if (seen.at[COUNT_s2_faults] < 3) {
            die(PROBE_FAILED, "the kernel counted %lld faults of a guest that took 3 or more",
                (long long)seen.at[COUNT_s2_faults]);
        }
        if (seen.at[COUNT_tlbi_calls] + seen.at[COUNT_tlbi_range] <= 0) {
            note("TLB maintenance is done at EL2 (no VHE), out of reach: not recorded");
            events_hide_tlbi();
        }
    }
    vm_close(vm);
}

static void write_inputs(FILE *out, const struct machine *machine, const struct vm_case *vm,
                         const struct phase *phase)
{
    char fwb[16] = "";
    if (machine->fwb >= 0) {
        snprintf(fwb, sizeof fwb, "%d", machine->fwb > 0);
    }
    fprintf(out, "%s,%s,%s,%s,%s,%llu,%llu,%zu,%s,%s", machine->kernel, machine->cpu, fwb, vm->name,
            vm->page, (unsigned long long)vm->mem_mib, (unsigned long long)vm->slot_offset,
            vm->vcpus, phase->name, phase->text);
}

static void write_header(FILE *out)
{
    fprintf(out, "kernel,cpu,fwb,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op");
}

static void write_counts(FILE *out, const struct counts *counts)
{
    for (int i = 0; i < COUNTS; i++) {
        fputc(',', out);
        /* A phase of which the kernel lost some has no exact counts. */
        if (counts->at[i] >= 0 && counts->lost == 0) {
            fprintf(out, "%lld", (long long)counts->at[i]);
        }
    }
    fputc('\n', out);
    fflush(out);
}

/* False where the host has no such memory. */
static bool count_vm(FILE *out, const struct machine *machine, const struct vm_case *shape)
{
    struct vm *vm = vm_open(shape);
    struct counts before;
    struct counts after;
    struct counts phase;
    if (!vm) {
        note("%s is left out", shape->name);
        return false;
    }
    for (size_t i = 0; i < shape->count; i++) {
        events_read(&before);
        vm_do(vm, &shape->phases[i].op);
        events_read(&after);
        events_difference(&before, &after, &phase);
        if (phase.lost) {
            note("%s %s: the kernel dropped %llu events", shape->name, shape->phases[i].name,
                 (unsigned long long)phase.lost);
        }
        write_inputs(out, machine, shape, &shape->phases[i]);
        write_counts(out, &phase);
    }
    vm_close(vm);
    return true;
}

static void check_any(size_t done)
{
    if (done == 0) {
        die(PROBE_MISSING, "this host has the memory for none of the cases");
    }
}

static void count_all(const struct phases_options *options, const struct cases *cases)
{
    struct machine machine;
    events_open();
    name_kernel(&machine, options->kernel);
    name_cpu(&machine, options->cpu);
    learn(&machine, true);
    FILE *out = must_create(options->counts_path);
    write_header(out);
    for (int i = 0; i < COUNTS; i++) {
        fprintf(out, ",%s", count_names[i]);
    }
    fputc('\n', out);
    size_t done = 0;
    for (size_t i = 0; i < cases->count; i++) {
        done += count_vm(out, &machine, &cases->at[i]);
    }
    must_close(out, options->counts_path);
    check_any(done);
}

/* One VM from its making to its end, as one sample of each of its phases. */
static bool time_once(const struct vm_case *shape, struct samples *took)
{
    struct vm *vm = vm_open(shape);
    if (!vm) {
        return false;
    }
    for (size_t i = 0; i < shape->count; i++) {
        samples_add(&took[i], (double)vm_do(vm, &shape->phases[i].op));
    }
    vm_close(vm);
    return true;
}

static bool time_vm(FILE *out, const struct machine *machine, const struct vm_case *shape,
                    size_t repetitions)
{
    struct samples *took = must_alloc(shape->count * sizeof *took);
    bool possible = true;
    for (size_t i = 0; i < repetitions && possible; i++) {
        possible = time_once(shape, took);
    }
    for (size_t i = 0; i < shape->count; i++) {
        if (possible) {
            struct summary s = samples_summary(&took[i]);
            write_inputs(out, machine, shape, &shape->phases[i]);
            fprintf(out, ",%zu,%.0f,%.0f,%.0f\n", s.n, s.median, s.p10, s.p90);
        }
        samples_free(&took[i]);
    }
    fflush(out);
    free(took);
    if (!possible) {
        note("%s is left out", shape->name);
    }
    return possible;
}

static void time_all(const struct phases_options *options, const struct cases *cases)
{
    struct machine machine;
    name_kernel(&machine, options->kernel);
    name_cpu(&machine, options->cpu);
    learn(&machine, false);
    FILE *out = must_create(options->times_path);
    write_header(out);
    fprintf(out, ",n,median_ns,p10_ns,p90_ns\n");
    size_t done = 0;
    for (size_t i = 0; i < cases->count; i++) {
        done += time_vm(out, &machine, &cases->at[i], options->repetitions);
    }
    must_close(out, options->times_path);
    check_any(done);
}

void phases_run(const struct phases_options *options)
{
    struct cases cases =
        cases_read(options->cases_path, options->patterns, options->patterns_count);
    vm_require();
    team_pin(0);
    /* Times first: probes in the kernel make everything slower. */
    if (options->times_path) {
        time_all(options, &cases);
    }
    if (options->counts_path) {
        count_all(options, &cases);
    }
    cases_free(&cases);
}
