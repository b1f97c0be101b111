# SPDX-License-Identifier: Apache-2.0
# The commands of this repository. The build itself is CMake's (CMakePresets.json).
.PHONY: help deps build test quickstart asan tsan fuzz bench lint package clean
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
SECONDS ?= 60

help:
	@echo 'make quickstart   install, build, and run the gateway before a demo backend'
	@echo 'make test         install, build, and run every test'
	@echo 'make build        the release binary: build/release/sluice'
	@echo 'make deps         install the Debian packages that are missing'
	@echo 'make asan|tsan    run the tests under sanitizers'
	@echo 'make fuzz         run every fuzzer for SECONDS=60 each'
	@echo 'make bench        measure'
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

bench:
	@if [ ! -x bench/run.sh ]; then echo 'sluice: make bench is not available yet' >&2; exit 1; fi
	@scripts/install-packages.sh build bench
	@bench/run.sh

lint:
	@scripts/install-packages.sh test lint
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror
	@for lint in tests/lint/*.py; do [ ! -e "$$lint" ] || python3 "$$lint" . || exit 1; done

package:
	@if [ ! -x scripts/package.sh ]; then echo 'sluice: make package is not available yet' >&2; exit 1; fi
	@scripts/package.sh

clean:
	rm -rf build
