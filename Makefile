# `make demo` shows it, `make test` tests it; both install what they need by themselves.

PYTHON ?= python3
PREFIX ?= /usr/local
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-avatars

# As a worker has it: there is nothing for these threads to do, and they wait in loops.
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check examples dist lint types unit web formats hostile torture test-cluster accuracy bench bench-scale bench-cluster lock notices sbom seccomp install uninstall test-deploy docs clean

help:
	@echo 'make demo   a sample avatars folder, the daemon on it, and the page'
	@echo 'make test   lint, format check, types, tests'
	@echo 'make check  the fast half of that: what needs no worker, no daemon and no browser'
	@echo 'make examples  the examples that need more than developing does'
	@echo 'make formats  every kind of video file as Chromium shows it: minutes'
	@echo 'make hostile  every system call of a pack with every error'
	@echo 'make torture  kills, storms, long runs, thousands of damaged videos: a quarter of an hour'
	@echo 'make test-cluster  what can fail between machines, on real processes, as root: minutes'
	@echo 'make accuracy  how well anchors hold, on films with a known motion, against a budget'
	@echo 'make bench  times and memory, as a table; bench-scale: many packs, many workers, half an hour;'
	@echo '            bench-cluster: minutes'
	@echo 'make install       put it on this server, as root: venv, unit, settings, man page'
	@echo 'make uninstall     take that away; settings and timelines stay'
	@echo 'make test-deploy   unit and image under a real systemd and a real Docker engine'
	@echo 'make dist   wheel and sdist, the same bytes each time, checked and installed'
	@echo 'make lock   resolve the dependencies anew; notices: write down whose work that is'
	@echo 'make sbom   a CycloneDX bill of materials of an installation, in dist/'

demo: $(VENV)/.installed
	@$(BIN)/python -m anchord.demo $(DEMO)
	@$(BIN)/python -m anchord.demo.serve web $(DEMO) & page=$$!; trap 'kill $$page' EXIT INT TERM; \
	  $(BIN)/anchord run --root $(DEMO)

test: lint types unit web

# Rooms that decide, formats, pages: no process is started for most of these, and none waits for another.
FAST = tests/preview tests/tracking/curves tests/tracking/faces tests/tracking/motion/test_similarity.py \
  tests/tracking/test_quality.py tests/service/test_queue.py tests/service/test_timers.py \
  tests/service/test_rate_limit.py tests/service/test_reconciler.py tests/service/test_runner.py \
  tests/service/test_verdicts.py tests/service/test_delivery.py tests/service/watching/test_debounce.py \
  tests/service/watching/test_scanner.py tests/service/report/test_state.py $(wildcard $(FAST_HALL:%=tests/test_%.py))
FAST_HALL = advice atomic docs errors files layout manifest notices packs parsing png printable reading \
  settings sink sprite_set tail timeline

check: lint types
	@command -v mandoc >/dev/null || deploy/apt-install mandoc
	$(BIN)/pytest -q $(FAST)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

# strace injects faults into system calls, mandoc reads the manual as a terminal would, bindfs is a mount
# that can be made to hang or die.
unit: $(VENV)/.installed
	@command -v strace >/dev/null && command -v mandoc >/dev/null && command -v bindfs >/dev/null || \
	  deploy/apt-install strace mandoc bindfs
	$(BIN)/pytest -n 2 --dist loadfile

# Every system call of a pack's way with every error, and storms: half an hour.
hostile: $(VENV)/.installed
	@command -v strace >/dev/null || deploy/apt-install strace
	$(BIN)/pytest -o python_files='hostile_*.py' tests/hostile

# Hosts are network namespaces.
test-cluster: $(VENV)/.installed
	@command -v ip >/dev/null || deploy/apt-install iproute2
	$(BIN)/pytest -o python_files='failing_*.py' --timeout 300 tests/cluster

torture: $(VENV)/.installed
	$(BIN)/pytest -o python_files='torture_*.py' tests/torture

# The page, in the distribution's own Chromium and behind its own nginx.
web: $(VENV)/.installed
	@$(MAKE) --no-print-directory -C web test PYTHON=$(abspath $(BIN))/python

formats: $(VENV)/.installed
	@$(MAKE) --no-print-directory -C web formats PYTHON=$(abspath $(BIN))/python

# Films are made once, into .films; `make accuracy ARGS="--clips FOLDER"` judges real ones.
accuracy: $(VENV)/.installed
	$(BIN)/python -m bench.accuracy $(ARGS)

bench: $(VENV)/.installed
	$(BIN)/python -m bench.speed

bench-cluster: $(VENV)/.installed
	$(BIN)/python -m bench.cluster $(ARGS)

bench-scale: $(VENV)/.installed
	$(BIN)/python -m bench.scale
	$(BIN)/python -m bench.schedule
	$(BIN)/python -m bench.memory

# Everything is pinned by hash; only `make lock` looks for newer releases.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'anchord needs Python 3.11 or later; name one with make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || deploy/apt-install python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

COMPILE = $(BIN)/uv pip compile --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet

# Five files, one resolution: what developing, a server, a member of a cluster, building the wheel and the examples need.
# Two more for tools that have environments of their own.
lock: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(COMPILE) --upgrade --extra dev --extra demo --extra cluster pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade -c requirements.lock pyproject.toml -o requirements.runtime.lock
	$(COMPILE) --upgrade -c requirements.lock --extra cluster pyproject.toml -o requirements.cluster.lock
	echo hatchling | $(COMPILE) --upgrade -c requirements.lock - -o requirements.build.lock
	$(COMPILE) --upgrade -c requirements.lock examples/requirements.txt -o requirements.examples.lock
	echo cyclonedx-bom | $(COMPILE) --upgrade --python-version 3.11 - -o requirements.sbom.lock
	echo twine | $(COMPILE) --upgrade --python-version 3.11 - -o requirements.dist.lock

# THIRD_PARTY.md, from the wheels that requirements.runtime.lock names; after each `make lock`.
notices: $(VENV)/.installed
	$(BIN)/python deploy/notices.py lock

# What is committed, and nothing that lies about.
dist: $(VENV)/.installed
	@PYTHON=$(PYTHON) deploy/dist

# FastAPI and a reader of YAML, which nothing else here needs, in a folder of their own.
examples: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --require-hashes \
	  -r requirements.examples.lock --target build/examples
	PYTHONPATH=build/examples $(BIN)/pytest -o python_files='example_*.py' tests/examples

sbom:
	@PYTHON=$(PYTHON) deploy/sbom dist/anchord.cdx.json && echo dist/anchord.cdx.json

# The container's system call filter, from the unit's; systemd 252 (Debian 12) knows what each group means.
seccomp: $(VENV)/.installed
	$(BIN)/python deploy/seccomp.py

# On a server, as root: PREFIX (/usr/local) and DESTDIR work as everywhere.
install:
	@PYTHON=$(PYTHON) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) WITH=$(WITH) deploy/install

uninstall:
	@PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) deploy/uninstall

# Real systemd, real containers: starts a Docker engine where none runs; needs root and some minutes.
test-deploy: $(VENV)/.installed
	$(BIN)/pytest tests/deploy --timeout 900 -p no:cacheprovider

docs: $(VENV)/.installed
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) $(DEMO) .films dist build .*_cache .hypothesis
