# meshproof: the two commands of the README are `make verify` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SITE := $(VENV)/.site
OLDEST := $(VENV)/oldest
OLDEST_PYTEST := $(shell sed -n 's/.*"pytest>=\(.*\)",/\1/p' pyproject.toml)
# One control plane and several, one network and several; verify judges the rest.
SHORT := primary-remote-flat primary-remote-split-horizon multi-primary-flat

# Where changes and outages are measured: both kinds of control, across networks.
CHANGED := primary-remote-split-horizon multi-primary-split-horizon

# Where sabotage is seen to work that the short run has no topology, variant or level for.
ELSEWHERE := overlapping-cidrs mixed-networks hostname-gateways two-primaries-four-clusters zones \
	multi-primary-split-horizon primary-remote-flat federation federation-of-three hybrid vm-expansion \
	host-member
# Of those topologies: what is for the one alone, and of what is for several the plainest. A new
# sabotage that tests/runner/test_sabotage_targets.py names is run by no target, and goes in here.
SABOTAGE := (test_overlap and not of-three) or hostnames or (shared_gateway and two-primaries) or (test_networks and mixed) \
	or test_vm_expansion or test_hosts or test_portal or ((zone_has or than_its_node) and zones) or (test_domains and split-horizon) \
	or ((test_headless or test_outside or service_lacks) and split-horizon) or (under_a_mesh and overlapping) \
	or (test_federation and not hybrid and not of-three) \
	or ((trust_domain_too_many or both_consumers or told_apart) and of-three) \
	or ((lost_nearby or server_that_is_asked) and hybrid) or ((test_authorization or test_endpoints or test_entries or test_hops \
	or test_mcs or test_ports or test_secrets or false_istiod or another_lifetime or test_an_open \
	or is_no_zero or subset_without or not_forbidden or policy_that_goes) and primary-remote-flat)

.PHONY: verify test published test-docker nodes rendering sabotage change change-ten rest faults upgrade repeat lint workflows unit unit-oldest browser docs site serve samples bench mutants \
	interruptions clean lock

verify: $(READY) ## the main job: what is judged by default, from nothing to a verdict
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify --enforce

test: lint unit browser $(READY) ## linters, unit tests, and a short run on real clusters
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify bare $(SHORT) --variant mesh-networks --sabotage --mutants --enforce

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --offline --quiet --persona pedantic .github

ACTIONLINT := $(VENV)/bin/actionlint
# It does not know the syntax "$$/" for the own repository yet, which is of July 2026.
workflows: $(ACTIONLINT) ## the workflows once more, by actionlint, which Go builds; not part of test
	$(ACTIONLINT) -ignore 'action "\$$/' -ignore 'workflow call "\$$/'

$(ACTIONLINT): $(READY)
	GOFLAGS= GOBIN=$(CURDIR)/$(BIN) go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

unit: $(READY) unit-oldest
	$(BIN)/pytest tests -n $$(nproc) --ignore=tests/browser --ignore=tests/rendering

rendering: $(READY) ## what Helm and istioctl would install, compared on every topology; not part of test
	$(BIN)/meshproof artifacts build --artifacts built --helm
	$(BIN)/pytest tests/rendering -n $$(nproc)

browser: $(READY) ## the report's page in Chromium, which is installed where root may do so
	sh tests/browser/install.sh
	$(BIN)/pytest tests/browser

unit-oldest: $(OLDEST)/.ready ## what depends on pytest most, with the oldest that is supported
	PYTHONPATH=$(CURDIR)/$(OLDEST)$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/python -m pytest tests/runner/test_scheduling.py \
		-n $$(nproc)

docs: $(READY) ## docs/behaviours.md, from the suites, and docs/known-issues.md, from the catalogue
	$(BIN)/meshproof behaviours --markdown > docs/behaviours.md.new
	mv docs/behaviours.md.new docs/behaviours.md
	$(BIN)/meshproof known-issues --markdown > docs/known-issues.md.new
	mv docs/known-issues.md.new docs/known-issues.md

site: $(SITE) ## the documentation's site in dist/site: strict, and nothing in it loads from outside
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

serve: $(SITE) ## the site, made anew as pages change
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

samples: $(READY) ## reports/sample, from RUNS='reports/RUN …', of each the FIRST so many deployments
	$(BIN)/python -m website.samples $(RUNS) $(FIRST:%=--first %)

