# meshproof: the two commands of the README are `make verify` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLDEST := $(VENV)/oldest
OLDEST_PYTEST := $(shell sed -n 's/.*"pytest>=\(.*\)",/\1/p' pyproject.toml)
# One control plane and several, one network and several; verify judges the rest.
SHORT := primary-remote-flat primary-remote-split-horizon multi-primary-flat

# Where sabotage is seen to work that the short run has no topology, variant or level for.
ELSEWHERE := overlapping-cidrs mixed-networks hostname-gateways two-primaries-four-clusters zones \
	multi-primary-split-horizon primary-remote-flat federation
# Of those topologies: what is for the one alone, and of what is for several the plainest.
SABOTAGE := test_overlap or hostnames or (shared_gateway and two-primaries) or (test_networks and mixed) \
	or (zone_has and zones) or (test_domains and split-horizon) \
	or ((test_headless or test_outside or service_lacks) and split-horizon) or (under_a_mesh and overlapping) \
	or test_federation or ((test_authorization or test_endpoints or test_entries or test_hops \
	or test_mcs or test_ports or test_secrets or false_istiod or another_lifetime or test_an_open \
	or is_no_zero or subset_without or not_forbidden or policy_that_goes) and primary-remote-flat)

.PHONY: verify test nodes sabotage lint unit unit-oldest browser docs bench mutants few-mutants interruptions clean lock

verify: $(READY) ## the main job: clusters up, every behaviour judged, a verdict
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify --enforce

test: lint unit browser $(READY) ## linters, unit tests, and a short run on real clusters
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify bare $(SHORT) --variant mesh-networks --sabotage --enforce

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(READY) unit-oldest
	$(BIN)/pytest tests -n $$(nproc) --ignore=tests/browser

browser: $(READY) ## the report's page in Chromium, which is installed where root may do so
	sh tests/browser/install.sh
	$(BIN)/pytest tests/browser

unit-oldest: $(OLDEST)/.ready ## what depends on pytest most, with the oldest that is supported
	PYTHONPATH=$(CURDIR)/$(OLDEST)$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/python -m pytest tests/runner/test_scheduling.py

docs: $(READY) ## docs/behaviours.md, from the suites, and docs/known-issues.md, from the catalogue
	$(BIN)/meshproof behaviours --markdown > docs/behaviours.md.new
	mv docs/behaviours.md.new docs/behaviours.md
	$(BIN)/meshproof known-issues --markdown > docs/known-issues.md.new
	mv docs/known-issues.md.new docs/known-issues.md

nodes: $(READY) ## clusters of several nodes without a mesh, and their sabotage; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify bare-nodes --sabotage --enforce

sabotage: $(READY) ## sabotage that test and nodes have no place for; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/pytest suites/sabotage -k '$(SABOTAGE)' $(ELSEWHERE:%=--meshproof-topology=%) \
		--meshproof-mtls=strict --meshproof-variant=trust-domains \
		--meshproof-variant=trust-domains-apart --meshproof-profile=all \
		--meshproof-sabotage --meshproof-conformance --meshproof-enforce -n auto

bench: $(READY) ## figures on this machine: a table, and bench.json
	$(BIN)/meshproof bench

mutants: $(READY) ## small faults in istiod, and which behaviour notices each; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof mutants

few-mutants: $(READY) ## five of them, each noticed by the claim that it breaks; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/pytest suites/sabotage/test_mutants.py --meshproof-topology=primary-remote-flat \
		--meshproof-mtls=strict --meshproof-sabotage --meshproof-mutants \
		--meshproof-conformance --meshproof-enforce

$(READY): requirements.lock pyproject.toml
	./bootstrap.sh $(PYTHON) $(VENV)
	touch $@

# In front of the virtual environment's own, on a path; all else stays as it is locked.
$(OLDEST)/.ready: $(READY) pyproject.toml
	rm -rf $(OLDEST)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --target $(OLDEST) \
		pytest==$(OLDEST_PYTEST)
	touch $@

lock: $(READY) ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -o requirements.lock

clean:
	rm -rf $(VENV) dist bench.json bench-mesh

interruptions: $(READY) ## 30 runs ended at random moments; looks for anything left behind
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.interruptions 30
