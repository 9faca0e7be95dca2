# Each target is one line that calls a tool; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test check fmt quality bench docs lock clean

help:  ## Show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/runtime: requirements/runtime.lock pyproject.toml
	@echo "making .venv (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes --only-binary=:all: -r requirements/runtime.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements/dev.lock .venv/runtime
	@$(PIP) install --require-hashes --only-binary=:all: --no-binary=dkimpy --no-build-isolation -r requirements/dev.lock
	@touch $@

demo: .venv/runtime  ## Run the whole job on a sample web of this machine: crawl, compose, send
	@$(BIN)/parknews demo

test: .venv/dev check  ## Run style, types, import contracts and all tests
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: .venv/dev  ## Run style, types and import contracts only
	@$(BIN)/ruff check . && $(BIN)/ruff format --check -q . && $(BIN)/mypy && $(BIN)/lint-imports

fmt: .venv/dev  ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

quality: .venv/dev  ## Print the measured quality on real material beside what is required (PEERS=1: and other extractors; DATA=dir)
	@$(BIN)/python tests/quality/report.py $(if $(DATA),--data $(DATA)) $(if $(PEERS),--peers)

bench: .venv/dev  ## Print the measured speed
	@for file in tests/bench/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

docs: .venv/runtime  ## Write docs/reference from the code
	@$(BIN)/python -m scheduler.reference docs/reference

lock:  ## Renew the hashed locks from pyproject.toml (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml --extra postgresql --group build -o requirements/runtime.lock
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml --extra postgresql --group build --group dev -o requirements/dev.lock

clean:  ## Remove the environment and everything that was made
	@rm -rf .venv .venv-peers var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
