# s2flush - what it costs to make a VM's memory coherent at reboot on KVM/arm64.
#
# `make help` lists the targets, and these variables:
#
#   CC=clang                     another compiler
#   SANITIZE=address,undefined   sanitizers, comma separated; no jemalloc then
#   VALGRIND=1                   for use under valgrind; no jemalloc, tests run under memcheck
#   EMULATOR=qemu-aarch64        check: what runs the programs, compiled for another processor
#   OPT='-O0 -g3'                optimisation and debug flags
#   LTO=                         gcc: link the program without optimising it over all its files
#   WERROR=                      let warnings pass
#   CPPFLAGS= CFLAGS= LDFLAGS=  further flags, after the project's own
#   PREFIX=/usr/local DESTDIR=   where install puts things
#   TEST_JOBS=2 TEST_TIMEOUT=1200 check: programs at a time; seconds of processor time for each
#   SECONDS=60 TARGETS='study'   fuzz: seconds in all; targets (all of them)
#   PYTHON=python3               bench: another Python
#   KERNEL=file                  kvm-counts, kvm-zap: another arm64 kernel
#   FULL=1                       kvm-counts: all cases, and a CPU without VHE
#   QEMU=command                 kvm-proof, kvm-proof-linux: another QEMU
#   RULES=1                      kvm-proof: leave each rule of the detector out
#   QUICK=1                      kvm-proof-linux: three kernels in place of all
#   GUESTS='a b'                 kvm-proof-linux: of bench/kvm/proof/linux/guests.csv
#   POLICIES='a b'               kvm-patched, kvm-proof-linux: of bench/kvm/patches/policies.csv
#   SERIES_ROWS=file             kvm-series: another study's rows.csv for what is predicted
#   V=1                          show whole commands

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
DATADIR = $(abspath $(PREFIX))/share/s2flush
DATA := model/machine/platforms workloads bench/plots bench/published bench/batch results/validate \
    $(wildcard bench/kvm/*.csv bench/kvm/*.md) bench/kvm/proof/linux.csv

FALLBACK_VERSION := 0.1.0

# --- Toolchain and variant ---------------------------------------------------------------------

# Debian's libgomp is not instrumented, so under it the thread sanitizer sees races that are none.
SANITIZE ?=
ifneq ($(findstring thread,$(SANITIZE)),)
default_cc := clang
else
default_cc := gcc
endif
ifeq ($(origin CC),default)
CC := $(default_cc)
endif

comma := ,
empty :=
space := $(empty) $(empty)

# Objects of different variants never share a directory: build/gcc, build/clang-address,undefined...
VARIANT := $(subst $(space),_,$(notdir $(CC)))$(if $(SANITIZE),-$(SANITIZE))$(if $(VALGRIND),-valgrind)
B := build/$(VARIANT)

# gcc warns of what cannot be where a sanitizer's checks meet -O3.
OPT ?= $(if $(SANITIZE),-O2,-O3) -g
# The program is optimised over all its files at once, which is worth a tenth of what users wait for. Its
# objects hold code as well, for tests and benchmarks, which would link for minutes: of gcc's only, as
# clang 14 makes no such objects. LTO= goes without.
LTO ?= $(if $(SANITIZE)$(VALGRIND),,$(findstring gcc,$(notdir $(firstword $(CC)))))
LTO_OBJECTS := $(if $(LTO),-flto -ffat-lto-objects)
LTO_LINK := $(if $(LTO),-flto=auto)
NO_LTO_LINK := $(if $(LTO),-fno-lto)
WERROR ?= -Werror
# `omp simd` is a hint: clang 14 says of a minimum that it does not take it, which is no mistake in the code.
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wno-pass-failed $(WERROR)
# A multiplication and an addition that are fused round once and not twice, and only some processors
# can: results would differ in their last digits.
STD := -std=c11 -ffp-contract=off

# The sanitizers and valgrind bring an allocator of their own and must see every allocation.
ifneq ($(SANITIZE)$(VALGRIND),)
NO_JEMALLOC := 1
$(info $(if $(SANITIZE),SANITIZE=$(SANITIZE),VALGRIND=$(VALGRIND)): building in $(B) without jemalloc)
endif
ifneq ($(SANITIZE),)
SAN_FLAGS := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

CPPFLAGS_ALL = -Imodel -D_GNU_SOURCE $(if $(NO_JEMALLOC),-DS2FLUSH_NO_JEMALLOC) $(CPPFLAGS)
CFLAGS_ALL = $(STD) $(OPT) -fopenmp $(SAN_FLAGS) $(CFLAGS)

# Plain -l flags and no pkg-config: `make deps all` reads this file before the packages are there.
# jemalloc is there to take malloc's place, so it is linked even where nothing calls it by name.
JEMALLOC = $(if $(NO_JEMALLOC),,-Wl,--push-state,--no-as-needed -ljemalloc -Wl,--pop-state)
LIBS = -linih -lsqlite3 -lxxhash -ljansson -lcmark-gfm -lcmark-gfm-extensions -lgsl -lgslcblas -lm $(JEMALLOC) $(LDLIBS)

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-6s %s\n' '$(1)' '$(2)')

# --- Files -------------------------------------------------------------------------------------

MODULES := core machine vm kvm guest run study check report cli
SRCS := $(wildcard $(MODULES:%=model/%/*.c) $(MODULES:%=model/%/*/*.c))
MAIN := model/cli/main.c
TEST_SRCS := $(wildcard model/tests/test_*.c)
# Other C files beside the tests are helpers, linked into every test.
TEST_HELPERS := $(filter-out $(TEST_SRCS),$(wildcard model/tests/*.c))

BENCH_SRCS := $(wildcard bench/core/*.c)

# One fuzz target a file; of what is beside them fuzz.c and a main program are linked into each.
FUZZ_SRCS := $(wildcard model/tests/fuzz/fuzz_*.c)
FUZZ_MORE := $(filter-out $(FUZZ_SRCS),$(wildcard model/tests/fuzz/*.c))

objs = $(patsubst bench/core/%.c,$(B)/obj/bench/%.o,$(patsubst model/%.c,$(B)/obj/%.o,$(1)))
MAIN_OBJ := $(call objs,$(MAIN))
LIB_OBJS := $(call objs,$(filter-out $(MAIN),$(SRCS)))
HELPER_OBJS := $(call objs,$(TEST_HELPERS))
# ONLY='kvm stage2' checks with these programs alone.
TESTS := $(patsubst model/tests/%.c,$(B)/tests/%,$(if $(ONLY),$(ONLY:%=model/tests/test_%.c),$(TEST_SRCS)))
BENCHES := $(patsubst bench/core/%.c,$(B)/bench/%,$(BENCH_SRCS))
FUZZERS := $(patsubst model/tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRCS))

LINT_C := $(SRCS) $(TEST_SRCS) $(TEST_HELPERS) $(BENCH_SRCS) $(FUZZ_SRCS) $(FUZZ_MORE)
LINT_KVM := $(wildcard bench/kvm/probe/*.c bench/kvm/emulate/*.c)
FORMAT_FILES := $(LINT_C) $(LINT_KVM) \
    $(wildcard $(MODULES:%=model/%/*.h) $(MODULES:%=model/%/*/*.h) model/tests/*.h model/tests/fuzz/*.h bench/core/*.h \
        bench/kvm/probe/*.h bench/kvm/proof/*.[ch] bench/kvm/proof/bare/*.c bench/kvm/proof/linux/*.c)

# `make -j deps run` and `make -j clean all` must not compile before the first goal is done. Every
# object depends on $(B)/flags, so holding that one back holds back everything.
FIRST := $(filter clean deps deps-%,$(MAKECMDGOALS))

# --- Building ----------------------------------------------------------------------------------

.PHONY: all
all: build/s2flush ## build build/s2flush (the default)

# A copy of the variant built last. Compared by content: after a switch of variants the newer file
# may well be the wrong one.
build/s2flush: $(B)/s2flush FORCE
	@cmp -s $< $@ || install -m 755 $< $@

$(B)/s2flush: $(MAIN_OBJ) $(B)/libs2flush.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LTO_LINK) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/tests/%: $(B)/obj/tests/%.o $(HELPER_OBJS) $(B)/libs2flush.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(NO_LTO_LINK) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

$(B)/bench/%: $(B)/obj/bench/%.o $(B)/libs2flush.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(NO_LTO_LINK) $(LDFLAGS) -o $@ $^ $(LIBS)

# With the fuzzer's instrumentation the fuzzer is the main program, else one that plays the corpus.
fuzz_main := $(if $(findstring fuzzer,$(SANITIZE)),,$(B)/obj/tests/fuzz/replay.o)
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/fuzz.o $(fuzz_main) $(B)/libs2flush.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(NO_LTO_LINK) $(if $(fuzz_main),,-fsanitize=fuzzer) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

$(B)/fuzz/fuzz_sim: $(B)/obj/tests/choices.o $(B)/obj/tests/scene.o

$(B)/fuzz/dict: $(B)/obj/tests/fuzz/dict.o $(B)/libs2flush.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(NO_LTO_LINK) $(LDFLAGS) -o $@ $^ $(LIBS)

# `q` into a fresh archive and not `r`: members go by their base name, and two modules may each have
# a file of the same name.
$(B)/libs2flush.a: $(LIB_OBJS) $(B)/objects
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) qcs $@ $(LIB_OBJS)

compile = $(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LTO_OBJECTS) $(WARN) -MMD -MP $(EXTRA) -c -o $@ $<

$(B)/obj/%.o: model/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(compile)

$(B)/obj/bench/%.o: bench/core/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(compile)

# A test may say in a default what it does with all the others.
$(B)/obj/tests/%.o: EXTRA = -Wno-switch-enum

# Two files are told more than the others, by way of a response file that is also what they depend
# on, so that a new commit or prefix compiles one file again and not all.
$(B)/obj/core/version.o: EXTRA = @$(B)/version
$(B)/obj/core/version.o: $(B)/version
$(B)/obj/core/datadir.o: EXTRA = @$(B)/datadir
$(B)/obj/core/datadir.o: $(B)/datadir

# $(call update,COMMAND): put what COMMAND prints into the target, but leave the target and its date
# alone if that is what it holds already.
update = @mkdir -p $(@D) && { $(1); } >$@.new && if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(B)/flags: FORCE | $(FIRST)
	$(call update,echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LTO_OBJECTS) $(WARN) $(LDFLAGS) $(LIBS)')

# A source file that went away changes no date, only this list.
$(B)/objects: FORCE | $(FIRST)
	$(call update,printf '%s\n' $(sort $(LIB_OBJS)))

$(B)/datadir: FORCE | $(FIRST)
	$(call update,printf '"-DS2FLUSH_DATADIR=\\"%s\\""\n' '$(DATADIR)')

# Only a repository whose root is here says something about this source, not one further up.
# safe.directory is for builds by another user than the one who cloned, such as root in a container.
git := git -c safe.directory='$(CURDIR)'
$(B)/version: FORCE | $(FIRST)
	$(call update, \
	    v=; \
	    if up=$$($(git) rev-parse --show-prefix 2>/dev/null) && [ -z "$$up" ]; then \
	        v=$$($(git) describe --always --dirty 2>/dev/null) || v=; \
	    fi; \
	    printf '"-DS2FLUSH_VERSION=\\"%s\\""\n' "$${v:-$(FALLBACK_VERSION)}"; \
	    printf '"-DS2FLUSH_CFLAGS=\\"%s\\""\n' '$(strip $(CFLAGS_ALL) $(LTO_OBJECTS))')

# How each file is compiled, for clangd and others that ask.
.PHONY: compile_commands.json
compile_commands.json: $(B)/version $(B)/datadir ## write how each file is compiled, for editors
	$(Q)printf '%s\n' $(LINT_C) | awk -v dir='$(CURDIR)' -v extra='@$(B)/version @$(B)/datadir' \
	    -v command='$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARN) -c' \
	    '{ printf "%s{\"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s %s %s\"}", \
	        (NR == 1 ? "[\n" : ",\n"), dir, $$0, command, extra, $$0 } END { print "\n]" }' >$@

-include $(patsubst %.o,%.d,$(call objs,$(LINT_C)))

.PHONY: FORCE
FORCE:

# --- Running and testing -----------------------------------------------------------------------

.PHONY: run
run: build/s2flush ## run the first-light study into build/first-light, plot and print it
	build/s2flush run workloads/studies/first-light.ini -o build/first-light --fresh
	build/s2flush plot build/first-light
	build/s2flush show build/first-light

# Each question: a folder of results with its memo.
QUESTIONS := $(patsubst workloads/questions/%.ini,memo-%,$(wildcard workloads/questions/*.ini))

.PHONY: memos $(QUESTIONS)
memos: $(QUESTIONS) ## play all questions and write their memos into results/questions (memo-NAME: one)
	build/s2flush memo --overview results/questions

$(QUESTIONS): memo-%: build/s2flush
	@rm -rf results/questions/$*
	$(Q)build/s2flush report workloads/questions/$*.ini -o results/questions/$*

# What memos quote. Ten seconds or more, so it is committed; its head says which version made it.
# The costs that published rows give. A cost within a tenth of its standard error stays as it is.
.PHONY: platforms platforms-check
platforms: build/s2flush ## fit all machines again to published rows, into their files
	$(Q)build/s2flush validate --fit all --update
platforms-check: build/s2flush ## the same, compared with the files and not written
	$(Q)build/s2flush validate --fit all

.PHONY: validation
validation: build/s2flush ## predictions against published measurements into results/validate
	$(Q)build/s2flush validate -o results/validate
	$(Q)build/s2flush plot results/validate

# The other studies of which results are kept, each with its plots.
STUDIES := first-light recorded reference scenarios

.PHONY: results $(STUDIES:%=results-%)
results: validation $(STUDIES:%=results-%) memos ## make all that is in results/ again, but for the benchmarks

$(STUDIES:%=results-%): results-%: build/s2flush
	build/s2flush run workloads/studies/$*.ini -o results/$* --fresh
	build/s2flush plot results/$*

# The thread sanitizer follows LLVM's OpenMP runtime only with the help of its tool, archer. Under it and
# valgrind random cases are fewer, each takes ten times as long.
ifneq ($(findstring thread,$(SANITIZE)),)
TEST_ENV = OMP_TOOL_LIBRARIES="$$($(CC) -print-file-name=libarcher.so)" \
    TSAN_OPTIONS="ignore_noninstrumented_modules=1 $$TSAN_OPTIONS"
FEW = S2FLUSH_CASES=few
endif
ifneq ($(VALGRIND),)
# libgomp keeps its threads to the end; what they hold is not a definite leak.
TEST_ENV = TEST_WRAPPER="valgrind -q --error-exitcode=99 --leak-check=full \
    --show-leak-kinds=definite --errors-for-leak-kinds=definite"
FEW = S2FLUSH_CASES=few
endif
ifneq ($(EMULATOR),)
TEST_ENV = TEST_WRAPPER='$(EMULATOR)'
FEW = S2FLUSH_CASES=few
endif

# What the tests call: the program, or a script that has it emulated.
UNDER_TEST = $(B)/$(if $(EMULATOR),emulated,s2flush)
$(B)/emulated: $(B)/s2flush
	@printf '#!/bin/sh\nexec %s %s "$$@"\n' '$(EMULATOR)' '$(CURDIR)/$<' >$@ && chmod +x $@

.PHONY: check
CHECKS = $(TESTS) $(if $(ONLY),,$(FUZZERS))
check: $(UNDER_TEST) $(CHECKS) ## build and run all tests (ONLY='kvm stage2': these programs)
	@$(TEST_ENV) $(FEW) S2FLUSH='$(CURDIR)/$(UNDER_TEST)' TEST_SCRIPTS=$(if $(ONLY),no,yes) \
	    model/tests/run-tests.sh $(CHECKS)

# Left out: programs of over 0.5 s of CPU, but for golden, which sees whole runs. What is left takes
# under 20 s in all; the last line but one says how much it was.
SLOW_TESTS := advise advise_rungs agreement answers_agree bad_cells bad_keys bad_sets boots breakeven cache_naive calibrate_vm \
    counts counts_random draw_fit effect fair fit fitted further_strategies import_trip limits metamorphic pairs paths properties reference \
    rng shard sim stage2_tree stall steps store story study_order study_run surrogate tracks validate verdict workload
QUICK_TESTS := $(filter-out $(SLOW_TESTS:%=$(B)/tests/test_%),$(TESTS))

.PHONY: check-quick
check-quick: $(UNDER_TEST) $(QUICK_TESTS) ## build and run the tests that take under 20 s of CPU together
	@$(TEST_ENV) $(FEW) S2FLUSH='$(CURDIR)/$(UNDER_TEST)' TEST_SCRIPTS=no \
	    model/tests/run-tests.sh $(QUICK_TESTS) model/tests/check_documents.sh model/tests/check_rows.sh model/tests/check_printed.sh

# --- Fuzzing -----------------------------------------------------------------------------------

# SECONDS in all, shared out among the targets (or those that TARGETS names). Comparisons of numbers are not watched:
# inputs are text, choices, or files of SQLite's, in which no number that the program compares stands as its bytes;
# a simulation takes a third of the time without. Comparisons of words are.
FUZZ_FLAGS := -fno-sanitize-coverage=trace-cmp
.PHONY: fuzz fuzz-build
fuzz: ## fuzz every reader and the simulator (SECONDS=60, TARGETS='study sim'; needs clang)
	@command -v clang >/dev/null || { echo 'make fuzz: no clang here: make deps-lint' >&2; exit 2; }
	@mkdir -p build && $(MAKE) CC=clang SANITIZE=fuzzer-no-link,address,undefined CFLAGS='$(FUZZ_FLAGS)' B=build/fuzz fuzz-build >build/fuzz.log 2>&1 || \
	    { cat build/fuzz.log >&2; exit 2; }
	@model/tests/fuzz/fuzz.sh build/fuzz $(or $(SECONDS),60) $(TARGETS)

fuzz-build: $(FUZZERS) $(B)/fuzz/dict ## build the fuzz targets and their dictionary alone

# Wrong models that the unit tests should notice. Objects of a kind of their own, linked into a
# library in which one of them can be another.
MUTANT_FLAGS := -fPIC -fno-semantic-interposition -fsanitize=bounds -fsanitize-undefined-trap-on-error \
    -ftrivial-auto-var-init=pattern
.PHONY: mutants mutants-build
mutants: ## change code at random, see the tests fail; goes on where it was (COUNT=300 SEED=1)
	@command -v $(PYTHON) >/dev/null || \
	    { echo 'make mutants: no $(PYTHON) here: make deps-bench' >&2; exit 2; }
	@mkdir -p build
	@$(MAKE) B=build/mutants LTO= OPT=-O2 CFLAGS='$(MUTANT_FLAGS)' NO_JEMALLOC=1 mutants-build \
	    >build/mutants.log 2>&1 || { cat build/mutants.log >&2; exit 2; }
	@$(PYTHON) model/tests/mutants/run.py build/mutants \
	    --libs '$(filter-out -Wl% -ljemalloc,$(LIBS))' \
	    --cc '$(CC) -Imodel -D_GNU_SOURCE -DS2FLUSH_NO_JEMALLOC $(STD) -O2 -fopenmp $(MUTANT_FLAGS)' \
	    --count $(or $(COUNT),300) --seed $(or $(SEED),1) --jobs $(or $(JOBS),2) \
	    $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SHARD),--shard $(SHARD)) $(if $(AGAIN),--again)

.PHONY: extensions
extensions: ## add one of each table to copies of the tree: works in full (NAMES=cost)
	@command -v $(PYTHON) >/dev/null || \
	    { echo 'make extensions: no $(PYTHON) here: make deps-bench' >&2; exit 2; }
	@$(PYTHON) model/tests/mutants/extensions.py --cc '$(CC)' --jobs $(or $(JOBS),2) $(NAMES)

mutants-build: $(LIB_OBJS) $(MAIN_OBJ) $(call objs,$(TEST_SRCS) $(BENCH_SRCS)) $(HELPER_OBJS) ## (what mutants is built from)

# Objects that count which lines ran. The share of lines and branches of the program, its tests aside.
.PHONY: coverage
coverage: ## which lines no test reaches, into build/coverage (needs deps-coverage)
	@command -v gcovr >/dev/null || { echo 'make coverage: no gcovr here: make deps-coverage' >&2; exit 2; }
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) B=build/coverage LTO= WERROR= OPT='-O1 -g' CFLAGS='--coverage -fprofile-update=atomic' NO_JEMALLOC=1 check
	@gcovr --root . --filter model/ --exclude model/tests/ --gcov-ignore-parse-errors \
	    --html-details build/coverage/index.html --print-summary build/coverage/obj

# What the model says has changed, and it is meant: see the diff before it is committed.
GOLDEN_TESTS := $(addprefix $(B)/tests/test_golden,_plays _scenes _tables _trace) $(B)/tests/test_golden
.PHONY: golden
golden: $(GOLDEN_TESTS) $(B)/s2flush ## accept what golden runs, rows and what is printed come to now
	@for test in $(GOLDEN_TESTS); do S2FLUSH_GOLDEN=accept $$test || exit 1; done
	@S2FLUSH='$(CURDIR)/$(B)/s2flush' model/tests/check_rows.sh --update
	@S2FLUSH='$(CURDIR)/$(B)/s2flush' model/tests/check_printed.sh --update

.PHONY: torture
torture: $(B)/s2flush $(TESTS) ## all that is meant to break it: MINUTES=60, or portions of it
	@S2FLUSH='$(CURDIR)/$(B)/s2flush' TESTS_DIR='$(B)/tests' \
	    model/tests/torture.sh $(or $(MINUTES),60) $(SEED)

# Minutes, too: every memo that is kept, printed on two sizes of paper.
.PHONY: check-pages
check-pages: $(B)/s2flush ## open, print and look at all pages in results (needs deps-page)
	@PAGE=required PAGES=all S2FLUSH='$(CURDIR)/$(B)/s2flush' model/tests/check_page.sh

# Minutes instead of seconds: every random case, of which `check` plays some.
.PHONY: check-long
check-long: $(B)/tests/test_agreement $(B)/tests/test_reference $(B)/tests/test_study_run $(B)/tests/test_pairs $(B)/s2flush ## play all of the random cases that check plays some of
	@S2FLUSH_CASES=all $(TEST_ENV) $(B)/tests/test_agreement
	@S2FLUSH_CASES=all $(TEST_ENV) $(B)/tests/test_reference
	@S2FLUSH_CASES=all $(TEST_ENV) $(B)/tests/test_study_run
	@S2FLUSH_CASES=all $(TEST_ENV) $(B)/tests/test_pairs
	@SECOND_CASES=400 SECOND_SEED=2 S2FLUSH='$(CURDIR)/$(B)/s2flush' model/tests/check_second.sh

# --- Benchmarks --------------------------------------------------------------------------------

PYTHON ?= python3

# Where the probe runs, bench holds the model's law of flushes against it.
PROBE_HERE := $(if $(filter aarch64 x86_64,$(shell uname -m)),build/probe)

.PHONY: bench bench-check bench-accept bench-waits bench-law
bench: $(BENCHES) $(B)/s2flush $(PROBE_HERE) ## measure against peers and floors into results/bench (needs deps-bench)
	$(Q)$(PYTHON) bench/core/run_bench.py $(B)/bench

bench-check: $(BENCHES) ## fail where instructions left bench/baseline.csv, or recorded flushes their law
	$(Q)$(PYTHON) bench/core/run_bench.py $(B)/bench --check
	$(Q)$(PYTHON) bench/core/flush_law.py bench/core/flush_rows.csv

bench-accept: $(BENCHES) $(B)/s2flush $(PROBE_HERE) ## the same as bench, and the figures become baseline and README
	$(Q)$(PYTHON) bench/core/run_bench.py $(B)/bench --accept

bench-waits: $(BENCHES) $(B)/s2flush ## CPU time of what people wait for, with its limits
	$(Q)$(PYTHON) bench/core/run_bench.py $(B)/bench --waits

bench-law: $(BENCHES) $(B)/s2flush $(PROBE_HERE) ## predict flushes of some sizes from those of others, and measure them
	$(Q)$(PYTHON) bench/core/run_bench.py $(B)/bench --law

# --- The probe ---------------------------------------------------------------------------------

# A static program for the machine that one wants to know; the part about KVM is for arm64 only.
# Its flags are its own: it takes nothing of the model, and has to run where nothing is installed.
PROBE := bench/kvm/probe
PROBE_MACHINE := $(addprefix $(PROBE)/,main.c common.c cacheops.c team.c machine.c flush.c memory.c)
PROBE_ALL := $(wildcard $(PROBE)/*.c) $(PROBE)/guest.S
PROBE_FLAGS := $(STD) -D_GNU_SOURCE -O2 -g $(WARN) -pthread -static
ARM_CC := $(if $(filter aarch64,$(shell uname -m)),$(CC),aarch64-linux-gnu-gcc)

.PHONY: probe kvm-counts
probe: build/probe ## build build/probe: measures caches, and on arm64 KVM (bench/kvm/README.md)

build/probe: $(PROBE_ALL) $(wildcard $(PROBE)/*.h) | $(FIRST)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)case $$($(CC) -dumpmachine) in \
	    aarch64*) $(CC) $(PROBE_FLAGS) -o $@ $(PROBE_ALL) ;; \
	    x86_64*) $(CC) $(PROBE_FLAGS) -o $@ $(PROBE_MACHINE) ;; \
	    *) echo 'make probe: the probe is for arm64 and x86-64' >&2; exit 2 ;; \
	esac

build/probe-arm64: $(PROBE_ALL) $(wildcard $(PROBE)/*.h)
build/init-arm64: bench/kvm/emulate/init.c
build/zap-arm64: $(addprefix bench/kvm/emulate/,zap.c ending.c ending.h window.h)
build/vmm-arm64: bench/kvm/proof/linux/vmm.c bench/kvm/proof/bare/guest.S
build/boot-arm64: bench/kvm/proof/linux/boot.c
build/vmm-arm64 build/boot-arm64: $(addprefix $(PROBE)/,common.c events.c trace.c symbols.c memory_slot.c) \
    $(addprefix bench/kvm/proof/linux/counting.,c h) $(wildcard $(PROBE)/*.h)
build/qemu-arm64: $(PROBE)/common.c bench/kvm/proof/linux/qemu.c $(PROBE)/common.h
build/guest-arm64: $(PROBE)/common.c bench/kvm/proof/linux/guest.c $(PROBE)/common.h
LINUX_ARM := $(addprefix build/,vmm-arm64 boot-arm64 qemu-arm64 guest-arm64 init-arm64)
$(filter-out build/init-arm64,$(LINUX_ARM)): ARM_FLAGS := -I$(PROBE) -DUNDER_KVM
build/probe-arm64 build/zap-arm64 $(LINUX_ARM): | $(FIRST)
	@command -v $(ARM_CC) >/dev/null || \
	    { echo 'make $(@F): no $(ARM_CC) here: make deps-kvm' >&2; exit 2; }
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(ARM_CC) $(PROBE_FLAGS) $(ARM_FLAGS) -o $@ $(filter %.c %.S,$^)

kvm-counts: build/s2flush build/probe-arm64 build/init-arm64 ## count a real arm64 kernel under emulation (KERNEL=file, FULL=1)
	@bench/kvm/emulate/run.sh $^ build/kvm

# A plugin for QEMU, and a machine without an operating system for it to watch.
PROOF := bench/kvm/proof
build/detector.so: $(wildcard $(PROOF)/*.c $(PROOF)/*.h) | $(FIRST)
	@pkg-config --exists glib-2.0 || { echo 'make kvm-proof: no glib-2.0 here: make deps-kvm' >&2; exit 2; }
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(STD) -D_GNU_SOURCE -O2 -g $(WARN) -shared -fPIC -fvisibility=hidden \
	    $$(pkg-config --cflags glib-2.0) -o $@ $(filter %.c,$^)

build/bare-host.elf: $(PROOF)/bare/start.S $(PROOF)/bare/guest.S $(PROOF)/bare/host.c $(PROOF)/bare/link.ld | $(FIRST)
	@command -v $(ARM_CC) >/dev/null || \
	    { echo 'make kvm-proof: no $(ARM_CC) here: make deps-kvm' >&2; exit 2; }
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(ARM_CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -fno-pic \
	    -static -no-pie -Wl,--build-id=none -Wl,--no-warn-rwx-segments -T $(filter %.ld,$^) -o $@ $(filter %.S %.c,$^)

.PHONY: kvm-proof
kvm-proof: build/s2flush build/detector.so build/bare-host.elf ## watch an emulated host reboot its guest for old bytes, by each policy (RULES=1)
	@$(PROOF)/run.sh $^ build/proof

.PHONY: kvm-proof-linux
kvm-proof-linux: build/s2flush build/detector.so $(LINUX_ARM) ## watch kernels of the same policies as KVM hosts for old bytes (QUICK=1)
	@$(PROOF)/linux/run.sh $^ build/proof

.PHONY: kvm-patched
kvm-patched: ## build small arm64 kernels from Debian's source, as they are and patched
	@bench/kvm/patches/build.sh build/kvm-patched $(or $(POLICIES),$(shell sed -n '1!s/,.*//p' bench/kvm/patches/policies.csv))

# The version of QEMU's interface for plugins: that of Debian 12.
PLUGIN_VERSION ?= 1
build/lines.so: bench/kvm/emulate/lines.c bench/kvm/emulate/window.h | $(FIRST)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(STD) -O2 -g $(WARN) -shared -fPIC -fvisibility=hidden -DPLUGIN_VERSION=$(PLUGIN_VERSION) -o $@ $<

# What the series is made of, and what has to be caught beside it.
SERIES := unmap $(shell sed -n '1!s/[^,]*,\([^,]*\),.*/\1/p' bench/kvm/patches/series.csv)
SERIES_CONTROLS := none unmap-no-clean eager-no-icache flush-before
SERIES_GUESTS ?= relocated aliased several linux
SERIES_ROWS ?= results/questions/q01-reboot-without-fwb/rows.csv
.PHONY: kvm-series
kvm-series: build/s2flush build/detector.so $(LINUX_ARM) ## watch the coherent kernels of a series and write it as mails
	@POLICIES='$(SERIES) $(SERIES_CONTROLS)' GUESTS='$(SERIES_GUESTS)' $(PROOF)/linux/run.sh $^ build/proof
	@bench/kvm/patches/series.sh build/kvm-patched build/proof/linux.csv $(SERIES_ROWS) build/series $(SERIES_CONTROLS)

.PHONY: kvm-zap
kvm-zap: build/zap-arm64 build/lines.so ## count what giving back memory or a VM takes in a real arm64 kernel (KERNEL=file)
	@bench/kvm/emulate/zap.sh $^ build/kvm

# --- Many machines -----------------------------------------------------------------------------

.PHONY: batch-parallel batch-slurm
batch-parallel: build/s2flush ## run the recipe for GNU parallel here and compare (needs deps-batch)
	@S2FLUSH='$(CURDIR)/build/s2flush' bench/batch/try_parallel.sh build/batch/parallel

batch-slurm: build/s2flush ## run the recipe for Slurm here, with its own daemons (needs deps-batch)
	@S2FLUSH='$(CURDIR)/build/s2flush' bench/batch/try_slurm.sh build/batch/slurm

# --- Other systems -----------------------------------------------------------------------------

.PHONY: systems
systems: ## deps, check and equal rows in fresh Debian 12 and 13 (root; SYSTEMS='trixie')
	@model/tests/systems.sh build/systems $(SYSTEMS)

# --- Installing --------------------------------------------------------------------------------

BINDIR = $(DESTDIR)$(abspath $(PREFIX))/bin
SHARE = $(DESTDIR)$(abspath $(PREFIX))/share
COMPLETION = $(SHARE)/bash-completion/completions/s2flush $(SHARE)/zsh/site-functions/_s2flush \
    $(SHARE)/fish/vendor_completions.d/s2flush.fish

.PHONY: install
install: $(B)/s2flush manual $(PROBE_HERE) ## install below PREFIX (and DESTDIR)
	install -D -m 755 $(B)/s2flush '$(BINDIR)/s2flush'
	$(if $(PROBE_HERE),install -m 755 $(PROBE_HERE) '$(BINDIR)/s2flush-probe')
	rm -rf '$(DESTDIR)$(DATADIR)'
	install -d '$(DESTDIR)$(DATADIR)' '$(SHARE)/man/man1'
	cp -R --parents --no-preserve=all $(DATA) '$(DESTDIR)$(DATADIR)'
	install -m 644 $(B)/manual/*.1 '$(SHARE)/man/man1'
	install -D -m 644 $(B)/manual/bash '$(SHARE)/bash-completion/completions/s2flush'
	install -D -m 644 $(B)/manual/zsh '$(SHARE)/zsh/site-functions/_s2flush'
	install -D -m 644 $(B)/manual/fish '$(SHARE)/fish/vendor_completions.d/s2flush.fish'

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f '$(BINDIR)/s2flush' '$(BINDIR)/s2flush-probe' '$(SHARE)'/man/man1/s2flush.1 \
	    '$(SHARE)'/man/man1/s2flush-*.1 $(COMPLETION:%='%')
	rm -rf '$(DESTDIR)$(DATADIR)'

# Made by the program from its own tables.
.PHONY: manual
manual: $(B)/s2flush ## man pages, shell completion, workloads/studies/COLUMNS.md
	@rm -rf $(B)/manual && mkdir -p $(B)/manual
	$(Q)for shell in bash zsh fish; do $< manual $$shell >$(B)/manual/$$shell || exit 1; done
	$(Q)$< manual s2flush >$(B)/manual/s2flush.1
	$(Q)for command in $$($< --help | sed -n '/^  s2flush/q; s/^  \([a-z]*\) .*/\1/p'); do \
	    $< manual $$command >$(B)/manual/s2flush-$$command.1 || exit 1; \
	done
	$(Q)$< manual columns >$(B)/manual/columns
	$(Q)cmp -s $(B)/manual/columns workloads/studies/COLUMNS.md || cp $(B)/manual/columns workloads/studies/COLUMNS.md

# --- Style and static checks -------------------------------------------------------------------

.PHONY: format
format: | $(FIRST) ## format all C files in place
	clang-format -i $(FORMAT_FILES)

.PHONY: lint
lint: lint-format lint-tidy lint-cppcheck ## clang-format, clang-tidy and cppcheck

# What the two special files get from their response files.
LINT_DEFS := -DS2FLUSH_VERSION='"lint"' -DS2FLUSH_CFLAGS='""' -DS2FLUSH_DATADIR='"/nonexistent"'

.PHONY: lint-format lint-tidy lint-cppcheck
lint-format: | $(FIRST) ## clang-format alone
	$(call say,FORMAT,)
	$(Q)clang-format --dry-run -Werror $(FORMAT_FILES)

# One process per file, as many as there are processors; quiet about files that are clean.
tidy = printf '%s\n' $(1) | xargs -P "$$(nproc)" -I{} sh -c \
    'out=$$(clang-tidy --quiet "$$@" 2>&1) || { printf "%s\n" "$$out"; exit 1; }' tidy {} --

# The probe is read as each machine sees it whose C library's headers are here, native or cross.
KVM_FLAGS := -D_GNU_SOURCE $(STD) -Wall -Wextra
headers_of = $(firstword $(wildcard /usr/include/$(1)-linux-gnu /usr/$(1)-linux-gnu/include))
tidy_as = $(if $(call headers_of,$(1)), \
    $(call tidy,$(2)) --target=$(1)-linux-gnu -isystem $(call headers_of,$(1)) $(KVM_FLAGS), \
    echo 'lint-tidy: no headers of $(1), left out: $(2)')

lint-tidy: | $(FIRST) ## clang-tidy alone
	$(call say,TIDY,)
	$(Q)$(call tidy,$(LINT_C)) $(CPPFLAGS_ALL) $(STD) -fopenmp -Wall -Wextra $(LINT_DEFS)
	$(Q)$(call tidy_as,x86_64,$(PROBE_MACHINE))
	$(Q)$(call tidy_as,aarch64,$(LINT_KVM))

lint-cppcheck: | $(FIRST) ## cppcheck alone
	$(call say,CPPCHK,)
	@mkdir -p build/cppcheck
	$(Q)cppcheck --quiet -j "$$(nproc)" --std=c11 --error-exitcode=1 --inline-suppr \
	    --cppcheck-build-dir=build/cppcheck \
	    --enable=warning,performance,portability --suppress=missingIncludeSystem \
	    --library=.cppcheck.cfg \
	    --include=/usr/include/bsd/sys/tree.h \
	    $(CPPFLAGS_ALL) $(LINT_DEFS) $(LINT_C)
	$(Q)for machine in __aarch64__ __x86_64__; do \
	    cppcheck --quiet -j "$$(nproc)" --std=c11 --error-exitcode=1 --inline-suppr \
	        --enable=warning,performance,portability --suppress=missingIncludeSystem \
	        --library=.cppcheck.cfg -D_GNU_SOURCE -D$$machine=1 $(LINT_KVM) || exit 1; \
	done

# gcc's own analyzer, over the program alone. Off: leaks, for it loses sight of memory that is kept
# behind a pointer to a structure and says so of every list that grows; the address sanitizer
# (make fuzz, SANITIZE=address) and valgrind (VALGRIND=1) look for leaks where they happen.
ANALYZER_OFF := -Wno-analyzer-malloc-leak

.PHONY: lint-analyzer
lint-analyzer: | $(FIRST) ## gcc -fanalyzer; not part of lint, for it takes minutes
	$(call say,ANALYZ,)
	$(Q)printf '%s\n' $(SRCS) | xargs -P "$$(nproc)" -I{} \
	    gcc $(CPPFLAGS_ALL) $(STD) -O1 -fopenmp -fanalyzer $(ANALYZER_OFF) -Werror -c -o /dev/null {}

# --- Debian packages ---------------------------------------------------------------------------

# make itself and git are taken to be there. libbsd-dev is for <bsd/sys/tree.h>, header only.
DEPS := gcc libc6-dev libgsl-dev libjemalloc-dev libinih-dev libxxhash-dev libjansson-dev libsqlite3-dev \
    libcmark-gfm-dev libcmark-gfm-extensions-dev \
    libbsd-dev libcmocka-dev gnuplot-nox fonts-dejavu-core
DEPS_LINT := clang libclang-rt-dev libomp-dev clang-format clang-tidy cppcheck
DEPS_BENCH := valgrind python3 python3-simpy3
DEPS_COVERAGE := gcovr
DEPS_BATCH := parallel slurmctld slurmd slurm-client
# A Node.js from elsewhere brings its own npm, and Debian's excludes it.
DEPS_PAGE := chromium python3 poppler-utils $(if $(shell command -v node),,nodejs) \
    $(if $(shell command -v npm),,npm)
DEPS_KVM := qemu-system-arm gcc-aarch64-linux-gnu libc6-dev-arm64-cross cpio libglib2.0-dev pkg-config \
    coccinelle flex bison bc xz-utils

# $(call apt,TARGET,PACKAGES): install those that are missing, say so in one line, else touch nothing;
# without root and sudo print what is missing.
define apt
@command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || { \
    echo 'make $(1): no apt here. Install by hand what Debian calls: $(2)' >&2; exit 1; }; \
missing=; \
for p in $(2); do \
    dpkg-query -W -f='$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || \
        missing="$$missing $$p"; \
done; \
if [ -z "$$missing" ]; then echo '$(1): all packages are there'; exit 0; fi; \
sudo=; \
if [ "$$(id -u)" -ne 0 ]; then \
    sudo=sudo; \
    command -v sudo >/dev/null || { \
        echo "make $(1): neither root nor sudo here. As root: apt-get install$$missing" >&2; exit 1; }; \
fi; \
echo "$(1): installing$$missing"; \
$$sudo apt-get -q -q update && \
$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -q -y -o Dpkg::Use-Pty=0 \
    install --no-install-recommends $$missing >/dev/null
endef

# One at a time: two apt-gets would fight over the lock.
.PHONY: deps deps-lint deps-bench deps-page deps-kvm deps-batch deps-coverage
deps: ## install the Debian packages to build, run and check
	$(call apt,$@,$(DEPS))

deps-lint: | $(filter deps,$(FIRST)) ## install the packages for lint, format and CC=clang
	$(call apt,$@,$(DEPS_LINT))

deps-bench: | $(filter deps deps-lint,$(FIRST)) ## install the packages for benchmarks and VALGRIND=1
	$(call apt,$@,$(DEPS_BENCH))

deps-page: | $(filter deps deps-lint deps-bench,$(FIRST)) ## install the packages for the tests that open a memo's page
	$(call apt,$@,$(DEPS_PAGE))
	@[ -e build/page/node_modules/axe-core ] || \
	    npm install --silent --no-audit --no-fund --prefix build/page axe-core@4.10.2

deps-kvm: | $(filter deps deps-lint deps-bench deps-page,$(FIRST)) ## install the packages for kvm-counts and kvm-proof
	$(call apt,$@,$(DEPS_KVM))

deps-batch: | $(filter deps deps-lint deps-bench deps-kvm,$(FIRST)) ## install the packages for batch-parallel and batch-slurm
	$(call apt,$@,$(DEPS_BATCH))

deps-coverage: | $(filter deps deps-lint deps-bench deps-kvm deps-batch,$(FIRST)) ## install the package for coverage
	$(call apt,$@,$(DEPS_COVERAGE))

# --- The rest ----------------------------------------------------------------------------------

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## list targets and variables
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## / { printf "  %-14s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo; echo 'Variables:'; sed -n '/^$$/q; s/^#   /  /p' $(firstword $(MAKEFILE_LIST))
