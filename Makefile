# Two commands for everyone, on a machine with make and Python 3.11 to 3.13:
#
#   make demo    set up, then derive, check, draw, compile and train: see out/
#   make test    set up, then run every test
#
# Each sets up what it needs in $(VENV) and does so again only when a lock or pyproject.toml has changed.
# VENV=path puts the environment elsewhere, PYTHON=path picks the interpreter, OUT=path the folder of the demo.

VENV   ?= .venv
PYTHON ?=
OUT    ?= out
# Test processes: one a core, and eight at most, since each of them imports and compiles for itself.
JOBS   ?= auto
PROPERTIES ?= tests

# Of the peers of the benchmarks that want other versions of what symdl depends on.
PEERS ?= $(VENV)-peers
INTERPRETER = "$$(test -e $(PEERS)/.stamp && echo $(abspath $(PEERS))/bin/python)"

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test fuzz lint types format bench bench-quick gallery setup setup-demo setup-bench setup-peers clean distclean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: setup-demo  ## set up, then the whole tour: derive, check, draw, compile, train; leaves out/
	$(BIN)/symdl demo -o $(OUT)

test: setup  ## set up, then all tests
	$(BIN)/python -m pytest -n $(JOBS) --maxprocesses=8

fuzz: setup  ## the property tests with examples drawn anew, many more of them (PROPERTIES=path picks some)
	SYMDL_HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n $(JOBS) --maxprocesses=8 -m hypothesis $(PROPERTIES)

lint: setup  ## style, formatting and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: setup  ## static types
	$(BIN)/mypy --strict symdl

format: setup  ## rewrite the sources the way lint wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Peers that could not be installed are left out, and the tables say so.
bench: setup-bench setup-peers  ## the benchmarks, beside six peers in one run; figures in benchmarks/results/ and docs/performance.md
	SYMDL_PEERS=$(INTERPRETER) $(BIN)/python -m benchmarks.workloads --dtype both -o benchmarks/results/workloads.json \
	    --page docs/performance.md
	SYMDL_PEERS=$(INTERPRETER) $(BIN)/python -m benchmarks

bench-quick: setup-bench  ## the training workloads beside PyTorch, JAX and NumPy, few rounds
	$(BIN)/python -m benchmarks.workloads --quick

gallery: setup  ## write the generated text in derivations/ anew
	$(BIN)/symdl derive --all

setup: $(VENV)/.test.stamp  ## only set up, for work on symdl itself

setup-demo: $(VENV)/.demo.stamp

setup-bench: $(VENV)/.bench.stamp

setup-peers: $(VENV)/.venv.stamp
	@if ! test $(PEERS)/.stamp -nt requirements/peers.txt; then \
	    echo "making $(PEERS) for TensorFlow, PyTensor and readers of LaTeX"; \
	    rm -f $(PEERS)/.stamp; \
	    { $(BIN)/python -m venv --clear $(PEERS) && $(PEERS)/bin/pip install --quiet -r requirements/peers.txt && \
	      touch $(PEERS)/.stamp; } || echo "the benchmarks go on without them" >&2; \
	fi

clean:  ## remove what the other commands made, but not the environment
	rm -rf out dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(wildcard symdl tests derivations benchmarks) -name __pycache__ -prune -exec rm -rf {} +

distclean: clean  ## remove the environment too
	@for made in "$(VENV)" "$(PEERS)"; do if [ -e "$$made/pyvenv.cfg" ]; then echo "rm -rf $$made"; rm -rf "$$made"; fi; done

# ── the environment ─────────────────────────────────────────────────────────────────────────────────────────────────

SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)

# A stamp is written after its step has ended well, so a step that was interrupted is done again. An environment that
# works is kept, one that was left half-made is made anew, and a folder that is no environment is never touched.
$(VENV)/.venv.stamp:
	@if [ -e "$(VENV)/pyvenv.cfg" ] && $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    $(BIN)/python -c "$(SUITABLE)" || { \
	        echo "error: the environment $(VENV) has another Python than 3.11 to 3.13." \
	             "Remove it, or choose another one: make VENV=path" >&2; exit 2; }; \
	elif [ -e "$(VENV)" ] && [ ! -e "$(VENV)/pyvenv.cfg" ]; then \
	    echo "error: $(VENV) exists and is not a Python environment. Choose another one: make VENV=path" >&2; exit 2; \
	else \
	    python=; \
	    for candidate in $(CANDIDATES); do \
	        if "$$candidate" -c "$(SUITABLE)" >/dev/null 2>&1; then python="$$candidate"; break; fi; \
	    done; \
	    if [ -z "$$python" ]; then \
	        echo "error: found no Python 3.11 to 3.13 that can make a virtual environment (tried: $(CANDIDATES))." \
	             "Install one (on Debian and Ubuntu: python3 and python3-venv), or name one: make PYTHON=path" >&2; \
	        exit 2; \
	    fi; \
	    echo "making $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv --clear "$(VENV)"; \
	fi
	@touch $@

define install
	@echo "installing $< and symdl into $(VENV)"
	@$(PIP) install --quiet -r $<
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(VENV)/.demo.stamp: requirements/demo.txt pyproject.toml $(VENV)/.venv.stamp
	$(install)

$(VENV)/.test.stamp: requirements/test.txt requirements/demo.txt pyproject.toml $(VENV)/.venv.stamp
	$(install)

$(VENV)/.bench.stamp: requirements/bench.txt requirements/test.txt requirements/demo.txt pyproject.toml $(VENV)/.venv.stamp
	$(install)
