#include "trace.h"

#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP "s2flush"
#define INSTANCE "s2flush-probe"

enum { PATH = 512, TRIGGER = 512, MOST_TRIGGERS = 128 };

struct trigger {
    char path[PATH];
    char text[TRIGGER];
};

static struct {
    const char *root; /* where tracefs is mounted, NULL as long as nothing is done */
    pid_t owner; /* the process that has to clean up */
    struct trigger triggers[MOST_TRIGGERS];
    size_t count;
} tracing;

/* tracefs answers a bad command at the write. */
static bool write_text(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
    if (fd < 0) {
        return false;
    }
    ssize_t length = (ssize_t)strlen(text);
    bool written = write(fd, text, (size_t)length) == length;
    int why = errno;
    close(fd);
    errno = why;
    return written;
}

static const char *find_root(void)
{
    static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    char path[PATH];
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        snprintf(path, sizeof path, "%s/kprobe_events", roots[i]);
        if (access(path, W_OK) == 0) {
            return roots[i];
        }
    }
    return NULL;
}

static void forget_triggers(void)
{
    for (size_t i = 0; i < tracing.count; i++) {
        char text[TRIGGER + 1];
        snprintf(text, sizeof text, "!%s", tracing.triggers[i].text);
        write_text(tracing.triggers[i].path, 0, text);
    }
    tracing.count = 0;
}

/* Probes of this group only, also those that an earlier run could not take away. */
static void forget_probes(void)
{
    char path[PATH];
    char line[1024];
    snprintf(path, sizeof path, "%s/kprobe_events", tracing.root);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in)) {
        char *at = strstr(line, ":" GROUP "/");
        char command[256];
        if (at) {
            at[strcspn(at, " \n")] = 0;
            snprintf(command, sizeof command, "-%s", at);
            write_text(path, O_APPEND, command);
        }
    }
    if (in) {
        fclose(in);
    }
}

void trace_close(void)
{
    if (!tracing.root || tracing.owner != getpid()) {
        return;
    }
    char instance[PATH];
    snprintf(instance, sizeof instance, "%s/instances/" INSTANCE, tracing.root);
    forget_triggers();
    rmdir(instance);
    forget_probes();
    tracing.root = NULL;
}

static volatile sig_atomic_t stopped_by;

static void on_signal(int number)
{
    stopped_by = number;
}

/* An instance that has a file open can't be removed, so a signal is heeded where none
 * is: between two phases. A second one ends the program at once. */
static void stop_if_told(void)
{
    if (stopped_by) {
        exit(128 + stopped_by);
    }
}

static void clean_up_at_exit(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    atexit(trace_close);
}

void trace_open(void)
{
    if (geteuid() != 0) {
        die(PROBE_MISSING, "counting kernel events needs root");
    }
    tracing.root = find_root();
    if (!tracing.root) {
        die(PROBE_MISSING, "no tracefs with kprobe_events: mount -t tracefs tracefs "
                           "/sys/kernel/tracing, or the kernel lacks CONFIG_KPROBE_EVENTS");
    }
    tracing.owner = getpid();
    clean_up_at_exit();
    char path[PATH];
    snprintf(path, sizeof path, "%s/instances/" INSTANCE, tracing.root);
    rmdir(path); /* left by a run that was killed */
    forget_probes();
    if (mkdir(path, 0700) != 0) {
        die(PROBE_MISSING, "no tracing instance: %s: %s", path, strerror(errno));
    }
    snprintf(path, sizeof path, "%s/instances/" INSTANCE "/events/kvm/kvm_guest_fault/hist",
             tracing.root);
    if (access(path, R_OK) != 0) {
        die(PROBE_MISSING, "the kernel lacks kvm:kvm_guest_fault or CONFIG_HIST_TRIGGERS");
    }
}

bool trace_probe(const char *name, const char *place, const char *arguments)
{
    char path[PATH];
    char command[512];
    snprintf(path, sizeof path, "%s/kprobe_events", tracing.root);
    snprintf(command, sizeof command, "p:" GROUP "/%s %s %s", name, place,
             arguments ? arguments : "");
    return write_text(path, O_APPEND, command);
}

