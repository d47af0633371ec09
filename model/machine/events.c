#include "machine/events.h"

const char *const event_name[EVENT_KINDS] = {
#define EVENT_NAME(name, title, unit, part, sum, misfit, price) #name,
    EVENT_TABLE(EVENT_NAME)
#undef EVENT_NAME
};

const char *const event_title[EVENT_KINDS] = {
#define EVENT_TITLE(name, title, unit, part, sum, misfit, price) title,
    EVENT_TABLE(EVENT_TITLE)
#undef EVENT_TITLE
};

const char *const event_unit[EVENT_KINDS] = {
#define EVENT_UNIT(name, title, unit, part, sum, misfit, price) unit,
    EVENT_TABLE(EVENT_UNIT)
#undef EVENT_UNIT
};

const uint8_t event_sum[EVENT_KINDS] = {
#define EVENT_SUM(name, title, unit, part, sum, misfit, price) SUM_##sum,
    EVENT_TABLE(EVENT_SUM)
#undef EVENT_SUM
};

const char *const sum_name[SUMS] = {
#define SUM_NAME(name) #name,
    SUM_TABLE(SUM_NAME)
#undef SUM_NAME
};

const char *const part_name[PARTS] = {
#define PART_NAME(with, name, help) #name,
    PART_TABLE(PART_NAME, )
#undef PART_NAME
};

const char *const site_name[SITES] = {
#define SITE_NAME(site, name, title, lines, walk) name,
    SITE_TABLE(SITE_NAME)
#undef SITE_NAME
};

const char *const site_title[SITES] = {
#define SITE_TITLE(site, name, title, lines, walk) title,
    SITE_TABLE(SITE_TITLE)
#undef SITE_TITLE
};

const char *const resource_name[RESOURCES] = {
#define RESOURCE_NAME(resource, name, title) name,
    RESOURCE_TABLE(RESOURCE_NAME)
#undef RESOURCE_NAME
};

const char *const resource_title[RESOURCES] = {
#define RESOURCE_TITLE(resource, name, title) title,
    RESOURCE_TABLE(RESOURCE_TITLE)
#undef RESOURCE_TITLE
};

static const struct site_parts {
    enum part_id lines, walk;
} site_parts[SITES] = {
#define SITE_PARTS(site, name, title, lines, walk) {PART_##lines, PART_##walk},
    SITE_TABLE(SITE_PARTS)
#undef SITE_PARTS
};

enum part_id event_part(enum event_kind kind, enum site site)
{
    static const enum part_id part_of[EVENT_KINDS] = {
#define EVENT_PART(name, title, unit, part, sum, misfit, price) PART_##part,
        EVENT_TABLE(EVENT_PART)
#undef EVENT_PART
    };
    enum part_id part = part_of[kind];
    return part == PART_BY_SITE_LINES  ? site_parts[site].lines
           : part == PART_BY_SITE_WALK ? site_parts[site].walk
                                       : part;
}
