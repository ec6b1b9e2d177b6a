# The words a contributor needs. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install test slow coverage lint format types docs bench constraints ci clean

help: ## list these words
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv .venv

install: $(BIN)/python ## make .venv and install convcli and all tools into it
	$(BIN)/pip install -q -c constraints.txt -e '.[test,lint]'
	if [ -e .git ]; then $(BIN)/pre-commit install; fi

test: ## run the tests, but the slow ones
	$(BIN)/python -m pytest -n 2

slow: ## run the slow tests
	$(BIN)/python -m pytest -n 2 -m slow

coverage: ## run all tests and list the modules with lines that none has run
	COVERAGE_FILE='$(CURDIR)/.coverage' $(BIN)/python -m pytest -n 2 -m '' --cov --cov-report=term-missing

lint: ## check style, spelling and prose
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/python tools/prose.py

format: ## format the source
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: ## check the types
	$(BIN)/mypy

docs: ## run what the README and the other pages show
	$(BIN)/python -m pytest -n 2 tests/test_readme.py tests/test_docs.py tests/examples

bench: ## measure starts, single files, folders and backends, as ratios
	for script in startup filter folder small_files backends; do $(BIN)/python benchmarks/$$script.py || exit 1; done

constraints: ## renew constraints.txt from a fresh environment with the newest versions
	$(PYTHON) tools/pin_versions.py

ci: ## do all that a change has to pass
	.ci/run

clean: ## remove what these words have made, but .venv
	rm -rf .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
