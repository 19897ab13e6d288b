# SPDX-License-Identifier: Apache-2.0
# The commands of this project, for people. The building itself is CMake's (CMakePresets.json).
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := /usr/bin/python3
PREFIX ?= /usr/local
TIME ?= 60
.PHONY: help run check check-long bench bench-attack bench-net bench-crowd bench-presence test san sim load fuzz coverage format install clean

# Installs what is missing for a set, then configures and builds a preset: $(call build,SET,PRESET,TARGETS)
define build
@tools/install-deps.sh $(1)
@tools/build.sh $(2) $(3)
endef

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: ## builds, then sends a real file between two processes (FILE=path: that one)
	$(call build,run,release,app_weft app_weftd weft-netem)
	@FILE="$(FILE)" tools/run-demo.sh

check: ## everything that must hold before a commit (STAGE="a b": those stages alone)
	@tools/check.sh $(STAGE)

check-long: ## the hours-long checks: many seeds, fuzzing, thread and memory sanitizers
	@tools/check-long.sh $(STAGE)

bench: ## measures weft and its peers side by side (ROWS=name: those rows alone)
	$(call build,bench,release,all bench)
	@ROWS="$(ROWS)" tools/run-bench.sh

bench-crowd: ## ten thousand clients with sessions at work at one server: its memory and answers (CLIENTS=n)
	$(call build,bench,release,all bench)
	@$(PYTHON) tools/run-crowd.py build/release --clients "$(or $(CLIENTS),10000)"

bench-presence: ## peers at rest at one server: bytes of each, and how fast they wake (N=100000)
	$(call build,bench,release,all bench)
	@build/release/bench/weft-bench-presence-bench "$(or $(N),100000)"

bench-attack: ## attacks a server of its own and measures it; as root, for namespaces (ROWS=name: those alone)
	$(call build,bench,release,all bench)
	@$(PYTHON) tools/run-attack.py build/release --rows "$(if $(ROWS),$(ROWS),all)" --runs "$(if $(RUNS),$(RUNS),5)"

bench-net: ## weft beside TCP of the kernel on emulated links; as root (ROWS=name: those alone; QUICK=1: a look)
	$(call build,bench,release,all bench)
	@$(PYTHON) tools/run-net.py build/release --rows "$(if $(ROWS),$(ROWS),all)" --runs "$(if $(RUNS),$(RUNS),0)" $(if $(QUICK),--quick)

test: ## unit tests (T=text: files and claims whose name contains it)
	$(call build,check,dev)
	@$(PYTHON) tools/run-tests.py build/dev --match "$(T)"

san: ## unit tests and corpus under AddressSanitizer and UBSan (T=text as in test)
	$(call build,check,asan)
	@$(PYTHON) tools/run-tests.py build/asan --match "$(T)"

sim: ## one simulator seed again (SEED=number; V=1: every event)
	$(if $(SEED),,$(error say which seed: make sim SEED=number))
	$(call build,check,dev,weft-sim)
	@build/dev/weft-sim --seed "$(SEED)" $(if $(V),--verbose)

load: ## attackers against the price of a handshake: plots and table in docs/load
	$(call build,check,dev,weft-load-sim)
	@$(PYTHON) tools/plot-load.py build/dev/weft-load-sim docs/load

fuzz: ## fuzzes (F=target: that one; TIME=seconds for each)
	$(call build,check,fuzz,fuzzers)
	@tools/fuzz.sh "$(TIME)" $(F)

coverage: ## lines and branches reached by the unit tests, by folder
	$(call build,check,coverage)
	-@$(PYTHON) tools/run-tests.py build/coverage
	@$(PYTHON) tools/coverage.py build/coverage

format: ## lets clang-format have the last word
	@tools/install-deps.sh check
	@tools/format.sh --write

install: ## installs below PREFIX (/usr/local), staged in DESTDIR
	$(call build,run,release)
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true

clean: ## removes everything that was built
	@rm -rf build
