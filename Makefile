.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo hops test bench serve chat conformance conformance-quick tables lint format

help:  ## Show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed  ## Set up .venv with everything the other targets need

demo: install  ## Run the contract suite against the reference handler; writes report.html
	@$(BIN)/converse-contract demo

hops: install  ## Run one answer over the six paths to the browser; the article's table beside ours, and hops.svg
	@$(BIN)/python -m delivery

test: install  ## Run all tests
	$(BIN)/python -m pytest -n auto --dist loadfile

serve: install  ## Serve the emulator on port 8080
	@$(BIN)/converse-emulator serve --port 8080

chat: install  ## Start emulator and reference handler behind every path; prints the chat page's URL
	@$(BIN)/python tools/chat.py

conformance: install  ## Run every real client, each in its own environment (long: many installs)
	@$(BIN)/python -m conformance.runner

conformance-quick: install  ## Run the quick real clients
	@$(BIN)/python -m conformance.runner --quick

bench: install  ## Measure everything beside its peers (long; BENCH=--quick for a look)
	@$(BIN)/python -m benchmarks $(BENCH)

tables: install  ## Write the generated tables anew
	@$(BIN)/python tools/fixtures_table.py
	@$(BIN)/python tools/language_table.py
	@$(BIN)/python tools/faults_table.py
	@$(BIN)/python tools/conditions_table.py
	@$(BIN)/python tools/wraps_table.py
	@$(BIN)/python tools/delivery_page.py
	$(BIN)/python tools/catalogue.py
	$(BIN)/python tools/models_table.py
	@$(BIN)/python tools/operations_table.py
	$(BIN)/python tools/rules_table.py
	@$(BIN)/python tools/evidence_table.py
	$(BIN)/python -m conformance.table

lint: install  ## ruff and mypy over everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install  ## Let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