REGISTRY := $(BIN)/registry
published: $(REGISTRY) ## the published way, by podman, with a registry on loopback; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/python -m tests.published $(REGISTRY)

$(REGISTRY): $(READY)
	GOFLAGS= GOBIN=$(CURDIR)/$(BIN) go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2

test-docker: $(READY) ## clusters by a Docker Engine that is unpacked apart, beside podman's; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/python -m tests.docker_apart

nodes: $(READY) ## clusters of several nodes without a mesh, and their sabotage; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify bare-nodes --sabotage --enforce

sabotage: $(READY) ## sabotage that no other target runs; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/pytest suites/sabotage -k '$(SABOTAGE)' $(ELSEWHERE:%=--meshproof-topology=%) \
		--meshproof-mtls=strict --meshproof-variant=trust-domains \
		--meshproof-variant=trust-domains-apart --meshproof-variant=unrelated-roots \
		--meshproof-profile=all \
		--meshproof-sabotage --meshproof-conformance --meshproof-enforce -n auto

change: $(READY) ## what changes and outages cost calls that go on, and their sabotage; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/pytest suites/change suites/outage suites/failover suites/sabotage/test_change.py \
		suites/sabotage/test_unchanged.py suites/sabotage/test_outage.py suites/sabotage/test_failover.py \
		suites/sabotage/test_upgrade.py \
		$(CHANGED:%=--meshproof-topology=%) --meshproof-mtls=strict --meshproof-profile=all \
		--meshproof-variant=mesh-networks --meshproof-variant=several-roots \
		--meshproof-sabotage --meshproof-conformance --meshproof-enforce

change-ten: $(READY) ## the same claims ten times, without sabotage: whatever does not hold once is a false alarm, or a find
	$(BIN)/meshproof doctor --fix
	$(BIN)/pytest suites/change suites/outage suites/failover $(CHANGED:%=--meshproof-topology=%) \
		--meshproof-mtls=strict --meshproof-profile=all --meshproof-repeat=10 \
		--meshproof-conformance --meshproof-enforce

rest: $(READY) ## calls to a mesh at rest, for ten minutes on each shape of network; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/pytest suites/rest --meshproof-topology=primary-remote-flat \
		--meshproof-topology=multi-primary-split-horizon --meshproof-mtls=strict \
		--meshproof-profile=all --meshproof-conformance --meshproof-enforce

faults: $(READY) ## each fault in force, and healed, on LAB, a kept one of two clusters across networks
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.every_fault $(LAB)

upgrade: $(READY) ## what it costs to get from one Istio to the next; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof upgrade --from 1.31.0 --to 1.31.1 --enforce

# Suites whose tests are many and were seldom run, on one topology of each network shape, so often.
TIMES := 10
REPEATED := ambient authorization channel endpoints entries grpc headless hops local matches mcs newcomers \
	ports priority resilience secrets selectors tokens versions visibility
repeat: $(READY) ## them ten times, and how many verdicts did not hold; not part of test
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify primary-remote-flat primary-remote-split-horizon --mtls strict \
		$(REPEATED:%=--behaviour '%/*') --repeat $(TIMES) --enforce

bench: $(READY) ## figures on this machine: a table, and bench.json
	$(BIN)/meshproof bench

# In parts: make mutants MINUTES=40, and then make mutants MINUTES=40 RESUME=FOLDER.
mutants: $(READY) ## all small faults in istiod, and which behaviour notices each; test has five of them
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof mutants $(MINUTES:%=--minutes %) $(RESUME:%=--resume %)

$(READY): requirements.lock pyproject.toml
	./bootstrap.sh $(PYTHON) $(VENV)
	touch $@

$(SITE): $(READY) requirements-docs.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	touch $@

# In front of the virtual environment's own, on a path; all else stays as it is locked.
$(OLDEST)/.ready: $(READY) pyproject.toml
	rm -rf $(OLDEST)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --target $(OLDEST) \
		pytest==$(OLDEST_PYTEST)
	touch $@

LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: $(READY) ## renew the locks from pyproject.toml: of the checks, the site, and releases
	$(BIN)/uv pip compile pyproject.toml --group dev $(LOCK) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra docs -c requirements.lock $(LOCK) -o requirements-docs.lock
	$(BIN)/uv pip compile --group release -c requirements.lock $(LOCK) -o requirements-release.lock

clean:
	rm -rf $(VENV) dist bench.json bench-mesh

interruptions: $(READY) ## 30 runs ended at random moments; looks for anything left behind
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.interruptions 30
