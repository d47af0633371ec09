#include "report/plot/picture.h"

#include <stddef.h>

#define PARTS                                                                        \
    "metric added_boot_ns\nmetric part_lines_unmap_ns\nmetric part_lines_fault_ns\n" \
    "metric part_lines_flush_ns\nmetric part_tlbi_ns\nmetric part_fault_path_ns\n"   \
    "metric part_icache_ns\nmetric part_refetch_ns\n"

const struct picture pictures[] = {
    {"output added-boot\naxis machine 1 3\naxis workload 1 3\naxis strategy 2 12\n" PARTS,
     picture_added_boot, NULL},
    {"output advise\ntable advise.csv\n", picture_advise, NULL},
    {"output breakeven\ntable breakeven-curves.csv\n", picture_breakeven, "breakeven.csv"},
    {"output cases\naxis machine 1 3\naxis workload 4 32\naxis backing 0 3\naxis strategy 2 12\n"
     "metric added_boot_ns\n",
     picture_cases, NULL},
    {"output curves\naxis machine 1 3\naxis backing 0 3\naxis touched 0 64\naxis footprint 4 64\n"
     "axis strategy 2 12\nmetric added_boot_ns\n",
     picture_curves, NULL},
    {"output map\ntable map.csv\n", picture_map, NULL},
    {"output pause\naxis machine 1 3\naxis backing 0 3\naxis touched 0 64\naxis footprint 4 64\n"
     "axis strategy 2 12\nmetric pause_ns\n",
     picture_pause, NULL},
    {"output tornado\ntable sensitivity.csv\n", picture_tornado, NULL},
    {"output touched\naxis machine 1 3\naxis backing 0 3\naxis touched 3 64\naxis footprint 0 64\n"
     "axis strategy 2 12\nmetric added_boot_ns\n",
     picture_touched, NULL},
    {"output where\naxis machine 1 3\naxis backing 0 3\naxis touched 0 64\naxis footprint 4 64\n"
     "axis strategy 1 12\n" PARTS,
     picture_where, NULL},
    {NULL, NULL, NULL},
};
