#include "symbols.h"

#include "common.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbol {
    uint64_t at;
    char *name;
};

static struct {
    struct symbol *at; /* by address */
    size_t count, room;
    uint64_t text_begin, text_end;
    uint32_t *text; /* a copy of the kernel's code, once it was asked for */
} kernel;

static void add_symbol(uint64_t at, const char *name)
{
    if (kernel.count == kernel.room) {
        kernel.room = kernel.room ? 2 * kernel.room : 1 << 16;
        kernel.at = reallocarray(kernel.at, kernel.room, sizeof *kernel.at);
        if (!kernel.at) {
            die(PROBE_FAILED, "no memory for the kernel's symbols");
        }
    }
    kernel.at[kernel.count++] = (struct symbol){at, must_copy(name)};
}

static int by_address(const void *left, const void *right)
{
    uint64_t a = ((const struct symbol *)left)->at;
    uint64_t b = ((const struct symbol *)right)->at;
    return (a > b) - (a < b);
}

/* "ffff800008000000 T name": code only, and none of modules, which are named in brackets. */
static void read_symbol(char *line)
{
    char *rest;
    uint64_t at = strtoull(line, &rest, 16);
    char type = rest[0] == ' ' ? rest[1] : 0;
    if (!type || rest[2] != ' ' || strchr(line, '[')) {
        return;
    }
    char *name = rest + 3;
    name[strcspn(name, "\n")] = 0;
    if (strcmp(name, "_stext") == 0) {
        kernel.text_begin = at;
    } else if (strcmp(name, "_etext") == 0) {
        kernel.text_end = at;
    } else if (strchr("tTwW", type) && name[0] != '$') {
        add_symbol(at, name);
    }
}

bool symbols_load(void)
{
    FILE *in = fopen("/proc/kallsyms", "r");
    if (!in) {
        return false;
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, in) > 0) {
        read_symbol(line);
    }
    free(line);
    fclose(in);
    if (kernel.text_begin == 0 || kernel.text_end <= kernel.text_begin) {
        symbols_free();
        return false;
    }
    qsort(kernel.at, kernel.count, sizeof *kernel.at, by_address);
    return true;
}

void symbols_free(void)
{
    for (size_t i = 0; i < kernel.count; i++) {
        free(kernel.at[i].name);
    }
    free(kernel.at);
    free(kernel.text);
    memset(&kernel, 0, sizeof kernel);
}

/* The name itself, or with what a compiler adds to one, such as .isra.0; the part
 * called .cold is none of it. */
static const struct symbol *find(const char *name)
{
    size_t length = strlen(name);
    const struct symbol *other = NULL;
    for (size_t i = 0; i < kernel.count; i++) {
        const char *is = kernel.at[i].name;
        if (strncmp(is, name, length) != 0) {
            continue;
        }
        if (is[length] == 0) {
            return &kernel.at[i];
        }
        if (is[length] == '.' && !strstr(is, ".cold")) {
            other = &kernel.at[i];
        }
    }
    return other;
}

const char *symbols_find(const char *name)
{
    const struct symbol *symbol = find(name);
    return symbol ? symbol->name : NULL;
}

/* The last symbol at or before the address. */
static const struct symbol *holder(uint64_t address)
{
    size_t low = 0;
    size_t high = kernel.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (kernel.at[middle].at <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? &kernel.at[low - 1] : NULL;
}

/* /proc/kcore is an ELF file: the segment that holds the code tells where it is. */
static bool code_offset(int fd, off_t *offset)
{
    Elf64_Ehdr header;
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header) {
        return false;
    }
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        off_t at = (off_t)(header.e_phoff + (uint64_t)i * header.e_phentsize);
        if (pread(fd, &segment, sizeof segment, at) != (ssize_t)sizeof segment) {
            return false;
        }
        if (segment.p_type == PT_LOAD && segment.p_vaddr <= kernel.text_begin &&
            kernel.text_end <= segment.p_vaddr + segment.p_memsz) {
            *offset = (off_t)(segment.p_offset + kernel.text_begin - segment.p_vaddr);
            return true;
        }
    }
    return false;
}

static bool read_fully(int fd, char *to, size_t bytes, off_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(fd, to + done, bytes - done, offset + (off_t)done);
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static bool load_text(void)
{
    if (kernel.text) {
        return true;
    }
    int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    size_t bytes = kernel.text_end - kernel.text_begin;
    off_t offset;
    kernel.text = must_alloc(bytes);
    if (!code_offset(fd, &offset) || !read_fully(fd, (char *)kernel.text, bytes, offset)) {
        free(kernel.text);
        kernel.text = NULL;
    }
    close(fd);
    return kernel.text != NULL;
}

struct search {
    bool (*wanted)(const char *function);
    struct place *places;
    int count, room;
};

static void add_place(struct search *search, uint64_t address)
{
    const struct symbol *symbol = holder(address);
    if (!symbol || !search->wanted(symbol->name) || search->count == search->room) {
        return;
    }
    struct place *place = &search->places[search->count++];
    snprintf(place->text, sizeof place->text, "%s+%llu", symbol->name,
             (unsigned long long)(address - symbol->at));
}

/* B and BL: 26 bits, signed, count instructions from this one. */
static bool branches_to(uint32_t word, uint64_t from, uint64_t target)
{
    if ((word & 0x7c000000) != 0x14000000) {
        return false;
    }
    int64_t distance = (int64_t)(int32_t)(word << 6) >> 6;
    return from + (uint64_t)(distance * 4) == target;
}

int symbols_branches_to(const char *function, bool (*wanted)(const char *function),
                        struct place *places, int room)
{
    struct search search = {.wanted = wanted, .places = places, .room = room};
    const struct symbol *target = find(function);
    if (!load_text()) {
        return -1;
    }
    size_t words = (kernel.text_end - kernel.text_begin) / sizeof *kernel.text;
    for (size_t i = 0; target && i < words; i++) {
        uint64_t at = kernel.text_begin + i * sizeof *kernel.text;
        if (branches_to(kernel.text[i], at, target->at)) {
            add_place(&search, at);
        }
    }
    return search.count;
}

int symbols_words(uint32_t word, bool (*wanted)(const char *function), struct place *places,
                  int room)
{
    struct search search = {.wanted = wanted, .places = places, .room = room};
    if (!load_text()) {
        return -1;
    }
    size_t words = (kernel.text_end - kernel.text_begin) / sizeof *kernel.text;
    for (size_t i = 0; i < words; i++) {
        if (kernel.text[i] == word) {
            add_place(&search, kernel.text_begin + i * sizeof *kernel.text);
        }
    }
    return search.count;
}
