# Weir's commands. `make demo` and `make test` are all a newcomer needs; each does its own set-up.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# The cluster: bare (a node made here), kind (where Docker runs) or current (your kubeconfig). Empty: what fits.
PROVIDER ?=
provider = $(if $(PROVIDER),--provider $(PROVIDER))

UV := $(shell command -v uv || echo .tools/bin/uv)
RUN := $(UV) run --no-sync --quiet
PY := .venv/bin/python

##@ Main jobs
.PHONY: demo test
demo: up ## Bring up a cluster, install Weir, run the examples, show the runs
	$(PY) -m demo

test: check unit integration chart e2e ## Run every test tier; brings up a cluster by itself

##@ A cluster with Weir
.PHONY: cluster images up cluster-down
cluster: .venv/ready ## Bring up a Kubernetes cluster; kubeconfig at .cluster/kubeconfig
	$(PY) -m tests.cluster up $(provider)

images: .venv/ready ## Build the operator's and the runner's image
	$(PY) -m images

up: cluster images ## Cluster, images, and the chart installed and ready
	$(PY) -m charts.install $(provider)

cluster-down: .venv/ready ## Remove the cluster and all traces of it
	$(PY) -m tests.cluster down $(provider)

##@ Tests
.PHONY: unit integration chart e2e conformance repositories soak bench
unit: .venv/ready ## Unit tests: no sockets, no sleeps, half a minute
	$(RUN) pytest -q tests/unit

integration: .venv/ready ## Tests against a real API server and etcd (and git, SSH and SQL servers)
	$(RUN) pytest -q tests/integration

chart: .venv/ready ## Tests of the Helm chart
	$(RUN) pytest -q tests/chart

e2e: up ## Tests on a whole cluster; runs every example
	$(RUN) pytest -q tests/e2e

conformance: up ## Print how each case ends without a cluster and on one
	$(PY) -m tests.conformance

repositories: .venv/ready ## Print what each bad repository gets
	$(PY) -m tests.repositories

soak: up ## 200 flows while parts are killed for 10 minutes; SOAK='--roots 20 --seconds 60' for less
	$(PY) -m tests.soak $(SOAK)

bench: up ## Measure, as ratios in one run
	$(PY) -m bench

##@ Code
.PHONY: check format crds clean
check: .venv/ready ## Lint, types, import contracts, generated files
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python -m weir.crds build/crds build/templates/crds
	@diff -r build/crds crds && diff -r build/templates/crds charts/weir/templates/crds \
	  || { echo "The CRDs are stale: run 'make crds' and commit the result." >&2; exit 1; }

format: .venv/ready ## Format the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

crds: .venv/ready ## Generate the CRDs from the models
	$(RUN) python -m weir.crds crds charts/weir/templates/crds

clean: ## Remove what the build left (not the cluster, not the caches)
	rm -rf build dist .venv .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: setup
setup: .venv/ready ## Make the virtual environment

.venv/ready: uv.lock pyproject.toml operator/pyproject.toml runner-image/pyproject.toml connectors/pyproject.toml | $(UV)
	@echo "Preparing the virtual environment .venv" >&2
	$(UV) sync --frozen --quiet --all-extras
	@touch $@

.tools/bin/uv:
	@echo "Installing uv into .tools" >&2
	@command -v python3 >/dev/null || { echo "Weir needs Python 3.11 or later: install python3." >&2; exit 1; }
	python3 -m venv .tools || { echo "On Debian: apt-get install python3-venv" >&2; exit 1; }
	.tools/bin/pip install --quiet uv

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nVariables: PROVIDER=bare|kind|current  WEIR_CACHE=%s\n' '~/.cache/weir'
