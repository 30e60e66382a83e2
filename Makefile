# The commands of this repository. Bare `make` lists them; every one does its own set-up.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-replayed test-postgres test-postgres-core \
	test-postgres-rest test-cluster check chaos soak mutants bench lock clean
PY := .venv/bin/python
ON_POSTGRES := $(PY) -m tests.support.postgres $(PY) -m pytest -n 2 --dist loadfile \
	--no-loadscope-reorder
ROOMS := $(wildcard domain venues store markets workflows activities api notify sim app tests)

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' Makefile

setup: ## Get a bare clone ready (.venv, locked packages, Temporal); quick when done
	@scripts/bootstrap

demo: setup ## Run real arbitrages against two simulated exchanges; no keys, no network
	@.venv/bin/lockstep demo

test: check ## Run everything that must hold: check, then all tests
	@scripts/bootstrap --browser
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not campaign and not postgres and not cluster"

test-fast: setup ## Run the tests that are not marked slow
	@$(PY) -m pytest -m "not slow and not campaign and not postgres and not cluster"

test-replayed: setup ## Run the tests of workflows again, each replayed at every step
	@REPLAYED=1 $(PY) -m pytest tests/workflows

test-postgres: test-postgres-core test-postgres-rest ## Run what writes a journal on PostgreSQL

test-postgres-core: setup ## Run of that the store itself, moving, restoring and taking over
	@scripts/bootstrap --postgres
	@$(ON_POSTGRES) tests/store tests/reconcile tests/commands/test_on_postgres.py \
		tests/commands/test_restoring_on_postgres.py tests/app/test_lease_kept.py

test-postgres-rest: setup ## Run the rest of it, and docker-compose.yml's commands
	@scripts/bootstrap --postgres
	@$(ON_POSTGRES) tests/activities tests/workflows tests/notify tests/api \
		tests/chaos/test_chaos.py tests/deploy/test_deploy_page.py \
		tests/deploy/test_processes.py tests/deploy/test_moving_in.py

test-cluster: setup ## Run docker-compose.yml's commands on Temporal's own server on PostgreSQL; needs Go
	@scripts/bootstrap --postgres
	@$(PY) -m tests.support.cluster
	@$(PY) -m pytest tests/deploy/test_cluster.py

check: setup ## Run lint, format and type checks, and the house rules
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy $(ROOMS)
	@$(PY) -m pytest -q tests/house

chaos: setup ## Break a real system on purpose and judge it: SEED=7 RUNS=60 POINTS=all
	@.venv/bin/lockstep chaos --seed $(or $(SEED),7) --runs $(or $(RUNS),60) --points $(or $(POINTS),all)

soak: setup ## Trade for MINUTES=20 with a SIGKILL every two, then judge; prints JSON
	@$(PY) -m tests.chaos.soak --seed $(or $(SEED),7) --minutes $(or $(MINUTES),20) \
		--every $(or $(EVERY),120)

mutants: setup ## Run executors that are wrong on purpose; each must be caught by name
	@$(PY) -m pytest -m campaign

bench: setup ## Measure signal to send, several executors on both servers, growth; JSON
	@$(PY) -m tests.support.cluster >&2
	@$(PY) -m tests.bench

lock: setup ## Write requirements.lock anew from pyproject.toml (UPGRADE=1 for newest)
	@scripts/lock $(if $(UPGRADE),--upgrade)

clean: ## Remove .venv and caches inside the clone
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build lockstep.egg-info
