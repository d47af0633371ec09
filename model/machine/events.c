#include "machine/events.h"

const char *const event_name[EVENT_KINDS] = {
#define EVENT_NAME(name, title, unit, group) #name,
    EVENT_TABLE(EVENT_NAME)
#undef EVENT_NAME
};

const char *const event_title[EVENT_KINDS] = {
#define EVENT_TITLE(name, title, unit, group) title,
    EVENT_TABLE(EVENT_TITLE)
#undef EVENT_TITLE
};

const char *const event_unit[EVENT_KINDS] = {
#define EVENT_UNIT(name, title, unit, group) unit,
    EVENT_TABLE(EVENT_UNIT)
#undef EVENT_UNIT
};

const enum event_group event_group[EVENT_KINDS] = {
#define EVENT_GROUP(name, title, unit, group) GROUP_##group,
    EVENT_TABLE(EVENT_GROUP)
#undef EVENT_GROUP
};

const char *const group_name[GROUPS] = {
    [GROUP_TALLY] = "tally",       [GROUP_FAULT] = "fault", [GROUP_UNMAP] = "unmap",
    [GROUP_FLUSH] = "flush",       [GROUP_LINES] = "lines", [GROUP_ICACHE] = "icache",
    [GROUP_TLBI] = "tlbi",         [GROUP_TRAP] = "trap",   [GROUP_GUEST] = "guest",
    [GROUP_UNCACHED] = "uncached", [GROUP_VMM] = "vmm",
};

const char *const site_name[SITES] = {
    [SITE_GUEST] = "guest",       [SITE_FAULT] = "fault",   [SITE_REINIT] = "reinit",
    [SITE_FLUSH] = "flush",       [SITE_TOGGLE] = "toggle", [SITE_SETWAY] = "setway",
    [SITE_NOTIFIER] = "notifier", [SITE_SLOT] = "slot",     [SITE_VMM] = "vmm",
};

const char *const resource_name[RESOURCES] = {
    [RESOURCE_MMU_LOCK] = "mmu_lock",
    [RESOURCE_CMO_PATH] = "cmo_path",
    [RESOURCE_DVM] = "dvm",
    [RESOURCE_ZERO_PATH] = "zero_path",
    [RESOURCE_HUGETLB] = "hugetlb_mutex",
    [RESOURCE_LOCK_LINE] = "lock_lines",
};
