# Each target sets up what it needs in .venv first: see .make/set_up.py. PYTHON chooses another Python than python3.
BIN := .venv/bin

# $(call set_up,PURPOSE): with the first Python that runs at all; the script judges it, and looks for a better one.
set_up = for python in $(BIN)/python "$(PYTHON)" python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'f""' 2>/dev/null && exec "$$python" .make/set_up.py $(1); done; \
	echo "error: Mayfly needs Python 3.11 or newer, and none was found: install one, or run make with PYTHON=/path/to/python" >&2; exit 1

.PHONY: help demo up test check soak chaos bench pictures format locks clean
.DEFAULT_GOAL := help

help:  ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' Makefile

demo:  ## Run the main job end to end, and six ways in which it can go wrong
	@$(call set_up,local)
	@$(BIN)/python -m drills demo

up:  ## Serve the API and the dashboard until Ctrl-C; ARGS='--port 7072' passes options
	@$(call set_up,dashboard)
	@$(BIN)/python -m mayfly up $(ARGS)

test:  ## Run the tests; ARGS='tests/jobs -k retry' chooses some
	@$(call set_up,dev)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check:  ## Check format, lint, types and import contracts, then run the tests
	@$(call set_up,dev)
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy .make/set_up.py .ci/no_leftovers.py
	$(BIN)/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	@$(MAKE) test

soak:  ## Run the long simulation, mutants, fuzzers, scale and chaos; ARGS=--short shortens it
	@$(call set_up,dev)
	$(BIN)/python -m tests.soak $(ARGS)

chaos:  ## Run 100 jobs while the host is killed 20 times; SEED=7 repeats a run
	@$(call set_up,local)
	@$(BIN)/python -m drills chaos $(if $(SEED),--seed $(SEED))

bench:  ## Measure speed; prints a table and JSON
	@$(call set_up,dev)
	@$(BIN)/python -m benchmarks

pictures:  ## Take the README's pictures again, in Chromium
	@$(call set_up,dev)
	@$(BIN)/python -m tests.browser.pictures

format:  ## Format the code, and fix what the linter can fix
	@$(call set_up,dev)
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

# One resolution for all: the other lock files begin as copies of the first, whose versions uv then keeps.
lock = $(BIN)/python -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--custom-compile-command 'make locks' --output-file
locks:  ## Write the lock files from pyproject.toml; UPGRADE=1 takes the newest versions
	@$(call set_up,dev)
	$(lock) requirements-dev.txt $(if $(UPGRADE),--upgrade) --all-extras --group build --group dev
	for file in requirements.txt requirements-local.txt streamlit_dashboard/requirements.txt; do cp requirements-dev.txt $$file; done
	$(lock) requirements.txt --extra function-app
	$(lock) requirements-local.txt --extra host --extra cli --group build
	$(lock) streamlit_dashboard/requirements.txt --extra dashboard

clean:  ## Remove .venv, the data of `make up`, and what was built
	rm -rf .venv .venv-peer .mayfly build dist *.egg-info
