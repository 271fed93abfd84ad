# Two commands are enough on a fresh machine: `make demo` and `make test`.
# The newest installed Python of 3.13, 3.12 and 3.11. Override it with `make PYTHON=python3.11`.
PYTHON ?= $(eval PYTHON := $(shell deploy/local/find_python.sh))$(PYTHON)
VENV := .venv
SERVER_VENV := .venv-server
PIP_INSTALL := pip install --quiet --disable-pip-version-check
# Two workers, each with its own server. The tests of a module run in the same worker, long modules first.
PARALLEL := -n 2 --dist loadscope --no-loadscope-reorder

# The commands use the checkout instead of the user's data folder.
export RETRITON_MODEL_REPOSITORY := model_repository
export RETRITON_SERVER_ENV := $(SERVER_VENV)

.DEFAULT_GOAL := help
.PHONY: help setup export demo serve test test-fast check docs chart format bench bench-peers fuzz soak attacks sbom audit clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready $(SERVER_VENV)/retriton-server.json  ## Create both environments: the project's and the server's

# The project's environment: NumPy 2, PyTorch, Milvus Lite.
$(VENV)/.ready: pyproject.toml constraints.txt | python-found
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/$(PIP_INSTALL) -c constraints.txt -e '.[all,bulk,otel,ray,dev]'
	@touch $@

# The server's environment, separate because Triton's Python backend does not work with NumPy 2.
$(SERVER_VENV)/retriton-server.json: $(VENV)/.ready | libpython-found
	$(VENV)/bin/retriton setup --constraint constraints.txt
	@touch $@

.PHONY: python-found libpython-found
python-found:
	@test -n "$(PYTHON)"

# Triton's Python backend loads the shared libpython of the interpreter's version.
libpython-found: | python-found
	@$(PYTHON) deploy/local/ensure_libpython.py

export: setup  ## Export the default encoder into model_repository/, unless one is installed there
	$(VENV)/bin/retriton export --if-missing

demo: export  ## Serve the default encoder, ingest sample documents, ask a question
	$(VENV)/bin/retriton demo

serve: export  ## Serve model_repository/ on 127.0.0.1 until Ctrl-C
	$(VENV)/bin/retriton serve

test: export .venv-milvus/.ready .venv-clients/.ready .venv-frameworks/.ready | kubectl-found chromium-found  ## Run all tests, against a real Triton, Milvus Lite, and a Milvus server
	$(VENV)/bin/pytest $(PARALLEL) -m 'not alone'
	$(VENV)/bin/pytest -m alone

test-fast: $(VENV)/.ready  ## Run the tests that need no server, in about a minute
	$(VENV)/bin/pytest $(PARALLEL) -m 'not triton and not milvus and not slow'

# For the tests that render deploy/kubernetes.
.PHONY: kubectl-found chromium-found
kubectl-found:
	@command -v kubectl >/dev/null || $(call install-package,kubernetes-client,kubectl 1.14 or later)

# For the tests that open the gateway's page.
chromium-found:
	@command -v chromium >/dev/null || $(call install-package,chromium,Chromium)

# $(call install-package,PACKAGE,WHAT)
define install-package
{ if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null; \
  else echo "The tests need $(2). On Debian: sudo apt-get install $(1)"; exit 1; fi; }
endef

# Existing clients that the tests run against the gateway. They need other package versions than the project.
.venv-clients/.ready: tests/gateway/clients.txt | python-found
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/$(PIP_INSTALL) -r $<
	@touch $@

# Frameworks that the tests run against the gateway. They do not fit into one environment with the other clients.
.venv-frameworks/.ready: tests/gateway/frameworks.txt | python-found
	$(PYTHON) -m venv .venv-frameworks
	.venv-frameworks/bin/$(PIP_INSTALL) -r $<
	.venv-frameworks/bin/$(PIP_INSTALL) --no-deps --upgrade --target .venv-frameworks/lib/litellm-1.81.3 litellm==1.81.3
	@touch $@

