# Each target sets up all that it needs. PYTHON is any Python 3.11 or newer; the newest that is found is taken.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: demo up test check chaos bench pictures format clean

demo: .venv/local  ## Run the main job end to end, and six ways in which it can go wrong
	@$(BIN)/mayfly demo

up: .venv/ready  ## Serve the API and the dashboard until stopped
	@$(BIN)/mayfly up

test: .venv/ready  ## Run every test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: .venv/ready  ## Test, and hold format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

chaos: .venv/local  ## 100 jobs while the host is killed 20 times; SEED=n repeats a run
	@$(BIN)/mayfly chaos $(if $(SEED),--seed $(SEED))

bench: .venv/ready  ## Measure; prints a table and JSON
	@$(BIN)/python -m benchmarks

pictures: .venv/ready  ## Take the README's pictures again, in Chromium
	@$(BIN)/python -m tests.browser.pictures

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-peer .mayfly build *.egg-info

.venv/local: requirements.txt requirements-local.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Mayfly needs Python 3.11 or newer; none was found. Set PYTHON=/path/to/python." >&2; exit 1; }
	@echo "setting up .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-local.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/ready: .venv/local requirements-dev.txt streamlit_dashboard/requirements.txt
	@echo "adding the dashboard, the tests and the checks to .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
