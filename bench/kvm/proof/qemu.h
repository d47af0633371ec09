/*
 * qemu - what the detector uses of QEMU's interface for TCG plugins, version 7 (QEMU 11.1), for
 * Debian has no package with its header.
 */
#ifndef S2FLUSH_PROOF_QEMU_H
#define S2FLUSH_PROOF_QEMU_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_API_VERSION 7
#define PLUGIN_EXPORT __attribute__((visibility("default")))

struct plugin_info {
    const char *target_name;
    struct {
        int min, cur;
    } version;
    bool system_emulation;
    struct {
        int smp_vcpus, max_vcpus;
    } system;
};

struct plugin_register {
    void *handle;
    const char *name, *feature;
    bool read_only;
};

enum plugin_registers { REGISTERS_NONE, REGISTERS_READ };
enum plugin_access { ACCESS_READ = 1, ACCESS_WRITE, ACCESS_BOTH };
enum plugin_discontinuity { AN_INTERRUPT = 1, AN_EXCEPTION = 2, A_HOST_CALL = 4 };

struct plugin_block;
struct plugin_insn;
struct plugin_hwaddr;

#define CALLED(name) qemu_plugin_##name

void CALLED(register_vcpu_init_cb)(uint64_t id, void (*call)(unsigned, void *), void *data);
void CALLED(register_atexit_cb)(uint64_t id, void (*call)(void *), void *data);
void CALLED(register_vcpu_discon_cb)(uint64_t id, int types,
                                     void (*call)(unsigned, int, uint64_t, uint64_t, void *),
                                     void *data);
void CALLED(register_vcpu_tb_trans_cb)(uint64_t id, void (*call)(struct plugin_block *, void *),
                                       void *data);
void CALLED(register_vcpu_tb_exec_cb)(struct plugin_block *block, void (*call)(unsigned, void *),
                                      int registers, void *data);
void CALLED(register_vcpu_insn_exec_cb)(struct plugin_insn *insn, void (*call)(unsigned, void *),
                                        int registers, void *data);
void CALLED(register_vcpu_mem_cb)(struct plugin_insn *insn,
                                  void (*call)(unsigned, uint32_t, uint64_t, void *), int registers,
                                  int access, void *data);

size_t CALLED(tb_n_insns)(const struct plugin_block *block);
struct plugin_insn *CALLED(tb_get_insn)(const struct plugin_block *block, size_t index);
uint64_t CALLED(insn_vaddr)(const struct plugin_insn *insn);
size_t CALLED(insn_data)(const struct plugin_insn *insn, void *data, size_t size);

bool CALLED(mem_is_store)(uint32_t info);
unsigned CALLED(mem_size_shift)(uint32_t info);
struct plugin_hwaddr *CALLED(get_hwaddr)(uint32_t info, uint64_t address);
bool CALLED(hwaddr_is_io)(const struct plugin_hwaddr *address);
uint64_t CALLED(hwaddr_phys_addr)(const struct plugin_hwaddr *address);
bool CALLED(translate_vaddr)(uint64_t address, uint64_t *physical);

GArray *CALLED(get_registers)(void);
bool CALLED(read_register)(void *handle, GByteArray *value);

#endif
