# Entry point; the work is done by CMakeLists.txt and the scripts in tool/. "make help" lists the targets.
# Variables: JOBS=n (compilers and tests at the same time), CXX=clang++, DEMO_REPO=path, PREFIX=dir for install.

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local
export CMAKE_GENERATOR := $(if $(CMAKE_GENERATOR),$(CMAKE_GENERATOR),$(if $(shell command -v ninja),Ninja,Unix Makefiles))
BUILD = cmake --build build/$(1) --parallel $(JOBS) $(if $(2),--target $(2))
CONFIGURE = cmake --preset $(1) --log-level=NOTICE >/dev/null

.PHONY: all amalgamation demo test check hard mutants mutants-generated fuzz coverage bench race scale \
        amalgamation-check split debug asan tsan install format tidy clean help bootstrap configure bare-machine
.DEFAULT_GOAL := all

all: configure  ## the library and the tool, release build
	@$(call BUILD,release)

help:  ## this list
	@awk -F':.*## ' '/^[a-z -]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

bootstrap:  ## install missing build tools (Debian: apt-get), or say what is missing
	@sh tool/bootstrap.sh

configure: bootstrap
	@$(call CONFIGURE,release)

amalgamation: configure  ## build/northstar.hpp and build/northstar.cpp
	@$(call BUILD,release,northstar_pair)
	@cp build/release/pair/northstar.hpp build/release/pair/northstar.cpp build/

# In a build of its own that takes a third of the time: nobody should wait for SQL, which the tour does not need.
demo: bootstrap  ## a tour on real input (DEMO_REPO=path for another repository)
	@$(call CONFIGURE,demo)
	@$(call BUILD,demo,demo)
	@sh tool/demo.sh

test: configure  ## every test against the amalgamated pair; ends with "N passed, N failed"
	@$(call BUILD,release,tests)
	@JOBS=$(JOBS) sh tool/run_tests.sh build/release

check: configure  ## the tests that are not tagged [slow], and the house rules
	@$(call BUILD,release,tests)
	@JOBS=$(JOBS) sh tool/run_tests.sh build/release '~[slow]'

split: bootstrap  ## every file of src/ compiled alone, then the tests against that
	@$(call CONFIGURE,split)
	@$(call BUILD,split,tests)
	@JOBS=$(JOBS) sh tool/run_tests.sh build/split

# Tests fork while threads run, and the child opens databases with threads of their own.
tsan: export TSAN_OPTIONS := die_after_fork=0 $(TSAN_OPTIONS)
debug asan tsan: bootstrap  ## the tests without optimisation, or under sanitizers
	@$(call CONFIGURE,$@)
	@$(call BUILD,$@,tests)
	@JOBS=$(JOBS) sh tool/run_tests.sh build/$@

amalgamation-check: all amalgamation  ## the pair alone: compilers, flags, symbols, macros, reproducibility, consumers
	@sh amalgamation/test/check.sh

hard: configure  ## hardening suites (HARD_SEEDS=n for more)
	@$(call BUILD,release,hard)
	@sh hard/run.sh build/release

mutants: configure  ## plant one bug after the other and see which suite notices (MUTANTS="name ..." for some)
	@JOBS=$(JOBS) sh hard/mutants/run.sh build/release $(MUTANTS)

mutants-generated: bootstrap  ## mutants made by a program: how many do the tests kill? (N=how many, MUTANT_SEED=which)
	@JOBS=$(JOBS) MUTANTS=$(or $(N),400) python3 -B hard/mutants/generate/run.py build

fuzz coverage: export BOOTSTRAP_CLANG = 1
fuzz: bootstrap  ## fuzzing with clang's libFuzzer (FUZZ_SECONDS=n for each target, FUZZ_TARGETS="file ..." for some)
	@$(call CONFIGURE,fuzz)
	@$(call BUILD,fuzz,fuzzers)
	@sh hard/fuzz/run.sh build/fuzz $(FUZZ_TARGETS)

coverage: bootstrap  ## lines of src/ that tests and hardening suites run; the total comes last
	@$(call CONFIGURE,coverage)
	@$(call BUILD,coverage,tests)
	@$(call BUILD,coverage,hard)
	@JOBS=$(JOBS) sh tool/coverage.sh build/coverage

bench race scale: export BOOTSTRAP_PEERS = 1
bench: configure  ## micro and macro benchmarks against their baseline (BENCH_PROFILE=ci for small sizes)
	@$(call BUILD,release,bench)
	@sh bench/run.sh build/release

race: configure  ## benchmarks beside the peers; writes bench/RESULTS.md
	@$(call BUILD,release,bench)
	@sh bench/race.sh build/release

scale: configure  ## cost against size; writes bench/SCALE.md (SCALE_OPTIONS="--entries 1m,10m,50m" for others)
	@$(call BUILD,release,bench)
	@build/release/northstar-bench scale --dir build/bench-data --json build/release/scale.json \
	    --markdown bench/SCALE.md --svg bench/scale.svg $(SCALE_OPTIONS)

bare-machine:  ## as root: make demo and make test in the smallest Debian there is (debootstrap)
	@sh tool/bare_machine.sh

install: all  ## into PREFIX (default /usr/local)
	@cmake --install build/release --prefix $(PREFIX)

tidy:  ## house rules
	@sh tool/tidy

format:  ## clang-format the lines changed since the last commit
	@git diff -U0 --no-color HEAD -- '*.cpp' '*.hpp' | clang-format-diff -p1 -i

clean:  ## remove build/
	@rm -rf build
