#include "report/plot/picture.h"

#include <stddef.h>

static const enum metric added_boot[] = {METRIC_added_boot_ns};
static const enum metric pause[] = {METRIC_pause_ns};
static const enum metric parts[] = {METRIC_added_boot_ns,       METRIC_part_lines_unmap_ns,
                                    METRIC_part_lines_fault_ns, METRIC_part_lines_flush_ns,
                                    METRIC_part_tlbi_ns,        METRIC_part_fault_path_ns,
                                    METRIC_part_icache_ns,      METRIC_part_refetch_ns};

static const struct picture_axis none[] = {{NULL, 0, 0}};
static const struct picture_axis few_workloads[] = {
    {"machine", 1, 3}, {"workload", 1, 3}, {"strategy", 2, 12}, {NULL, 0, 0}};
static const struct picture_axis many_workloads[] = {
    {"machine", 1, 3}, {"workload", 4, 32}, {"backing", 0, 3}, {"strategy", 2, 12}, {NULL, 0, 0}};
static const struct picture_axis footprints[] = {{"machine", 1, 3},   {"backing", 0, 3},
                                                 {"touched", 0, 64},  {"footprint", 4, 64},
                                                 {"strategy", 2, 12}, {NULL, 0, 0}};
static const struct picture_axis footprints_of_any[] = {{"machine", 1, 3},   {"backing", 0, 3},
                                                        {"touched", 0, 64},  {"footprint", 4, 64},
                                                        {"strategy", 1, 12}, {NULL, 0, 0}};
static const struct picture_axis shares[] = {{"machine", 1, 3},   {"backing", 0, 3},
                                             {"touched", 3, 64},  {"footprint", 0, 64},
                                             {"strategy", 2, 12}, {NULL, 0, 0}};

#define LIST(list) (list), sizeof(list) / sizeof *(list)

const struct picture pictures[] = {
    {"added-boot", PLOT_ROWS, few_workloads, LIST(parts), picture_added_boot, NULL},
    {"advise", "advise.csv", none, NULL, 0, picture_advise, NULL},
    {"breakeven", "breakeven-curves.csv", none, NULL, 0, picture_breakeven, "breakeven.csv"},
    {"cases", PLOT_ROWS, many_workloads, LIST(added_boot), picture_cases, NULL},
    {"curves", PLOT_ROWS, footprints, LIST(added_boot), picture_curves, NULL},
    {"map", "map.csv", none, NULL, 0, picture_map, NULL},
    {"pause", PLOT_ROWS, footprints, LIST(pause), picture_pause, NULL},
    {"tornado", "sensitivity.csv", none, NULL, 0, picture_tornado, NULL},
    {"touched", PLOT_ROWS, shares, LIST(added_boot), picture_touched, NULL},
    {"where", PLOT_ROWS, footprints_of_any, LIST(parts), picture_where, NULL},
    {NULL, NULL, none, NULL, 0, NULL, NULL},
};
