# `make run` and `make test` are all that a fresh machine needs (Python 3.11 with venv, git, make, libcurl4). `make help` lists the rest.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Without chromium-headless-shell the browser tests pass too, and take half as long again.
BROWSER_NEEDS := $(shell { command -v chromium || command -v chromium-browser; } >/dev/null || \
    echo chromium chromium-headless-shell) \
  $(shell PATH=$$PATH:/sbin ldconfig -p 2>/dev/null | grep -q libatomic.so.1 || echo libatomic1)
BROWSER_NEEDS := $(strip $(BROWSER_NEEDS))
LONG_NEEDS := $(shell for each in debootstrap:debootstrap chromedriver:chromium-driver firefox-esr:firefox-esr WebKitWebDriver:webkit2gtk-driver Xvfb:xvfb; do \
  command -v $${each%:*} >/dev/null || echo $${each#*:}; done)
JS_TESTS := $(wildcard tests/js/*.test.js tests/js/*.test.mjs)
# Tests wait for servers and browsers: two processes a core keep the cores busy.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
.DEFAULT_GOAL := help
FUZZ_MINUTES ?= 10
.PHONY: help run dev test coverage test-long check lint types pages docs audit bench faults attack fuzz browser engines test-js lock

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv/run.stamp  ## serve the site at http://127.0.0.1:5000
	@CHATROOM_PARENT=$$PPID exec $(BIN)/python test_mongo.py

dev: .venv/run.stamp  ## serve a scratch database with three people; restart when a file changes
	@CHATROOM_PARENT=$$PPID exec $(BIN)/python -m tools.dev

test: .venv/dev.stamp $(if $(strip $(PYTEST)),,browser test-js)  ## run all tests except the long ones (PYTEST=tests/unit/rooms: only these)
ifneq ($(strip $(PYTEST)),)
	@$(BIN)/python -m pytest $(PYTEST)
else
	@PYTEST_ADDOPTS=--timeout=300 $(BIN)/python tools/run_tests.py -n $(WORKERS) --durations=10 $(COVERAGE)
endif

coverage: COVERAGE = --cov --cov-report=term
coverage: test  ## run the tests and list uncovered lines (takes 50 % longer)

test-long: .venv/dev.stamp browser engines  ## run the long tests, before a release
	@$(BIN)/python -m pytest -m long --durations=0

test-js:
ifeq ($(JS_TESTS),)
	@echo "no JavaScript tests"
else
	@if command -v node >/dev/null; then \
	  node --test --test-reporter=dot $(JS_TESTS) || { node --test --test-reporter=tap $(JS_TESTS) | grep -A 20 "^not ok"; exit 1; }; \
	elif [ -n "$$CI" ]; then echo "node is missing, and in CI nothing is skipped" >&2; exit 1; \
	else echo "node is missing: the tests of the scripts are left out (Debian: apt-get install nodejs)"; fi
endif

check: audit lint types pages docs  ## check style, types, scripts, pages, docs, known vulnerabilities

lint: .venv/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/vulture
	@$(BIN)/lint-imports --no-cache --no-logo

types: .venv/dev.stamp
	@$(BIN)/mypy

pages: .venv/dev.stamp
	@$(BIN)/python -m tools.check_pages

# In CI, `make test` runs these tests too.
docs: .venv/dev.stamp
	@[ -n "$$CI" ] || $(BIN)/python -m pytest -q tests/unit/project/test_docs.py tests/unit/project/test_architecture.py tests/unit/project/test_lint.py

audit: .venv/dev.stamp
	@$(BIN)/python .ci/audit.py

lock: .venv/dev.stamp  ## update the locked versions, also after a change of requirements*.txt, and print the changes
	@$(BIN)/python tools/lock.py

bench: .venv/run.stamp  ## compare this server with others, on this machine (QUICK=1: under 3 minutes)
	@$(BIN)/python -m bench

faults: .venv/dev.stamp  ## inject faults into a running site and check its history
	@$(BIN)/python -m tests.faults

attack: .venv/dev.stamp  ## attack a real server from outside, as a stranger and as a member
	@$(BIN)/python -m tests.attack

fuzz: .venv/dev.stamp  ## send random texts and frames until an invariant breaks (FUZZ_MINUTES=10 each)
	@$(BIN)/python -m tests.fuzz renderer --minutes $(FUZZ_MINUTES)
	@$(BIN)/python -m tests.fuzz frames --minutes $(FUZZ_MINUTES)

# $(1): tests, $(2): the Debian packages that they need and that are missing here
define install
@[ -z "$(2)" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
    echo "installing for the $(1): $(2) ..." && apt-get -qq update && \
    apt-get -qq install --yes --no-install-recommends $(2) >/dev/null; } || \
  { echo "The $(1) need $(2). On Debian: apt-get install $(2)" >&2; exit 1; }
endef

# Playwright brings its own Node, which needs libatomic.
browser:
	$(call install,browser tests,$(BROWSER_NEEDS))

engines:
	$(call install,long tests,$(LONG_NEEDS))

# Everything installed has a hash that the lock names; what builds the one package without a wheel comes first.
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes
WHEELS := --only-binary=:all: --no-binary=http-ece --no-build-isolation

.venv/run.stamp: requirements.lock requirements-build.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@[ -x $(BIN)/python ] || { echo "making a Python environment in .venv ..."; $(PYTHON) -m venv .venv; }
	@echo "installing what requirements.lock lists (once) ..."
	@$(INSTALL) --only-binary=:all: --requirement requirements-build.lock
	@$(INSTALL) $(WHEELS) --requirement requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@echo "installing what requirements-dev.lock lists (once) ..."
	@$(INSTALL) $(WHEELS) --requirement requirements-dev.lock
	@touch $@
