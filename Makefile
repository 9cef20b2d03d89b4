# perfnode: `make demo`, `make test`, `make serve`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= config.yaml

.PHONY: demo serve test format lint types contracts unit benchmark viewers clean

demo: $(VENV)/.quantify
	$(BIN)/perfnode demo

serve: $(VENV)/.quantify
	$(BIN)/perfnode serve --config $(CONFIG)

test: $(VENV)/.test
	sh tests/system_packages.sh
	$(MAKE) --no-print-directory format lint types contracts unit

format: $(VENV)/.test
	$(BIN)/ruff format --check .

lint: $(VENV)/.test
	$(BIN)/ruff check .

types: $(VENV)/.test
	$(BIN)/mypy

contracts: $(VENV)/.test
	$(BIN)/lint-imports

unit: $(VENV)/.test
	$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report=term -m "not benchmark and not viewers"

benchmark: $(VENV)/.test
	$(BIN)/pytest -s -m benchmark tests/benchmarks

# Opens the results in viewers that nobody here wrote; draws the pictures of docs/viewers.md anew.
viewers: $(VENV)/.viewers
	sh tests/viewers/install.sh
	PERFNODE_PICTURES=docs/pictures/viewers $(BIN)/pytest -v --timeout=900 -m viewers tests/viewers

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch first and alone: the pinned build must be in place before anything asks for a range of it.
$(VENV)/.quantify: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[quantify]'
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[quantify,test]'
	touch $@ $(VENV)/.quantify

$(VENV)/.viewers: $(VENV)/.test
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[quantify,test,viewers]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov .coverage* *.egg-info
