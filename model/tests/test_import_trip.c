#include "core/error.h"
#include "play.h"
#include "tracetext.h"

#include <sys/stat.h>

#include "guest/import/import.h"

static const struct import_options usual = {
    .backing = BACKINGS, .ram_ipa = UINT64_MAX, .kernel = "6.1"};

struct trip {
    const char *workload, *recording;
    uint64_t ram;
    enum tool tool;
};

static void write_workload(const struct import *import, const char *folder)
{
    char path[600];
    snprintf(path, sizeof path, "%s/trip.csv", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    import_write_rows(import, "trip", out);
    assert_int_equal(fclose(out), 0);
    snprintf(path, sizeof path, "%s/trip.ini", folder);
    out = fopen(path, "w");
    assert_non_null(out);
    import_write_workload(import, "trip.csv", out);
    assert_int_equal(fclose(out), 0);
}

static void import_recording(const struct trip *trip, const char *folder)
{
    char path[600];
    struct import import;
    struct error err = {0};
    struct import_options options = usual;
    snprintf(path, sizeof path, "%s/trip.txt", folder);
    FILE *text = fopen(path, "w+");
    assert_non_null(text);
    put_recording(text, trip->tool, trip->recording);
    rewind(text);
    options.ram_bytes = trip->ram;
    bool good = import_read(text, path, &options, &import, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
    assert_int_equal(fclose(text), 0);
    write_workload(&import, folder);
    import_free(&import);
}

/* Counts that do not hang on what a trace does not show: the VMM's writes and
 * the guest's instructions. Before the boot a notifier exchanges a page of the
 * guest, and the trace does not show which: that phase is not compared. */
static const enum event_kind compared[] = {
    EV_data_tr_w,       EV_data_tr_r,      EV_data_tr_x,    EV_data_perm_w, EV_data_perm_x,
    EV_map_calls,       EV_map_4k,         EV_map_2m,       EV_map_bytes,   EV_relax_calls,
    EV_unmap_leaves,    EV_unmap_bytes,    EV_flush_leaves, EV_flush_bytes, EV_flush_vm_calls,
    EV_reinits,         EV_unmap_vm_calls, EV_cmo_calls,    EV_tlbi_calls,  EV_toggle_traps,
    EV_s2_tables_alloc, EV_s2_tables_free, EV_walk_unmap,   EV_walk_flush,  EV_icache_calls};

static uint64_t since_boot(const struct sim *sim, const struct timeline *timeline,
                           enum event_kind kind)
{
    uint64_t count = 0;
    for (uint32_t phase = 0; phase < timeline->phase_count; phase++) {
        bool boots = strcmp(timeline->phases[phase], "before") != 0;
        count += boots ? sim_count(sim, phase, LEDGER_ALL, kind) : 0;
    }
    return count;
}

static void compare(const struct stage *stage, const struct trip *trip, const char *folder,
                    const char *strategy)
{
    char path[600];
    snprintf(path, sizeof path, "%s/trip.ini", folder);
    struct workload *workload[2] = {workload_of(trip->workload), workload_of(path)};
    struct strategy row = strategy_row(strategy);
    uint64_t count[2][EVENT_KINDS][2];
    for (int i = 0; i < 2; i++) {
        struct timeline timeline;
        build(workload[i], &timeline);
        struct sim *sim = play(stage, &timeline, &row, false);
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            count[i][kind][0] = since_boot(sim, &timeline, (enum event_kind)kind);
            count[i][kind][1] = 0;
            for (int site = 0; site < SITES; site++) {
                count[i][kind][1] += sim->window[site * EVENT_KINDS + kind];
            }
        }
        play_free(sim);
        timeline_free(&timeline);
        workload_free(workload[i]);
    }
    for (size_t k = 0; k < sizeof compared / sizeof *compared; k++) {
        enum event_kind kind = compared[k];
        if (memcmp(count[0][kind], count[1][kind], sizeof count[0][kind]) != 0) {
            print_error("%s, %s, %s: recorded %" PRIu64 ", %" PRIu64
                        " in the window; imported %" PRIu64 ", %" PRIu64 "\n",
                        trip->workload, strategy, event_name[kind], count[0][kind][0],
                        count[0][kind][1], count[1][kind][0], count[1][kind][1]);
        }
        assert_memory_equal(count[0][kind], count[1][kind], sizeof count[0][kind]);
    }
}

/* The trace that a kernel prints of a recorded boot makes the same boot. */
static void a_recording_survives(void **state)
{
    static const struct trip trips[] = {
        {"recorded-4k", "workloads/recorded/n1-q-256m-c1-4k-f128.csv", 256 * MIB, TOOL_TRACE_FLAGS},
        {"recorded-2m", "workloads/recorded/n1-q-256m-c1-2m-f128.csv", 256 * MIB, TOOL_TRACE_CMD},
        {"recorded-1g-2m", "workloads/recorded/n1-q-1024m-c1-2m-f768.csv", GIB, TOOL_PERF},
        {"recorded-2vcpu-4k", "workloads/recorded/n1-q-256m-c2-4k-f0.csv", 256 * MIB,
         TOOL_TRACE_GROUP},
    };
    struct stage *stage = malloc(sizeof *stage);
    char folder[512];
    (void)state;
    assert_non_null(stage);
    snprintf(folder, sizeof folder, "%s/s2flush-import-%d",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
    assert_int_equal(mkdir(folder, 0777), 0);
    stage_init(stage, "neoverse-n1", "6.1");
    for (size_t i = 0; i < sizeof trips / sizeof *trips; i++) {
        import_recording(&trips[i], folder);
        compare(stage, &trips[i], folder, "unmap");
        compare(stage, &trips[i], folder, "eager");
    }
    free(stage);
    static const char *const files[] = {"trip.txt", "trip.csv", "trip.ini"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
