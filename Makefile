# Needs Python 3.11 or newer, and nothing else.
PORT ?= 8000
HOST ?= 127.0.0.1
# Which Python makes .venv; found by itself if left empty.
PYTHON ?=
# Options for pytest or the benchmarks, as in: make test ARGS="-k embedded"
ARGS ?=

python := .venv/bin/python
embedded := $(python) -m omneo.embedded
describe := $(python) manage.py spectacular --format openapi-json --validate --fail-on-warn
install := $(python) -m pip install --quiet --disable-pip-version-check --prefer-binary

.DEFAULT_GOAL := help
.PHONY: help run test lint format docs openapi openapi-check bench soak clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: .venv/.installed ## Start everything with demo data at http://127.0.0.1:8000 (PORT=8001 for another port)
	@exec $(embedded) run --host $(HOST) --port $(PORT)

test: lint ## Check style and migrations, run all tests on real PostgreSQL (ARGS="-k word" for some)
	@exec $(embedded) exec --ephemeral -- sh -c \
		'$(python) manage.py makemigrations --check --dry-run && exec "$$@"' \
		sh $(python) -m pytest -n 2 $(ARGS)

lint: .venv/.installed-tests openapi-check ## Check style and the direction of imports
	@$(python) -m ruff check
	@$(python) -m ruff format --check
	@$(python) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

format: .venv/.installed-tests ## Rewrite the code in the project's style
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

docs: .venv/.installed ## Write the field reference from the models
	@$(python) -m docs.field_reference

openapi: .venv/.installed ## Write the description of the API from the code, docs/openapi.json
	@$(describe) --file docs/openapi.json

openapi-check: .venv/.installed ## Check that docs/openapi.json is what the code says
	@mkdir -p var
	@$(describe) --file var/openapi.json
	@cmp -s var/openapi.json docs/openapi.json || \
		{ echo "docs/openapi.json is not what the code says: run make openapi" >&2; exit 1; }

bench: .venv/.installed-benchmarks ## Measure against other ways, some 25 minutes (ARGS="--help" for parts of it)
	@exec $(python) -m benchmarks $(ARGS)

soak: .venv/.installed-tests ## Write for minutes beside killed workers, then compare every row (ARGS="--help")
	@exec $(embedded) exec --ephemeral -- $(python) -m tests.soak $(ARGS)

clean: ## Remove .venv and var, with all data, after asking
	@if [ -s var/run.lock ] && kill -0 "$$(cat var/run.lock)" 2>/dev/null; then \
		echo "Omneo still runs, as process $$(cat var/run.lock): stop it first" >&2; exit 1; \
	fi
	@printf 'Remove .venv and var, with all data in it? [y/N] '; \
	read -r answer; \
	if [ "$$answer" != y ]; then echo "Nothing removed."; exit 0; fi; \
	for data in var/*postgres*; do \
		place=$$(readlink "$$data" || true); \
		case $$place in /var/lib/omneo-?*/*postgres*) rm -rf "$$(dirname "$$place")" ;; esac; \
	done; \
	rm -rf .venv var

.venv/.installed: requirements.txt
	@$(make_venv)
	@echo "Installing what requirements.txt names into .venv ..."
	@$(install) --requirement requirements.txt
	@touch $@

.venv/.installed-tests: tests/requirements.txt .venv/.installed
	@echo "Installing what tests/requirements.txt names into .venv ..."
	@$(install) --requirement tests/requirements.txt
	@touch $@

.venv/.installed-benchmarks: benchmarks/requirements.txt .venv/.installed
	@echo "Installing what benchmarks/requirements.txt names into .venv ..."
	@$(install) --requirement benchmarks/requirements.txt
	@touch $@

# A working .venv is left as it is; one whose Python is gone or too old is made anew.
suitable = import sys; sys.exit(sys.version_info < (3, 11))
candidates = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)
define make_venv
if $(python) -c '$(suitable)' 2>/dev/null && $(python) -c 'import pip' 2>/dev/null; then exit 0; fi; \
for candidate in $(candidates); do \
	if $$candidate -c '$(suitable)' 2>/dev/null; then found=$$candidate; break; fi; \
done; \
if [ -z "$$found" ]; then \
	echo "Omneo needs Python 3.11 or newer, and none of these is: $(candidates)." \
		"Install one, or name it: make PYTHON=/path/to/python ..." >&2; \
	exit 1; \
fi; \
if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
	echo "$$found lacks the module venv." \
		"Install it (Debian, Ubuntu: apt-get install python3-venv)," \
		"or name another Python: make PYTHON=/path/to/python ..." >&2; \
	exit 1; \
fi; \
echo "Making .venv with $$($$found --version) ..."; \
$$found -m venv --clear .venv
endef
