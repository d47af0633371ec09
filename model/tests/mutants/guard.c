/*
 * What no sanitizer can be asked for in each mutant, linked into the library beside the original's
 * objects: memory that was not written to is no 0, nor is what lies behind an allocation, nor does
 * what is freed say any longer what it said; who writes behind is ended when it is freed. Of the
 * library's own allocations the first, and some of the others, end at a page that nobody may touch,
 * and are gone once they are freed: who reads there is ended, too, as by the address sanitizer. How
 * many allocations of the library's own code are left at the end goes into the file that GUARD_LIVE
 * names, a line for each process. What SQLite keeps, say, depends on the time of day. Who gives
 * back a mutex of the program that it does not hold is ended, as by the thread sanitizer.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATTERN 0xfe
#define FREED 0xfd
#define BEFORE 16 /* a header of the alignment that malloc promises */
#define BEHIND 64
#define WITHIN 4096 /* of what is fresh at least so much has the pattern */
#define MARK UINT64_C(0x5ca1ab1e0ddba115)
#define MARK_OWN (MARK + 1) /* of the library's own */
#define MARK_FENCED (MARK + 2) /* of these, one before a page that nobody may touch */
#define PAGE UINT64_C(4096)
#define FENCED_FIRST 4000 /* a process takes some microseconds more for each; all of the first, */
#define FENCED_ONE_IN 64 /* one in so many of the others, */
#define FENCED_LIVE 16000 /* as long as there are fewer at a time: a process has 65530 mappings */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

struct header {
    uint64_t size, mark;
};
_Static_assert(sizeof(struct header) == BEFORE, "what is allocated stays aligned");

static atomic_long live, fenced_live;
static atomic_ulong asked;
static pid_t process;

/* Where the library's code begins and ends. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

static bool is_own(const void *caller)
{
    return (const char *)caller >= __ehdr_start && (const char *)caller < etext;
}

static void *begin(char *whole, size_t size, const void *caller)
{
    if (!whole) {
        return NULL;
    }
    bool own = is_own(caller);
    *(struct header *)whole = (struct header){size, own ? MARK_OWN : MARK};
    memset(whole + BEFORE + size, PATTERN, BEHIND);
    atomic_fetch_add(&live, own);
    return whole + BEFORE;
}

/* NULL: of an allocator that is not this one. */
static struct header *header_of(void *memory)
{
    struct header *header = (struct header *)((char *)memory - BEFORE);
    return header->mark >= MARK && header->mark <= MARK_FENCED ? header : NULL;
}

static bool wants_fence(const void *caller)
{
    if (!is_own(caller) || atomic_load(&fenced_live) >= FENCED_LIVE) {
        return false;
    }
    unsigned long number = atomic_fetch_add(&asked, 1);
    return number < FENCED_FIRST || number % FENCED_ONE_IN == 0;
}

/* What no type of that size can ask for is left out, so that the fence is right behind. */
static size_t fenced_bytes(size_t size)
{
    return (BEFORE + size + 7) / 8 * 8;
}

static size_t pages_of(size_t size)
{
    return (fenced_bytes(size) + PAGE - 1) / PAGE * PAGE;
}

/* Zeroes; NULL where there is no room for it. */
static void *fenced(size_t size)
{
    size_t pages = pages_of(size);
    char *whole =
        mmap(NULL, pages + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (whole == MAP_FAILED) {
        return NULL;
    }
    (void)mprotect(whole + pages, PAGE, PROT_NONE);
    struct header *header = (struct header *)(whole + pages - fenced_bytes(size));
    *header = (struct header){size, MARK_FENCED};
    char *memory = (char *)header + BEFORE;
    memset(memory + size, PATTERN, (size_t)(whole + pages - memory) - size);
    atomic_fetch_add(&live, 1);
    atomic_fetch_add(&fenced_live, 1);
    return memory;
}

static void free_fenced(struct header *header)
{
    size_t size = header->size, pages = pages_of(size);
    char *whole = (char *)header + fenced_bytes(size) - pages;
    for (const unsigned char *at = (unsigned char *)header + BEFORE + size;
         at < (unsigned char *)whole + pages; at++) {
        if (*at != PATTERN) {
            abort();
        }
    }
    atomic_fetch_sub(&live, 1);
    atomic_fetch_sub(&fenced_live, 1);
    (void)munmap(whole, pages + PAGE);
}

static void *fresh(size_t size, const void *caller)
{
    if (size > SIZE_MAX - 2 * PAGE) {
        return NULL;
    }
    if (wants_fence(caller)) {
        char *memory = fenced(size);
        return memory ? memset(memory, PATTERN, size < WITHIN ? size : WITHIN) : NULL;
    }
    char *memory = begin(__libc_malloc(BEFORE + size + BEHIND), size, caller);
    return memory ? memset(memory, PATTERN, size < WITHIN ? size : WITHIN) : NULL;
}

void *malloc(size_t size)
{
    return fresh(size, __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
    if (size > 0 && count > (SIZE_MAX - 2 * PAGE) / size) {
        return NULL;
    }
    if (wants_fence(__builtin_return_address(0))) {
        return fenced(count * size);
    }
    return begin(__libc_calloc(1, BEFORE + count * size + BEHIND), count * size,
                 __builtin_return_address(0));
}

void free(void *memory)
{
    struct header *header = memory ? header_of(memory) : NULL;
    if (!header) {
        __libc_free(memory);
        return;
    }
    if (header->mark == MARK_FENCED) {
        free_fenced(header);
        return;
    }
    const unsigned char *behind = (unsigned char *)memory + header->size;
    for (size_t i = 0; i < BEHIND; i++) {
        if (behind[i] != PATTERN) {
            abort();
        }
    }
    atomic_fetch_sub(&live, header->mark == MARK_OWN);
    memset(memory, FREED, header->size < WITHIN ? header->size : WITHIN);
    header->mark = 0;
    __libc_free(header);
}

void *realloc(void *old, size_t size)
{
    const void *caller = __builtin_return_address(0);
    if (!old) {
        return fresh(size, caller);
    }
    struct header *header = header_of(old);
    if (!header) {
        return __libc_realloc(old, size);
    }
    char *memory = fresh(size, caller);
    if (memory) {
        memcpy(memory, old, header->size < size ? header->size : size);
        free(old);
    }
    return memory;
}

/* Of who asks for a copy, and not of the C library that makes it. */
static char *copied(const char *text, size_t length, const void *caller)
{
    char *copy = fresh(length + 1, caller);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *strdup(const char *text)
{
    return copied(text, strlen(text), __builtin_return_address(0));
}

char *strndup(const char *text, size_t length)
{
    return copied(text, strnlen(text, length), __builtin_return_address(0));
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    static int (*_Atomic unlock)(pthread_mutex_t *);
    if (!atomic_load(&unlock)) {
        atomic_store(&unlock, (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_unlock"));
    }
    if (is_own(__builtin_return_address(0)) && mutex->__data.__owner != gettid()) {
        abort();
    }
    return atomic_load(&unlock)(mutex);
}

__attribute__((constructor)) static void guard_begin(void)
{
    process = getpid();
}

__attribute__((destructor)) static void guard_end(void)
{
    const char *path = getenv("GUARD_LIVE");
    int file = path && getpid() == process ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    if (file >= 0) {
        char text[32];
        int length = snprintf(text, sizeof text, "%ld\n", atomic_load(&live));
        ssize_t written = write(file, text, (size_t)length);
        (void)written;
        (void)close(file);
    }
}
