# Treadle's everyday tasks. Run `make` alone for the list.

PYTHON ?= python3
HOST = 127.0.0.1
PORT = 8484
DATA = ./data
# Further arguments for the program that a target runs.
ARGS ?=
# Parallel test processes: a number, or "auto" for one per core.
WORKERS ?= auto

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header \
	$(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
# Servers start faster from compiled modules, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
.NOTPARALLEL:
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  Variables: HOST, PORT and DATA (serve), ARGS, WORKERS (tests), PYTHON, UPGRADE=1 (lock)"

# --- Installation -----------------------------------------------------------

.PHONY: setup
setup: .venv/.dev ## Create .venv with everything for development
	@echo "Ready: $(BIN)/treadle and the development tools are installed."

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		found=$$($(PYTHON) --version 2>/dev/null) || found=missing; \
		echo "Treadle needs Python 3.11 or later, and '$(PYTHON)' is $$found." >&2; \
		echo "Name another interpreter: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; \
		exit 1; }
	@echo "Creating .venv"
	@$(PYTHON) -m venv --clear .venv || { \
		echo "'$(PYTHON) -m venv' failed. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; }
	@touch $@

.venv/.runtime: requirements.txt pyproject.toml .venv/.created
	@echo "Installing the packages that the server needs"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@echo "Installing the development tools"
	@$(PIP) install --use-pep517 --no-build-isolation --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: lock
lock: .venv/.dev ## Regenerate both lock files (UPGRADE=1 takes newer versions)
	@$(LOCK) --group build --output-file requirements.txt >/dev/null
	@$(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt >/dev/null
	@echo "Wrote requirements.txt and requirements-dev.txt"

# --- Running ----------------------------------------------------------------

.PHONY: serve
serve: .venv/.runtime ## Run the server on HOST:PORT with its data in DATA
	@exec $(BIN)/treadle serve --host $(HOST) --port $(PORT) --data $(DATA) $(ARGS)

# --- Checks -----------------------------------------------------------------

.PHONY: test
test: test-tools lint types check-generated ## Run every check and every test
	@$(PYTEST) $(ARGS)

.PHONY: unit
unit: .venv/.dev ## Run the tests that need no server
	@$(PYTEST) -m "not slow and not served" $(ARGS)

.PHONY: soak
soak: test-tools ## Run every test, and those that try something often for longer
	@TREADLE_SOAK=1 $(PYTEST) $(ARGS)

.PHONY: lint
lint: .venv/.dev ## Check style and formatting
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { \
		echo "Files need formatting: run 'make format'" >&2; exit 1; }
	@echo "lint: ok"

.PHONY: format
format: .venv/.dev ## Format the code and apply safe lint fixes
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: types
types: .venv/.dev ## Check the types
	@$(BIN)/mypy
	@echo "types: ok"

.PHONY: check-generated
check-generated: .venv/.dev ## Check that the generated files are up to date
	@$(BIN)/python scripts/generate_wire.py --check
	@$(BIN)/python scripts/generate_docs.py --check
	@echo "generated files: ok"

.PHONY: sabotage
sabotage: .venv/.dev ## Break the program on purpose and check that the tests notice
	@$(BIN)/python tests/sabotage/run.py $(ARGS)

.PHONY: bench
bench: .venv/.dev ## Measure the server's speed
	@sh scripts/install_test_tools.sh bench
	@$(BIN)/python -m bench $(ARGS)

.PHONY: screenshots
screenshots: test-tools ## Take pictures of all that Link shows, into screenshots/
	@$(BIN)/python -m tests.browser.screenshots screenshots $(ARGS)

.PHONY: test-tools
test-tools: ## Install the system programs that the tests need, where possible
	@sh scripts/install_test_tools.sh

# --- Files made from others --------------------------------------------------

.PHONY: generate
generate: .venv/.dev ## Write the generated files anew
	@$(BIN)/python scripts/generate_wire.py
	@$(BIN)/python scripts/generate_docs.py

.PHONY: docs
docs: .venv/.dev ## Build the documentation's site into build/docs/
	@PYTHONPATH=. $(BIN)/zensical build --strict --clean

.PHONY: build
build: .venv/.dev ## Build the wheel and the source archive into dist/
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	@ls dist

.PHONY: clean
clean: ## Remove .venv, builds and caches (never data)
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/sdk/node/node_modules
	@find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
