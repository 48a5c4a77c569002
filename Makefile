# Thin targets: what they run lives in the algo command and in scripts/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export ALGO_DATA_DIR ?= $(abspath ../shared/data)
UV = $$(scripts/bootstrap.sh)
RUN = PATH="$$(dirname $(UV)):$$PATH" uv run --frozen --all-packages
PACKAGES = crds market brokers kube runner gateway operator api simulator local

.PHONY: help up down status demo test checks lint types format lock generate bench lock broker-cases

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

up: ## Install what is missing, start the local cluster and run the main job, live in the terminal
	@$(RUN) algo up

down: ## Stop the local cluster and leave nothing behind (the build cache stays)
	@$(RUN) algo down

status: ## What runs, and where to look
	@$(RUN) algo status

demo: ## One strategy over a recorded (or synthetic) session in a world of its own
	@$(RUN) algo demo

test: ## Every suite, with the time of each
	@$(RUN) python scripts/run_suites.py

checks: lint types ## The fast part of make test: format, lint, import contracts, sizes, secrets, generated files, types

lint: ## Format, lint, import contracts, sizes, secrets, generated files
	@$(RUN) ruff format --check . && $(RUN) ruff check . && $(RUN) lint-imports && \
	 $(RUN) python scripts/check_sizes.py && $(RUN) python scripts/check_secrets.py && \
	 $(RUN) python scripts/broker_table.py --check && $(RUN) python -m algo_crds.generate --check

types: ## mypy --strict over every package
	@$(RUN) mypy $(foreach p,$(PACKAGES),$(p)/algo_$(p)) scripts

format: ## Format and fix what ruff can fix
	@$(RUN) ruff format . && $(RUN) ruff check --fix .

generate: ## Write the generated files again (CRD YAML)
	@$(RUN) python -m algo_crds.generate

bench: ## Every benchmark; each prints one JSON object as its last line
	@for script in $$(grep -l "^    main()$$" benchmarks/*.py); do $(RUN) python $$script || exit 1; done

lock: ## Resolve the lock file again
	@$(UV) lock

broker-cases: ## Run the broker matrix and write docs/broker-cases.md from its results
	@ALGO_WRITE_CASES=1 $(RUN) python -m pytest -q tests/brokers
