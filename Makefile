# Each target is one line a person would type anyway, inside .venv.
PYTHON ?= python3.11
BIN = .venv/bin

.PHONY: run test slow lint check bench cover audit sbom mutants docs clean

run: .venv/installed
	$(BIN)/smallarea run

test: .venv/installed-test
	$(BIN)/python -m pytest

slow: .venv/installed-test
	$(BIN)/python -m pytest -m slow

check: lint test slow

lint: .venv/installed-test
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

bench: .venv/installed
	for bench in benchmarks/*.py; do $(BIN)/python $$bench; done

# The pages of docs/ as a site, in site/.
docs: .venv/installed-test
	$(BIN)/mkdocs build --strict --quiet

# Which branches the tests take, and which not.
cover: .venv/installed-test
	$(BIN)/python -m pytest --cov=smallarea --cov-branch --cov-report=term-missing:skip-covered

# Known vulnerabilities of the pinned libraries; says so where no advisory service answers.
audit: .venv/installed-audit
	$(BIN)/python .ci/audit.py

# A bill of materials (CycloneDX) of what is installed.
sbom: .venv/installed-audit
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-file sbom.json $(BIN)/python

# Mutants of four modules where a slip would not be seen; survivors are in .ci/survivors.md.
mutants: .venv/installed-audit
	$(BIN)/mutmut run && $(BIN)/mutmut results

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,survey-formats,dask,remote,api,pdf,keyring,dagster,docs]"
	touch $@

.venv/installed-audit: .venv/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[audit]"
	touch $@

clean:
	rm -rf .venv .smallarea runs data
