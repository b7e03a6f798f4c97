# Every target works on a fresh clone: what it needs is installed into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# One more than the processors of a small machine: platforms wait much. Their order: tests/conftest.py.
WORKERS ?= 3
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Tests start hundreds of processes: they read bytecode, also where a machine is told to write none.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test test-kafka test-chart drills simulate fuzz mutants chaos outages nightly bench lint format catalogue sbom audit release lock clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## The whole pilot, to its verdict, on this machine
	$(BIN)/connecte demo

up: $(STAMP) ## The platform on this machine, real clock, until Ctrl-C
	$(BIN)/connecte up

test: $(STAMP) ## Every test that needs no Java, but for the drills
	$(PYTEST) -m "not kafka and not cluster and not drill and not release"

test-kafka: $(STAMP) ## The connected tests on a real Apache Kafka (Java 17, Maven)
	CONNECTE_TEST_KAFKA=apache $(PYTEST) -m "not drill" tests/chassis tests/journeys tests/deploy/trial/chaos \
		tests/deploy/trial/check/test_markers.py tests/deploy/local/test_local_parts.py tests/deploy/local/test_kafka_cluster.py \
		tests/fuzz/test_messages.py tests/deploy/operating/test_topics.py tests/deploy/operating/test_access_on_kafka.py

test-chart: $(STAMP) ## The chart on a real API server, with Helm 3 and 4 (Go; the first time takes long)
	$(BIN)/python -m pytest -m cluster

drills: $(STAMP) ## Restores, two versions side by side, programmes at the portal or with mail in trouble
	$(BIN)/python -m pytest -m drill

simulate: $(STAMP) ## A minute of the whole platform in one process, with new seeds
	$(BIN)/python -m tests.simulation --seconds 60

fuzz: $(STAMP) ## Ten minutes of anything, through HTTP and as records, with new seeds
	$(BIN)/python -m tests.fuzz --minutes 10

mutants: $(STAMP) ## Break each promise on purpose, and see that it is found
	$(BIN)/python -m tests.mutants

chaos: $(STAMP) ## Ten minutes of faults on a real Kafka and three databases (Java 17, Maven)
	$(BIN)/connecte chaos --seed 1 --minutes 10

outages: $(STAMP) ## Outages on real parts: who is told what, and when (Java 17, Maven)
	$(BIN)/python -m tests.outages

nightly: $(STAMP) ## All that is long, one line per check (Java 17, Maven, Go; most of a night)
	$(BIN)/python -m tests.nightly

bench: $(STAMP) ## Speed, as ratios; writes build/bench.json
	$(BIN)/python -m tests.bench

lint: $(STAMP) ## Style, types, whether the catalogue is current and breaks nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/connecte schemas generate --check
	$(BIN)/connecte schemas check
	$(BIN)/python -m deploy.made.dashboards --check
	$(BIN)/python -m deploy.made.chart_files --check
	$(BIN)/python -m deploy.made.papers --check

format: $(STAMP) ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

catalogue: $(STAMP) ## Generate schemas/catalogue, docs/events.md, tables of docs, dashboards, the chart's files, the papers
	$(BIN)/connecte schemas generate
	$(BIN)/python -m deploy.made.events_page
	$(BIN)/python -m deploy.made.access_page
	$(BIN)/python -m deploy.made.privacy_page
	$(BIN)/python -m deploy.made.sizing
	$(BIN)/python -m deploy.made.dashboards
	$(BIN)/python -m deploy.made.chart_files
	$(BIN)/python -m deploy.made.papers
	$(BIN)/python -m deploy.trial.chaos.published

sbom: $(STAMP) ## The bill of materials of the image's Python packages; writes build/sbom.cdx.json
	$(BIN)/python -m deploy.made.sbom --output build/sbom.cdx.json

audit: ## Known vulnerabilities of what is installed, by pip-audit (asks the index about each package)
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/pip-audit.lock
	build/audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements.lock

release: $(STAMP) ## Image, chart, wheel, contract, checksums, provenance; into build/release
	$(BIN)/python -m deploy.made.release

PIN := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate --no-header
# OR-Tools asks for it, and the part of it that pairs people never imports it.
LEFT_OUT := pandas

lock: ## Pin every dependency, with hashes; those of the services apart, for the image
	$(PIN) --allow-unsafe --extra local --extra dev --output-file requirements.lock pyproject.toml
	$(PIN) --unsafe-package $(LEFT_OUT) --build-deps-for wheel --constraint requirements.lock \
		--output-file requirements.service.lock pyproject.toml

clean: ## Remove what was installed and built
	rm -rf $(VENV) build