static void event_path(char path[PATH], const char *system, const char *event, const char *file)
{
    snprintf(path, PATH, "%s/instances/" INSTANCE "/events/%s/%s/%s", tracing.root,
             system ? system : GROUP, event, file);
}

bool trace_count(const char *system, const char *event, const char *keys, const char *values)
{
    if (tracing.count == MOST_TRIGGERS) {
        return false;
    }
    struct trigger *trigger = &tracing.triggers[tracing.count];
    event_path(trigger->path, system, event, "trigger");
    /* Other VMs and other threads of the host hit the same events. */
    snprintf(trigger->text, sizeof trigger->text, "hist:keys=%s%s%s:size=4096 if common_pid==%d",
             keys ? keys : "common_pid", values ? ":vals=" : "", values ? values : "",
             (int)gettid());
    if (!write_text(trigger->path, 0, trigger->text)) {
        return false;
    }
    tracing.count++;
    return true;
}

/* "{ a: 12, b: ~ 2^31 } hitcount: 3  c: 40  d: 50" */
static bool parse_tally(const char *line, struct tally *tally)
{
    const char *end = strchr(line, '}');
    if (line[0] != '{' || !end) {
        return false;
    }
    *tally = (struct tally){0};
    const char *at = line;
    for (int key = 0; key < 2 && (at = strchr(at, ':')) && at < end; key++) {
        const char *digits = strpbrk(at, "~0123456789");
        if (digits && *digits == '~') {
            digits = strchr(digits, '^') + 1;
        }
        tally->key[key] = digits ? strtoull(digits, NULL, 10) : 0;
        at++;
    }
    const char *hits = strstr(end, "hitcount:");
    if (!hits) {
        return false;
    }
    char *rest;
    tally->hits = strtoull(hits + strlen("hitcount:"), &rest, 10);
    for (int value = 0; value < 2 && (rest = strchr(rest, ':')); value++) {
        tally->sum[value] = strtoull(rest + 1, &rest, 10);
    }
    return true;
}

/* Whether the line begins with that word, and the number behind it. */
static bool number_after(const char *line, const char *word, uint64_t *number)
{
    const char *at = line + strspn(line, " ");
    size_t length = strlen(word);
    if (strncmp(at, word, length) != 0 || (at[length] != ' ' && at[length - 1] != ':')) {
        return false;
    }
    char *end;
    *number = strtoull(at + length, &end, 10);
    return end != at + length;
}

static uint64_t read_hist(const char *path, void (*entry)(const struct tally *tally, void *context),
                          void *context)
{
    FILE *in = fopen(path, "r");
    if (!in) {
        die(PROBE_FAILED, "%s: %s", path, strerror(errno));
    }
    char line[1024];
    uint64_t dropped = 0;
    uint64_t number;
    struct tally tally;
    while (fgets(line, sizeof line, in)) {
        if (parse_tally(line, &tally)) {
            entry(&tally, context);
        } else if (number_after(line, "Dropped:", &number)) {
            dropped = number;
        }
    }
    fclose(in);
    return dropped;
}

/* Hits of a probe while another one was handled: not counted in its histogram. The
 * kernel's list says of every probe its name, its hits and those. */
static uint64_t missed(const char *event)
{
    char path[PATH];
    char line[1024];
    uint64_t lost = 0;
    uint64_t hits;
    snprintf(path, sizeof path, "%s/kprobe_profile", tracing.root);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in)) {
        const char *last = strrchr(line, ' ');
        if (last && number_after(line, event, &hits)) {
            lost = strtoull(last, NULL, 10);
        }
    }
    if (in) {
        fclose(in);
    }
    return lost;
}

uint64_t trace_read(const char *system, const char *event,
                    void (*entry)(const struct tally *tally, void *context), void *context)
{
    char path[PATH];
    stop_if_told();
    event_path(path, system, event, "hist");
    uint64_t lost = read_hist(path, entry, context);
    return lost + (system ? 0 : missed(event));
}
