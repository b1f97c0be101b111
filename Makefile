# SPDX-License-Identifier: Apache-2.0
# The commands of this repository. The build itself is CMake's (CMakePresets.json).
.PHONY: help deps build test test-page screenshots cluster-demo floods quickstart asan tsan fuzz bench micro lint package clean
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
SECONDS ?= 60

help:
	@echo 'make quickstart   install, build, and run the gateway before a demo backend'
	@echo 'make test         install, build, and run every test'
	@echo 'make build        the release binary: build/release/sluice'
	@echo 'make deps         install the Debian packages that are missing'
	@echo 'make asan|tsan    run the tests under sanitizers'
	@echo 'make test-page    the status page in Chromium (installs it: 300 MB)'
	@echo 'make floods       overload tests: memory bounds and polite clients beside floods'
	@echo 'make cluster-demo Redis and three gateways on loopback, and a limit they share'
	@echo 'make fuzz         run every fuzzer for SECONDS=60 each'
	@echo 'make bench        measure against other gateways (QUICK=1: 3 minutes in place of 15)'
	@echo 'make micro        time single steps of a request'
	@echo 'make lint         formatting and the lints of tests/lint'
	@echo 'make package      a Debian package'
	@echo 'make clean        remove build/'

deps:
	@scripts/install-packages.sh build test

build:
	@scripts/install-packages.sh build
	@cmake --preset release -DSLUICE_TESTS=OFF --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS)
	@echo 'build/release/sluice is ready'

test: deps
	@cmake --preset dev --log-level=WARNING
	@cmake --build --preset dev --parallel $(JOBS)
	@ctest --preset dev --parallel $(JOBS)

cluster-demo: build
	@scripts/install-packages.sh test
	@bench/cluster/demo.py

test-page screenshots: build
	@scripts/install-packages.sh test page
	@SLUICE_BINARY=$(CURDIR)/build/release/sluice /usr/bin/python3 -B \
	    tests/watch/$(if $(filter test-page,$@),page_test,screenshots).py

floods: build
	@scripts/install-packages.sh test
	@SLUICE_BINARY=$(CURDIR)/build/release/sluice python3 -B tests/conformance/floods.py --brief

quickstart: build
	@scripts/quickstart.sh

asan tsan: deps
	@cmake --preset $@ --log-level=WARNING
	@cmake --build --preset $@ --parallel $(JOBS)
	@ctest --preset $@ --parallel $(JOBS)

fuzz:
	@scripts/install-packages.sh build fuzz
	@cmake --preset fuzz --log-level=WARNING
	@cmake --build --preset fuzz --parallel $(JOBS)
	@scripts/fuzz.sh $(SECONDS)

bench: build
	@scripts/install-packages.sh bench
	@bench/load/run.py $(if $(QUICK),--quick)

micro:
	@scripts/install-packages.sh build bench
	@cmake --preset release -B build/bench -DSLUICE_BENCH=ON -DSLUICE_TESTS=OFF --log-level=WARNING
	@cmake --build build/bench --parallel $(JOBS) --target micro
	@bench/micro/run.py build/bench $(if $(QUICK),--quick)

lint:
	@scripts/install-packages.sh test lint
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror
	@export SLUICE_BINARY=$$(ls build/dev/sluice build/release/sluice 2>/dev/null | head -n 1); \
	for lint in tests/lint/*.py; do python3 "$$lint" . || exit 1; done

package:
	@if [ ! -x scripts/package.sh ]; then echo 'sluice: make package is not available yet' >&2; exit 1; fi
	@scripts/package.sh

clean:
	rm -rf build
