# Parity: every command, from a fresh clone. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.SUFFIXES:

LOG ?= embedded
SEEDS ?= 20
N ?= 3
WORKERS ?= 1
UNTIL ?= 2026-10-08
BIN := .venv/bin
READY := .venv/.ready
PYX12 := .parity/oracles/pyx12/bin/x12valid
KUBERNETES := .parity/oracles/kubernetes/bin/kubernetes-validate
LOCAL := $(BIN)/python -m deploy.local
PYTHON_FILES := deploy libs services tests

export PARITY_LOG := $(LOG)

.PHONY: help
help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## Make the virtual environment .venv; all other commands do so by themselves
	@echo "Ready. \`make\` lists the commands."

$(READY): pyproject.toml constraints.txt deploy/local/setup.sh
	@bash deploy/local/setup.sh

.PHONY: demo
demo: $(READY) ## Run a month of a practice, from the EHR to the bank (LOG=embedded or kafka)
	@$(LOCAL).demo --log $(LOG)

.PHONY: up
up: $(READY) ## Start all services on this machine and keep them running (LOG=embedded or kafka)
	@$(LOCAL) up --log $(LOG) --workers $(WORKERS)

.PHONY: scale
scale: $(READY) ## Show that N workers of each service give the same figures as one (N=3)
	@$(LOCAL).scale --log $(LOG) --workers $(N) --until $(UNTIL)

.PHONY: down
down: $(READY) ## Stop what `make up` or `make demo` started
	@$(LOCAL) down

.PHONY: status
status: $(READY) ## Show which processes run, and where
	@$(LOCAL) status

.PHONY: containers
containers: $(READY) ## Prepare deploy/compose.yaml, and print the command that starts it
	@$(LOCAL).containers

.PHONY: token
token: $(READY) ## Print a bearer token for the demo tenant, with all scopes
	@$(LOCAL) token

.PHONY: service
service: $(READY) ## Run a command of a service on what runs now: make service DO="claims parked list"
	@$(LOCAL) service $(DO)

.PHONY: backup
backup: $(READY) ## Back up what runs, database and secrets: make backup TO=FOLDER
	@$(LOCAL).backup backup $(TO)

.PHONY: restore
restore: $(READY) ## Bring a backup back, for `make up` to start: make restore FROM=FOLDER
	@$(LOCAL).backup restore $(FROM)

.PHONY: reset
reset: $(READY) ## Stop everything and forget all state (.parity)
	@$(LOCAL) reset

.PHONY: test
test: $(READY) ## Run the everyday tests
	@$(BIN)/python -m pytest -n 2 -m "not kafka and not crash and not slow and not flow and not thorough"

.PHONY: test-thorough
test-thorough: $(READY) ## Run the tests that try each part to its corners: ledger, payers, X12, log, launcher
	@$(BIN)/python -m pytest -n 2 -m "thorough and not kafka and not crash and not slow and not flow"

.PHONY: test-flows
test-flows: $(READY) ## Drive the whole platform, real processes and all, through days of a practice
	@$(BIN)/python -m pytest -n 2 -m "flow and not slow"

.PHONY: test-kafka
test-kafka: $(READY) ## Run the Kafka suites; without a broker they fail
	@PARITY_REQUIRE_KAFKA=1 $(BIN)/python -m pytest -m "kafka and not crash"

.PHONY: test-slow
test-slow: $(READY) ## Run the tests that take their time
	@$(BIN)/python -m pytest -m "slow and not kafka and not crash"

.PHONY: crash
crash: $(READY) ## Kill processes in the middle of the flow: one storm on each log
	@PARITY_LOG=embedded,kafka PARITY_SEEDS=1 PARITY_REQUIRE_KAFKA=1 $(BIN)/python -m pytest tests/promises/test_crash.py -k whatever_is_killed

.PHONY: chaos
chaos: $(READY) ## Kill processes in the middle of the flow, SEEDS times, on LOG; MUTANTS=1 tries five broken designs
	@PARITY_SEEDS=$(SEEDS) PARITY_MUTANTS=$(MUTANTS) $(BIN)/python -m pytest tests/promises/test_crash.py -k $(if $(MUTANTS),broken_design,whatever_is_killed)

.PHONY: night
night: $(READY) ## Prove the promises with the figures that take a night
	@PARITY_NIGHT=1 $(BIN)/python -m pytest tests/promises -m "not crash and not kafka" -s

.PHONY: oracles
oracles: $(READY) $(PYX12) ## Have our X12 read by others, and settle what pyx12, oxedi and linuxforhealth say of the samples
	@$(BIN)/python -m pytest tests -k others_can_read
	@$(BIN)/python -m benchmarks.x12_oracles

MINUTES ?= 10
.PHONY: fuzz
fuzz: $(READY) ## Look for input that breaks libs/x12, guided by coverage, for MINUTES
	@$(BIN)/python -m tests.x12.fuzz $(MINUTES)

$(PYX12):
	@$(BIN)/python -m venv .parity/oracles/pyx12
	@.parity/oracles/pyx12/bin/python -m pip install --quiet --disable-pip-version-check pyx12==4.0.0 defusedxml==0.7.1

.PHONY: manifests
manifests: $(READY) $(KUBERNETES) ## Render deploy/k8s (needs kubectl) and hold it to Kubernetes' own schemas
	@kubectl kustomize deploy/k8s/overlays/production >.parity/production.yaml
	@$(LOCAL).containers >/dev/null
	@umask 077; kubectl kustomize --load-restrictor LoadRestrictionsNone deploy/k8s/overlays/local >.parity/local.yaml
	@$(KUBERNETES) --strict --no-warn --quiet .parity/production.yaml .parity/local.yaml; code=$$?; \
		rm -f .parity/local.yaml; exit $$code
	@echo "Everything but KEDA's own kinds, which have no schema there, is as Kubernetes wants it."

$(KUBERNETES):
	@$(BIN)/python -m venv .parity/oracles/kubernetes
	@.parity/oracles/kubernetes/bin/python -m pip install --quiet --disable-pip-version-check kubernetes-validate==1.37.0

.PHONY: lint
lint: $(READY) ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(READY) ## Check the types
	@$(BIN)/mypy $(PYTHON_FILES)

.PHONY: bench
bench: $(READY) ## Measure how fast the paths are, as ratios within one run: a table, and .parity/bench.json
	@$(BIN)/python -m benchmarks $(ONLY)

.PHONY: docs
docs: $(READY) ## Write the generated pages of docs/ anew
	@$(BIN)/python -m tests.contracts.generate
