# Every target that needs them sets up the environment and the Kafka broker first; `make help` lists all.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

bin := .venv/bin
# A new stamp is due when what is installed, or where, would differ.
stamp := .venv/setup-$(shell { pwd; cat requirements/dev.txt pyproject.toml scripts/setup service/sandbox/kafka_jars.txt; } | cksum | cut -d' ' -f1)
ARGS ?=
IMAGE ?=
SEEDS ?= 2000
FIRST ?= 0
INPUTS ?= 100000
ROWS ?= 1000000
SEED ?= 0

.PHONY: help setup demo check format test bench bench-scale bench-soak hot-path bench-transports bench-exports export-memory crash-test chaos simulate fuzz mutants asyncapi image test-image test-chart test-cluster test-page test-go rehearse docs lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(stamp) ## Install everything into .venv, Java and Apache Kafka included (a minute or two the first time)
	@:

$(stamp):
	@scripts/setup $@

demo: setup ## Show the main job end to end on this machine: make demo [ARGS=…]
	@$(bin)/holdings-relay demo $(ARGS)

check: setup ## Formatting, lint, types, import layers: seconds
	@scripts/check

format: setup ## Format the code and fix what ruff can fix
	@$(bin)/ruff check --fix --quiet --exit-zero service tests scripts bench
	@$(bin)/ruff format service tests scripts bench

test: setup ## Run all tests: make test [ARGS='-k lanes']
	@$(bin)/pytest --numprocesses 2 --dist loadgroup $(ARGS)

bench: setup ## Events per second and latency beside plain workers, on a real broker: make bench [ARGS='--all' or '--table start']
	@$(bin)/python -m bench $(ARGS)

bench-scale: setup ## What grows with keys, partitions, a hot key, and what waits: make bench-scale [ARGS='--table partitions']
	@$(bin)/python -m bench.scale $(ARGS)

bench-soak: setup ## Whether memory stays flat, half an hour: make bench-soak [ARGS='--minutes 5 --rate 200']
	@$(bin)/python -m bench.soak $(ARGS)

hot-path: setup ## What one event costs in calls of functions and in memory: the same on every machine
	@$(bin)/python -m tests.support.hot_path

bench-transports: setup ## What a call costs by what carries it, with and without TLS: make bench-transports [ARGS='--calls 50000']
	@$(bin)/python -m bench.transports $(ARGS)

bench-exports: setup ## Rows per second of an export beside curl: make bench-exports [ARGS='--rows 1000000']
	@$(bin)/python -m bench.exports $(ARGS)

export-memory: setup ## A million rows of an export, in bounded memory: make export-memory [ROWS=1000000]
	@$(bin)/python -m tests.support.large_export $(ROWS)

crash-test: setup ## Two workers under load, one killed twice: nothing lost, nothing doubled, order kept
	@$(bin)/python -m tests.chaos.crash $(ARGS)

chaos: setup ## Workers, broker and systems in trouble of every kind for half an hour: make chaos [ARGS='--short --seed 7']
	@$(bin)/python -m tests.chaos $(ARGS)

simulate: setup ## Whole workers in virtual time through random trouble and a blow at every step: make simulate [SEEDS=2000] [FIRST=0]
	@$(bin)/python -m tests.chaos.simulate --first $(FIRST) --seeds $(SEEDS)

fuzz: setup ## Hostile input to everything that reads any, from a seed: make fuzz [INPUTS=100000] [SEED=0] [ARGS='--only scsb']
	@$(bin)/python -m tests.fuzz --inputs $(INPUTS) --seed $(SEED) $(ARGS)

mutants: setup ## Switch on one deliberate defect after the other: the tests must catch each (some minutes)
	@$(bin)/python -m tests.mutants $(ARGS)

image: ## Build the image: make image [IMAGE=name:tag] [PYTHON_DIGEST=sha256:…]
	@scripts/image $(IMAGE)

test-image: setup ## Build the image on a stand-in for its base, and run it (as root, on Debian)
	@if [ "$$(id -u)" -eq 0 ]; then scripts/chart-tools hadolint image >/dev/null; fi
	@$(bin)/pytest tests/deployment/image $(ARGS)

test-chart: setup ## The chart: lint, unit tests, schemas, alerts (builds its tools once: some minutes)
	@scripts/chart-tools chart >/dev/null
	@$(bin)/pytest tests/deployment/chart $(ARGS)

test-cluster: setup ## The chart on a control plane of Kubernetes, on loopback (builds it once: some ten minutes)
	@scripts/chart-tools chart cluster >/dev/null
	@$(bin)/pytest tests/deployment/cluster $(ARGS)

rehearse: setup ## A release without containers: its workers replaced one by one under load, nothing lost or repeated
	@scripts/chart-tools chart >/dev/null
	@$(bin)/python -m tests.deployment.rehearsal $(ARGS)

test-go: setup ## The benchmark's worker in Go: gofmt, vet, its tests, one result for each event on a real broker
	@scripts/go-worker --install >/dev/null
	@$(bin)/pytest tests/go_worker $(ARGS)

asyncapi: setup ## Give the AsyncAPI document to the official parser (needs Node.js and npm)
	@scripts/asyncapi/validate

test-page: setup ## The status page in headless Chromium (as root, on Debian, it is installed where it is missing)
	@$(bin)/pytest tests/browser $(ARGS)

docs: setup ## Write the documents that are made from the code
	@$(bin)/python -m scripts.settings_doc
	@$(bin)/python -m scripts.metrics_doc
	@$(bin)/python -m scripts.logs_doc
	@$(bin)/python -m scripts.chart_docs

lock: setup ## Choose the newest versions that pyproject.toml allows, and write them down with their hashes
	@scripts/lock

clean: ## Remove the environment and all caches of this checkout
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find service tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} +
