# Upweave: everything that one does in a checkout. `make help` lists it.
#
# There is nothing to build: bin/upweave runs from the checkout, and compiles what a verb needs
# into its cache. All that these targets write lies in build/, which git ignores.

LUA          ?= lua5.4
CLANG_FORMAT ?= clang-format-19
JOBS         ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX       ?= /usr/local
DESTDIR      ?=
UPWEAVE      := bin/upweave

# V=1 shows the commands.
ifeq ($(V),1)
  Q :=
else
  Q := @
endif
say = @printf '  %-8s %s\n' $(1) $(2)

# Tests in Lua that need no C compiler, then all. tests/*/ by subject; tests/lib/ is their library.
# The longest begin first, so that none is waited for alone at the end.
LONGEST    := $(wildcard tests/unit/lower_contract.lua tests/unit/lower.lua \
                tests/errors/hostile.lua tests/golden/schedules.lua tests/unit/lower_fixed.lua \
                tests/unit/tune.lua tests/properties/plan_reference.lua)
FAST_TESTS := $(LONGEST) $(filter-out $(LONGEST),$(sort $(wildcard tests/unit/*.lua \
                tests/errors/*.lua tests/golden/*.lua tests/properties/*.lua)))
TESTS      := $(FAST_TESTS) $(sort $(wildcard tests/cli/*.lua tests/kernels/*.lua \
                tests/kernels/*.c tests/python/*.py))
LONG_TESTS := $(sort $(wildcard tests/long/*.lua tests/long/*.c))
C_SOURCES   = $(shell find runtime tests examples -name '*.[ch]' | LC_ALL=C sort)
PROVE      := prove --norc --timer -j$(JOBS) --exec tests/run-one

# Options of `conformance`, `mutate`, `replay`, `demo`, `bench-peers`. OPTIONAL=1: without PyTorch,
# SKIP and pass.
OPS      ?=
DTYPES   ?=
OPTIONAL ?=
N        ?=
SEED     ?=
BASE     ?= HEAD~1
PICTURE  ?=
ONLY     ?=
DOCS     ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps deps-check demo check check-fast check-long conformance mutate lint format bench \
        bench-peers bench-tuning replay docs showcase lib install uninstall clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@echo "  V=1 shows the commands; JOBS=N sets the number of parallel tests."

deps: ## install what is missing: Lua libraries, clang, libpng; says why
	$(Q)tools/deps

deps-check: ## the same, and what the tests need
	$(Q)tools/deps --check

demo: deps ## kernels on a picture: verified, measured, shown; PICTURE=any.png
	$(Q)$(LUA) examples/demo/demo.lua $(if $(PICTURE),"$(PICTURE)")

check: deps-check lint ## all tests, under fifteen minutes
	$(call say,TEST,"$(words $(TESTS)) files")
	$(Q)$(PROVE) $(TESTS)

check-fast: ## the tests that need no C compiler, under 20 seconds
	$(call say,TEST,"$(words $(FAST_TESTS)) files")
	$(Q)$(PROVE) $(FAST_TESTS)

check-long: check ## check, hostile files, conformance with 3000 specs an operator, mutate
	$(Q)$(PROVE) $(LONG_TESTS)
	$(Q)$(MAKE) --no-print-directory conformance $(if $(N),,N=3000)
	$(Q)$(MAKE) --no-print-directory mutate N=

conformance: deps ## live PyTorch (downloads it): OPS= DTYPES= N= SEED=; ONNX's tests: ONNX_NODE=DIR
	$(Q)tests/conformance/onnx_node
	$(Q)tests/conformance/run $(if $(OPTIONAL),--optional) $(if $(OPS),--ops "$(OPS)") \
	  $(if $(DTYPES),--dtypes "$(DTYPES)") $(if $(N),-n "$(N)") $(if $(SEED),--seed "$(SEED)")

mutate: ## plant faults in the generator: check-fast must see 90 %; N= SEED= JOBS=
	$(Q)$(LUA) tools/mutate.lua --jobs "$(JOBS)" $(if $(N),--count "$(N)") \
	  $(if $(SEED),--seed "$(SEED)") $(FAST_TESTS)

lint: ## static checks of Lua and C
	$(call say,LINT,"Lua: luacheck and house rules")
	$(Q)luacheck -q --no-color .
	$(Q)$(LUA) tools/lint.lua
	$(call say,LINT,"C: clang-format")
	$(Q)if command -v $(CLANG_FORMAT) >/dev/null; then \
	  $(CLANG_FORMAT) --dry-run -Werror $(C_SOURCES); \
	else echo "  SKIP     $(CLANG_FORMAT) is not installed"; fi

format: ## lay out the hand-written C
	$(call say,FORMAT,"$(words $(C_SOURCES)) files")
	$(Q)$(CLANG_FORMAT) -i $(C_SOURCES)

bench: deps ## the bench workloads on this machine, as a table in build/bench/; ONLY=PATTERN
	$(Q)$(LUA) bench/run.lua $(if $(ONLY),--only "$(ONLY)")

bench-tuning: deps ## the heuristic against the tuner on the bench workloads; ONLY=PATTERN N=TRIALS
	$(Q)$(LUA) bench/tuning.lua $(if $(ONLY),--only "$(ONLY)") $(if $(N),--trials "$(N)")

bench-peers: deps ## against other libraries (downloads them); ONLY=PATTERN; DOCS=1 keeps it in docs/
	$(Q)bench/peers/run $(if $(ONLY),--only "$(ONLY)") $(if $(DOCS),--docs)

replay: ## compare the C of the bench workloads with that of another commit; BASE=rev
	$(Q)tools/replay "$(BASE)"

docs: ## refresh what is generated in docs/ and README.md
	$(Q)$(LUA) tools/docs.lua

showcase: ## refresh generated/, the kernels kept for reading
	$(Q)$(LUA) tools/showcase.lua

# --- libupweave: for programs around the kernels (threads, .npy files); kernels never need it

ifeq ($(origin CC),default)
  CC := $(firstword $(foreach name,clang-19 clang clang-14,$(shell command -v $(name))) cc)
endif
CFLAGS  ?= -O2
# OpenMP where the compiler has it; the library is serial without.
OPENMP   = $(shell echo 'int main(void){return 0;}' | \
             $(CC) -fopenmp -x c - -o /dev/null 2>/dev/null && echo -fopenmp)
RUNTIME := $(sort $(wildcard runtime/src/*.c))
OBJECTS := $(RUNTIME:runtime/src/%.c=build/lib/%.o)

lib: build/lib/libupweave.a build/lib/libupweave.so ## libupweave, in build/lib/

build/lib/%.o: runtime/src/%.c $(wildcard runtime/include/upweave/*.h)
	$(call say,CC,$<)
	$(Q)mkdir -p build/lib
	$(Q)$(CC) -std=c11 $(CFLAGS) -fPIC -Wall -Wextra -Wpedantic $(OPENMP) -Iruntime/include \
	  -c $< -o $@

build/lib/libupweave.a: $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcsD $@ $(OBJECTS)

build/lib/libupweave.so: $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(OPENMP) $(OBJECTS) -o $@

# --- installation: a relocatable folder, a launcher that finds it, the Lua modules by name, and
# libupweave with its headers

ROOT     = $(DESTDIR)$(PREFIX)
SHARE    = $(ROOT)/share/upweave
MODULES  = $(ROOT)/share/lua/5.4
FOLDERS := generator templates runtime

install: lib ## install to PREFIX (default /usr/local), DESTDIR respected
	$(call say,INSTALL,"$(ROOT)")
	$(Q)rm -rf "$(SHARE)"
	$(Q)install -d "$(SHARE)" "$(MODULES)" "$(ROOT)/bin" "$(ROOT)/include/upweave" \
	  "$(ROOT)/lib/pkgconfig"
	$(Q)cp -R $(FOLDERS) LICENSE LICENSE.MIT-0 "$(SHARE)/"
	$(Q)install -m 755 bin/upweave "$(ROOT)/bin/upweave"
	$(Q)ln -sfn ../../upweave/generator "$(MODULES)/upweave"
	$(Q)ln -sfn runtime/python "$(SHARE)/python"
	$(Q)install -m 644 tools/home.lua "$(SHARE)/generator/home.lua"
	$(Q)install -m 644 runtime/include/upweave/*.h "$(ROOT)/include/upweave/"
	$(Q)install -m 644 build/lib/libupweave.a build/lib/libupweave.so "$(ROOT)/lib/"
	$(Q)install -m 644 tools/upweave.pc "$(ROOT)/lib/pkgconfig/upweave.pc"

uninstall: ## remove what install wrote
	$(call say,REMOVE,"$(ROOT)")
	$(Q)rm -rf "$(SHARE)" "$(ROOT)/include/upweave"
	$(Q)rm -f "$(ROOT)/bin/upweave" "$(MODULES)/upweave" "$(ROOT)/lib/pkgconfig/upweave.pc" \
	  "$(ROOT)/lib/libupweave.a" "$(ROOT)/lib/libupweave.so"

clean: ## remove build/
	$(Q)rm -rf build
