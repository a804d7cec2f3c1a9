# From nothing but Python 3.11: `make run` starts Openreel, `make test` tests it.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
DEV_RUN := SECRET_KEY=make ENV_FILE=/dev/null $(RUN)

.PHONY: help install run test check fix bench bench-jobs bench-health bench-truth clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

install: $(VENV)/.dev ## make .venv with all that running, testing and checking need

run: $(VENV)/.run ## start Openreel at http://127.0.0.1:8000 (PORT=, HOST= and the README's settings apply)
	@exec $(RUN) -m MovieBackend.serve

test: $(VENV)/.dev ## run all tests; those that need an absent service say how to get it
	@$(RUN) -m pytest $(TESTS)

check: $(VENV)/.dev ## lint, format, types, import contracts, migrations
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports
	$(DEV_RUN) manage.py makemigrations --check --dry-run
	$(DEV_RUN) manage.py check --fail-level WARNING

fix: $(VENV)/.dev ## let ruff mend what it can
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: bench-jobs bench-health ## all timed figures, as ratios within one run

bench-jobs: $(VENV)/.dev ## from the click to the first link, and many films at once, against what else runs spiders
	@$(DEV_RUN) -m bench.jobs

bench-health: $(VENV)/.dev ## the checker of links beside other checkers, over one farm (ASKED="--profiles B --repeat 3")
	@$(DEV_RUN) -m bench.health $(ASKED)

bench-truth: $(VENV)/.dev ## living films lost while the web misbehaves, simulated (ASKED="--only host-404-hour portal")
	@$(DEV_RUN) -m bench.truth $(ASKED)

clean: ## remove .venv (var/, with your database, stays)
	rm -rf $(VENV)

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "openreel: $(PYTHON) is not here: install Python 3.11, or name another with PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run
