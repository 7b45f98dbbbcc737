# The two commands of the README: make audit, make test. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
SNAPSHOT ?= $(shell ls -td reports/*/snapshot 2>/dev/null | head -1)

.DEFAULT_GOAL := help
.PHONY: help audit test check lab lock sample pictures prove mutants bench-collect bench-simulate bench-scale clean browser-tools

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The locks are complete, so pip resolves nothing (--no-deps).
# A stamp for each lock: what is installed is what the lock says, and nothing is asked twice.
$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-deps --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

audit: $(VENV)/run.stamp  ## audit the example organization and print the path of the report
	@$(BIN)/ses-audit run --example --out reports

test: $(VENV)/dev.stamp browser-tools  ## every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile --cov=ses_audit --cov-report=term:skip-covered
	@$(BIN)/python tests/coverage_bound.py

check: $(VENV)/dev.stamp  ## ruff, mypy strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

lab: $(VENV)/run.stamp  ## JupyterLab on the latest snapshot
	@test -n "$(SNAPSHOT)" || { echo "make lab: no snapshot yet: run make audit first, or give SNAPSHOT=DIR" >&2; exit 2; }
	@SES_AUDIT_SNAPSHOT="$(abspath $(SNAPSHOT))" $(BIN)/jupyter lab --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate notebooks

lock: ## lock the requirements again (needs uv)
	@cd requirements && uv pip compile --no-config --no-strip-extras --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 --no-annotate -q --extra interactive ../pyproject.toml run.in -o run.txt
	@cd requirements && uv pip compile --no-config --no-strip-extras --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 --no-annotate -q --extra interactive --extra dask ../pyproject.toml run.in dev.in -o dev.txt

# Outside programs of the tests, from npm: optional, and only where Node is present.
browser-tools:
	@if command -v npm >/dev/null 2>&1; then for d in tests/outside tests/browser; do \
	  if [ -f $$d/package-lock.json ] && [ ! -d $$d/node_modules ]; then (cd $$d && npm ci --no-audit --no-fund --silent); fi; done; fi

sample: $(VENV)/dev.stamp  ## write reports/sample again: the run of the example that is committed
	@PYTHONPATH=tests/support $(BIN)/python tests/support/sample.py reports/sample

pictures: $(VENV)/dev.stamp  ## take the pictures of docs/ from reports/sample again (needs chromium)
	@PYTHONPATH=tests/support $(BIN)/python tests/support/pictures.py docs/pictures

prove: $(VENV)/dev.stamp  ## a million random requests against the reference evaluator (seven minutes on two cores; resumable)
	@$(BIN)/python tests/prove.py --count 1000000

mutants: $(VENV)/dev.stamp  ## mutation testing of ses_audit/policy (hours; resumable)
	@$(BIN)/python benchmarks/mutants.py

bench-collect: $(VENV)/dev.stamp  ## time against the bound for 10, 100 and 1,000 accounts
	@$(BIN)/python benchmarks/collect.py

bench-simulate: $(VENV)/dev.stamp browser-tools  ## decisions a second, beside iam-simulate
	@$(BIN)/python benchmarks/simulate.py

bench-scale: $(VENV)/dev.stamp browser-tools  ## a million principals: each figure beside its bound
	@$(BIN)/python benchmarks/scale.py

clean:  ## remove what make made
	@rm -rf $(VENV) tests/outside/node_modules tests/browser/node_modules
