# Needs only Python 3.11: `make run` starts Openreel, `make test` tests it.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
CORES ?= auto
# Many tests wait for processes and time-outs most of the time.
TEST_WORKERS ?= $(shell expr 2 + $$(getconf _NPROCESSORS_ONLN))
RUN := $(VENV)/bin/python
DEV_RUN := SECRET_KEY=only-for-make-check-and-make-bench ENV_FILE=/dev/null $(RUN)

.PHONY: help install run test test-fast check check-types check-style check-imports check-templates check-migrations fix messages screenshots bench bench-jobs bench-health bench-truth bench-faults bench-bulk bench-catalogue bench-history clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

install: $(VENV)/.dev ## create .venv with everything that running, testing and checking need

run: $(VENV)/.run ## start Openreel at http://127.0.0.1:8000 (PORT=, HOST= and the settings of docs/settings.md apply)
	@exec $(RUN) -m MovieBackend.serve

test: $(VENV)/.dev ## run all tests, on two processes more than there are cores; an absent service is named (TESTS="-k health tests/api" narrows)
	@$(RUN) -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

test-fast: $(VENV)/.dev ## run the tests that start no processes and wait for nothing, in under a minute
	@$(RUN) -m pytest -n $(CORES) --dist load -m "not slow and not browser and not postgres and not broker" $(TESTS)

check: check-types check-style check-imports check-templates check-migrations ## lint, format, types, import contracts, templates, styles, migrations (-j: at once)

check-types: $(VENV)/.dev
	$(RUN) -m mypy

check-style: $(VENV)/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

check-imports: $(VENV)/.dev
	$(VENV)/bin/lint-imports

check-templates: $(VENV)/.dev
	$(RUN) -m djlint templates --check --quiet
	$(RUN) -m djlint templates --lint --quiet
	$(RUN) -m pytest tests/web/test_markup.py

check-migrations: $(VENV)/.dev
	$(DEV_RUN) manage.py makemigrations --check --dry-run
	$(DEV_RUN) manage.py check --fail-level WARNING

fix: $(VENV)/.dev ## let ruff and djlint fix what they can
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	$(RUN) -m djlint templates --reformat --quiet

messages: $(VENV)/.dev ## bring the catalogues of translations in locale/ up to date with the texts; name the missing ones
	@$(DEV_RUN) manage.py update_translations

screenshots: $(VENV)/.dev ## remake the pictures of docs/screenshots, with the demo catalogue and the example film (needs Chromium)
	@$(RUN) -m tests.helpers.screenshots

bench: bench-jobs bench-health bench-truth bench-faults bench-bulk ## all benchmarks, as ratios within one run

bench-jobs: $(VENV)/.dev ## from click to first link, and many films at once, compared with other ways to run spiders
	@$(DEV_RUN) -m bench.jobs

bench-health: $(VENV)/.dev ## the link checker compared with others on one farm (ASKED="--profiles B --repeat 3")
	@$(DEV_RUN) -m bench.health $(ASKED)

bench-truth: $(VENV)/.dev ## living films called dead: 300 behaviours, other checkers, a simulated web (ASKED=--farm)
	@$(DEV_RUN) -m bench.truth $(ASKED)

bench-faults: $(VENV)/.dev ## what is lost when processes are killed and disks run full (ASKED="--only disk job")
	@$(DEV_RUN) -m bench.faults $(ASKED)

bench-bulk: $(VENV)/.dev ## import, export and removal of many films compared with raw SQL (ASKED="--films 100000")
	@$(DEV_RUN) -m bench.bulk $(ASKED)

bench-catalogue: $(VENV)/.dev ## lists of up to a million films, a tutorial's build and raw SQL beside (ASKED="--sizes 10000 100000")
	@$(DEV_RUN) -m bench.catalogue $(ASKED)

bench-history: $(VENV)/.dev ## the size of the database after a year of hourly checks of 50,000 links (ASKED="--searches 200")
	@$(DEV_RUN) -m bench.history $(ASKED)

clean: ## remove .venv (var/, with your database, stays)
	rm -rf $(VENV)

# Says every ten seconds how far it is; $$$$ is the shell of the recipe, whose end ends the counting too.
define install_packages
	@echo "Installing the packages of $(1): a minute or two the first time ..."
	@(while sleep 10 >/dev/null 2>&1 && kill -0 $$$$ 2>/dev/null; do \
	    waited=$$((waited + 10)); set -- $(VENV)/lib/python*/site-packages/*.dist-info; \
	    echo "  $$waited s: $$# packages are in place"; \
	done) & counting=$$!; \
	$(RUN) -m pip install --quiet --disable-pip-version-check -r $(1); status=$$?; kill $$counting; \
	[ $$status = 0 ] || { echo "openreel: the packages of $(1) could not be installed: pip says why above" >&2; exit 1; }
endef

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "openreel: $(PYTHON) not found: install Python 3.11, or name another interpreter with PYTHON=" >&2; exit 1; }
	@echo "Creating the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(call install_packages,requirements.txt)
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(call install_packages,requirements-dev.txt)
	@touch $@ $(VENV)/.run
