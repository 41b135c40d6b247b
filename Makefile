# `make` alone lists the targets. What each one needs, scripts/setup sees to.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8080
DB ?=
DATA ?= .build/postgres
FILTER ?=
WALKS ?= 1000
SUITE ?=

# All parts of this package; the same in every call, or everything is built anew.
traits = --traits PostgreSQL

swift_sources = $(wildcard Package.swift Sources Tests Examples Benchmarks/query-cache/Package.swift Benchmarks/query-cache/Sources)

.PHONY: run run-postgres test test-tsan lint format bench bench-query faults bench-entities bench-redis bench-sync soak conformance contract docs clean help

run: ## Start the demo on http://127.0.0.1:8080 (PORT=…, DB=file keeps its data)
	@scripts/setup run
	@if [ -t 1 ]; then quiet=; else quiet=--quiet; fi; swift build $(traits) $$quiet --product bistro
	@exec "$$(swift build $(traits) --show-bin-path)/bistro" --port '$(PORT)' $(if $(DB),--database '$(DB)')

run-postgres: ## Start the demo on a PostgreSQL of its own (DATA=folder keeps its data)
	@scripts/setup postgres
	@if [ -t 1 ]; then quiet=; else quiet=--quiet; fi; swift build $(traits) $$quiet --product bistro
	@exec scripts/with-postgres '$(DATA)' "$$(swift build $(traits) --show-bin-path)/bistro" --port '$(PORT)' --postgres '{postgres}'

# Where everything starts at once, what waits for something waits too long.
width = $(shell swift test --help-hidden 2>/dev/null | grep -q experimental-maximum-parallelization-width && echo --experimental-maximum-parallelization-width 16)

# What has to do with other processes, holds others to seconds, or keeps all cores busy, runs by itself.
apart = IntegrationTests|TidingsRedisTests

test: ## Run all tests (FILTER=name runs the Swift tests that match)
	@scripts/setup test
	@swift test $(traits) $(width) --disable-xctest $(if $(FILTER),--filter '$(FILTER)',--skip '$(apart)')
	@$(if $(FILTER),:,swift test $(traits) $(width) --skip-build --disable-xctest --filter IntegrationTests --skip SyncWalkTests)
	@$(if $(FILTER),:,swift test $(traits) $(width) --skip-build --disable-xctest --filter TidingsRedisTests)
	@$(if $(FILTER),:,swift test $(traits) --skip-build --disable-xctest --filter SyncWalkTests)
	@$(if $(FILTER),:,scripts/test-web)

test-tsan: ## Run the tests of the query cache under the thread sanitizer
	@scripts/setup test
	@scripts/test-tsan

lint: ## Check imports, formatting, links and the scripts themselves
	@scripts/setup lint
	@scripts/test-scripts
	@scripts/check-imports
	@scripts/check-docs
	@scripts/check-snippets
	@swift format lint --strict --recursive --parallel $(swift_sources)

format: ## Format all Swift sources in place
	@scripts/setup lint
	@swift format format --in-place --recursive --parallel $(swift_sources)

bench: ## Run the benchmarks
	@if [ -x Benchmarks/run ]; then Benchmarks/run; else echo "There are no benchmarks yet."; fi

bench-query: ## Run the benchmarks of the query cache
	@Benchmarks/query-cache/run

faults: ## Run the fault tests with more of everything
	@scripts/setup run
	@FAULTS=full swift test $(traits) --disable-xctest --filter FaultTests

conformance: ## Run the Autobahn suite (SUITE=folder that has it built)
	@scripts/setup run
	@scripts/conformance '$(SUITE)'

contract: ## Hold the demo to its OpenAPI description
	@scripts/setup test
	@scripts/contract

bench-entities: ## Measure the way from a commit to a client, and changes a second, on both databases
	@scripts/setup postgres
	@Benchmarks/entities

bench-sync: ## Measure how long a change takes to the screens that show it
	@scripts/setup run
	@Benchmarks/sync/run

soak: ## Walk with three clients and a server that fails, a thousand times (WALKS=…)
	@scripts/setup test
	@SYNC_WALKS='$(WALKS)' swift test $(traits) --disable-xctest --filter SyncWalkTests

bench-redis: ## Measure two nodes on a Redis beside one without
	@scripts/setup test
	@Benchmarks/redis

docs: ## Check the documentation: links, headings, index of decisions
	@scripts/setup lint
	@scripts/check-docs

clean: ## Remove what was built (fetched dependencies stay)
	@swift package clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'
