# The list of commands. `make` or `make help` prints it; each target makes the virtual environment when needed.
# Nothing here touches the network while .venv is up to date.

PYTHON ?= python3
UV ?= uv
# processes for the tests: one for each core, unless told otherwise
WORKERS ?= auto
# more arguments for pytest, as in: make test ARGS="-x -k lens"
ARGS ?=
# ONCE=1: tell the demonstration as a story in the terminal and leave, asking and opening nothing
ONCE ?=
# of the long form of the proofs, and the one story to be told again
PROVE_MINUTES ?= 60
SEED ?=
# FULL=1: measure everything, for an hour; KEEP=1: write what was measured into the documents
FULL ?=
KEEP ?=

VENV := .venv
BIN := $(VENV)/bin
LOCK := backend/requirements.lock
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PACKAGES := $(VENV)/.packages
READY := $(VENV)/.ready

PROOFS := tests/proof tests/core/test_planner_table.py tests/core/test_planner_merges.py \
	tests/core/test_planner_circumstances.py tests/core/test_lens_laws.py tests/core/test_days_and_clock_changes.py \
	tests/contract/test_recorded_records_through_the_lenses.py \
	tests/contract/test_lenses_read_what_the_graph_model_permits.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test prove browser lint format bench lock clean

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from the lock file (needs only python3 3.11 or newer)

# two marks: a changed lock installs packages, a changed pyproject.toml only our own command
$(PACKAGES): $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it, as in: make setup PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r $(LOCK)
	@touch $@

$(READY): $(PACKAGES) pyproject.toml
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## a page with a simulated OroCRM, the pane and a mailbox (ONCE=1: check every promise and leave)
	$(BIN)/orosync demo $(if $(ONCE),--once --no-browser)

# core/ is covered by its own tests alone: tracing the others would double their time. With ARGS nothing is traced.
test: lint browser ## lint, then core/ at 100 % branch coverage by its tests, then all others
	@rm -f .coverage .coverage.*
ifeq ($(strip $(ARGS)),)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report= tests/core
	$(BIN)/coverage report --include='backend/orosync/core/*' --show-missing --skip-covered --fail-under=100
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --ignore tests/core
else
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)
endif

# What `make test` tries in short: stories by seed, faults at every boundary, foreign input, the planner's tables, weeks
# of simulated time. Prints what was covered, and fails if it was not enough. SEED=rivals:17: that one story alone.
prove: setup ## prove that nothing is lost, doubled or mailed (PROVE_MINUTES=60, SEED=)
ifeq ($(strip $(SEED)),)
	OROSYNC_PROVE_MINUTES=$(PROVE_MINUTES) $(BIN)/pytest -n $(WORKERS) --dist worksteal $(PROOFS) $(ARGS)
else
	OROSYNC_PROVE_SEED="$(SEED)" $(BIN)/pytest tests/proof/test_stories.py $(ARGS)
endif

# Debian's chromium for the tests of the pane; without it they are skipped (in CI they fail), and say so
browser: ## find Chromium for the tests in a browser, or install it where that is possible
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update --quiet --quiet && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes chromium \
		>/dev/null; } || echo "no chromium here: tests in a browser are skipped; install it, as in: apt-get install chromium"

lint: setup ## style, types, import contracts, and what a scanner takes for unsafe
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --recursive --severity-level medium backend/orosync & scan=$$!; $(BIN)/mypy && wait $$scan
	$(BIN)/lint-imports --no-cache

format: setup ## repair what ruff can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# vdirsyncer, to compare with, goes into an environment of its own inside .venv the first time (needs a package index)
bench: setup ## measure, beside vdirsyncer and the floor (FULL=1: what takes long as well, KEEP=1: write docs/performance.*)
	$(BIN)/python -m tests.bench $(if $(FULL),--extent full) $(if $(KEEP),--keep)
	$(BIN)/pytest tests/bench --benchmark-only -p no:randomly $(if $(FULL),,--ignore tests/bench/test_cluster.py) $(ARGS)

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# the second and the third are parts of the first: what an image needs to run, and to build our own package
lock: ## pin the newest versions that pyproject.toml allows (needs uv and a network)
	$(COMPILE) --upgrade --extra cluster --extra dev --output-file $(LOCK) pyproject.toml
	$(COMPILE) --constraint $(LOCK) --extra cluster --output-file backend/requirements.runtime.lock pyproject.toml
	echo hatchling | $(COMPILE) --constraint $(LOCK) --output-file backend/requirements.build.lock -

clean: ## remove .venv, caches and reports
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache .coverage .coverage.* htmlcov dist
	find backend tests -name __pycache__ -type d -prune -exec rm -rf {} +
