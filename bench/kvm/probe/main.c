/*
 * probe - what this machine's caches and KVM do and cost.
 */
#include "common.h"
#include "machine.h"
#include "phases.h"
#include "team.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "probe machine [options]   caches and memory; needs no KVM and no root\n"
    "  --cores N         at most N cores at once (all)\n"
    "  --bytes N,N...    sizes of the buffers flushed (4K,64K,1M,8M,64M)\n"
    "  --samples N       samples a row (9)\n"
    "  --output FILE     (standard output)\n"
    "probe vm --cases FILE [options]   phases of VMs; arm64 only, needs /dev/kvm\n"
    "  --cases FILE      the VMs to run: a table of the format of bench/kvm/counts.csv\n"
    "  --only PATTERN    only cases of that name (* and ? allowed); may be repeated\n"
    "  --counts FILE     count the kernel's events; needs root and tracefs\n"
    "  --times FILE      time the phases\n"
    "  --samples N       repetitions of each VM timed (9)\n"
    "  --kernel NAME --cpu NAME   what the table calls this machine (what it says itself)\n";

static void no_more(int argc, char **argv)
{
    if (optind < argc) {
        die(PROBE_MISSING, "what is '%s'? See probe --help", argv[optind]);
    }
}

static void read_sizes(struct machine_options *options, const char *list)
{
    char *copy = must_copy(list);
    char *rest = copy;
    options->sizes = 0;
    while (rest) {
        if (options->sizes == MACHINE_SIZES) {
            die(PROBE_MISSING, "--bytes takes at most %d sizes", MACHINE_SIZES);
        }
        uint64_t bytes = must_number(strsep(&rest, ","), "--bytes");
        if (bytes < 4096 || bytes % 4096) {
            die(PROBE_MISSING, "--bytes takes whole pages of 4K");
        }
        options->bytes[options->sizes++] = bytes;
    }
    free(copy);
}

static size_t read_count(const char *text, const char *what)
{
    uint64_t count = must_number(text, what);
    if (count == 0 || count > 100000) {
        die(PROBE_MISSING, "%s takes 1 to 100000", what);
    }
    return (size_t)count;
}

static int machine_command(int argc, char **argv)
{
    static const struct option known[] = {
        {"cores", required_argument, NULL, 'c'},
        {"bytes", required_argument, NULL, 'b'},
        {"samples", required_argument, NULL, 's'},
        {"output", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    struct machine_options options = {.cores = team_cores(), .samples = 9};
    const char *output = NULL;
    int option;
    read_sizes(&options, "4K,64K,1M,8M,64M");
    while ((option = getopt_long(argc, argv, "o:", known, NULL)) != -1) {
        if (option == 'c') {
            options.cores = read_count(optarg, "--cores");
        } else if (option == 'b') {
            read_sizes(&options, optarg);
        } else if (option == 's') {
            options.samples = read_count(optarg, "--samples");
        } else if (option == 'o') {
            output = optarg;
        } else {
            return PROBE_MISSING;
        }
    }
    no_more(argc, argv);
    if (options.cores > team_cores()) {
        die(PROBE_MISSING, "--cores %zu, but this process may use %zu", options.cores,
            team_cores());
    }
    FILE *out = must_create(output);
    machine_measure(&options, out);
    must_close(out, output);
    return 0;
}

#if defined(__aarch64__)

static void check_vm_options(const struct phases_options *options)
{
    if (!options->cases_path) {
        die(PROBE_MISSING, "probe vm needs --cases FILE, such as bench/kvm/counts.csv");
    }
    if (!options->counts_path && !options->times_path) {
        die(PROBE_MISSING, "probe vm needs --counts FILE or --times FILE");
    }
}

/* False for what is no option. */
static bool vm_option(struct phases_options *options, const char **patterns, int option)
{
    switch (option) {
    case 'c':
        options->cases_path = optarg;
        return true;
    case 'o':
        patterns[options->patterns_count++] = optarg;
        return true;
    case 'n':
        options->counts_path = optarg;
        return true;
    case 't':
        options->times_path = optarg;
        return true;
    case 's':
        options->repetitions = read_count(optarg, "--samples");
        return true;
    case 'k':
        options->kernel = optarg;
        return true;
    case 'p':
        options->cpu = optarg;
        return true;
    default:
        return false;
    }
}

static int vm_command(int argc, char **argv)
{
    static const struct option known[] = {
        {"cases", required_argument, NULL, 'c'},   {"only", required_argument, NULL, 'o'},
        {"counts", required_argument, NULL, 'n'},  {"times", required_argument, NULL, 't'},
        {"samples", required_argument, NULL, 's'}, {"kernel", required_argument, NULL, 'k'},
        {"cpu", required_argument, NULL, 'p'},     {NULL, 0, NULL, 0},
    };
    const char **patterns = must_alloc((size_t)argc * sizeof *patterns);
    struct phases_options options = {.repetitions = 9, .patterns = patterns};
    bool understood = true;
    int option;
    while (understood && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        understood = vm_option(&options, patterns, option);
    }
    if (understood) {
        no_more(argc, argv);
        check_vm_options(&options);
        phases_run(&options);
    }
    free(patterns);
    return understood ? 0 : PROBE_MISSING;
}

#else

static int vm_command(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    die(PROBE_MISSING, "probe vm is for arm64; this machine has probe machine only");
}

#endif

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (strcmp(command, "machine") == 0) {
        return machine_command(argc - 1, argv + 1);
    }
    if (strcmp(command, "vm") == 0) {
        return vm_command(argc - 1, argv + 1);
    }
    fputs(usage, stderr);
    return PROBE_MISSING;
}
