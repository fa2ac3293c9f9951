# meshproof: the two commands of the README are `make verify` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOPOLOGIES := $(patsubst topologies/%.yaml,%,$(wildcard topologies/*.yaml))

.PHONY: verify test lint unit docs bench interruptions clean lock

verify: $(READY) ## the main job: clusters up, every behaviour judged, a verdict
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify

test: lint unit $(READY) ## linters, unit tests, and a short run on real clusters
	$(BIN)/meshproof doctor --fix
	$(BIN)/meshproof verify bare $(TOPOLOGIES) --variant mesh-networks --sabotage

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/pytest tests

docs: $(READY) ## docs/behaviours.md, from the suites
	$(BIN)/meshproof behaviours --markdown > docs/behaviours.md.new
	mv docs/behaviours.md.new docs/behaviours.md

bench: $(READY) ## figures on this machine: a table, and bench.json
	$(BIN)/meshproof bench

$(READY): requirements.lock pyproject.toml
	./bootstrap.sh $(PYTHON) $(VENV)
	touch $@

lock: $(READY) ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -o requirements.lock

clean:
	rm -rf $(VENV) dist bench.json bench-mesh

interruptions: $(READY) ## 30 runs ended at random moments; looks for anything left behind
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.interruptions 30