# A Milvus server in a wheel, for the tests. 2.3 is the last version that was published as a wheel.
.venv-milvus/.ready: Makefile | python-found
	$(PYTHON) -m venv .venv-milvus
	.venv-milvus/bin/$(PIP_INSTALL) --no-deps milvus==2.3.5
	@touch $@

check: $(VENV)/.ready docs  ## Check style, types and links of the documentation
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(VENV)/.ready  ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

chart: $(VENV)/.ready | kubectl-found  ## Write the manifests of the Helm chart from deploy/kubernetes
	$(VENV)/bin/python deploy/helm/generate.py

format: $(VENV)/.ready  ## Format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: export .venv-bench/.ready  ## Run the load tests: prints a table and one JSON line (under 10 minutes)
	$(VENV)/bin/python -m bench

# This is the last version of tritonclient that contains NVIDIA's perf_analyzer.
.venv-bench/.ready: Makefile | python-found
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/$(PIP_INSTALL) --no-deps tritonclient==2.50.0
	@touch $@

PEERS := $(basename $(notdir $(wildcard bench/peers/*.txt)))

bench-peers: export .venv-bench/.ready $(PEERS:%=.venv-peers-%/.ready)  ## Compare with other embedding servers and libraries, on the same texts
	$(VENV)/bin/python -m bench.peers

# A peer that cannot be installed is skipped by the benchmark, which reports the last line of pip.log.
# PyPI's torchvision does not load beside a torch for CPUs, and what is imported where it is found fails. No peer needs it.
.venv-peers-%/.ready: bench/peers/%.txt | python-found
	$(PYTHON) -m venv .venv-peers-$*
	@rm -f $@
	.venv-peers-$*/bin/$(PIP_INSTALL) -r $< 2>.venv-peers-$*/pip.log && touch $@ || tail -n 1 .venv-peers-$*/pip.log
	@.venv-peers-$*/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec 2>/dev/null

FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 1200

fuzz: export .venv-clients/.ready  ## Fuzz parsers, wire, filters, prompts, HTTP and gRPC for FUZZ_SECONDS (600); FUZZ_TARGETS names some
	$(VENV)/bin/python -m fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)
	$(if $(FUZZ_TARGETS),,SCHEMA_SEED=$$(date +%s) $(VENV)/bin/pytest tests/gateway/test_schema.py)

soak: export  ## Mix all outcomes and kills for SOAK_SECONDS (1200): is memory flat, is every vector right?
	$(VENV)/bin/python -m bench.soak --seconds $(SOAK_SECONDS)

attacks: export  ## Measure what a caller notices while the service is attacked
	$(VENV)/bin/python -m bench.attacks

sbom: setup .venv-supply-chain/.ready  ## Write the software bills of materials (CycloneDX) of both environments to build/sbom
	mkdir -p build/sbom
	.venv-supply-chain/bin/cyclonedx-py environment $(VENV)/bin/python --pyproject pyproject.toml -o build/sbom/project.cdx.json
	.venv-supply-chain/bin/cyclonedx-py environment $(SERVER_VENV)/bin/python -o build/sbom/server.cdx.json

audit: setup .venv-supply-chain/.ready  ## Look for known vulnerabilities in both environments; needs access to an advisory service
	.venv-supply-chain/bin/python deploy/local/audit.py $(VENV) $(SERVER_VENV)

# Apart from the project's environment, so that they do not appear in its bill of materials.
.venv-supply-chain/.ready: Makefile | python-found
	$(PYTHON) -m venv .venv-supply-chain
	.venv-supply-chain/bin/$(PIP_INSTALL) 'cyclonedx-bom>=7,<8' 'pip-audit>=2.9,<3'
	@touch $@

clean:  ## Remove environments, build output and demo data
	rm -rf $(VENV) $(SERVER_VENV) .venv-bench .venv-milvus .venv-clients .venv-frameworks .venv-supply-chain .venv-peers-* .retriton build dist site
	git clean -fdXq model_repository
