# Manifold's chores. `make` alone lists them.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0

FUZZTIME ?= 30s
SOAKTIME ?= 30m
KILLS    ?= 5
ARGS     ?=

.DEFAULT_GOAL := help
.PHONY: help build run test check lint fuzz bench bench-peers bench-edge interop interop-dispatch deploy-check soak clean
.PHONY: format vet staticcheck vulnerabilities floors race

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/manifold
	go build -trimpath -o bin/manifold ./cmd/manifold

run: ## run a gateway with the quickstart's configuration; ARGS="--port-offset 100" adds flags
	go run ./cmd/manifold run $(ARGS)

test: ## run all tests that need no foreign program
	go test -timeout 20m ./...

check: format vet staticcheck vulnerabilities floors race ## everything that a change has to pass

lint: format vet staticcheck floors ## what reads the code without running it

format:
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi

vet:
	go vet ./...
	go vet -tags interop ./...

staticcheck:
	go run $(STATICCHECK) ./...

# The database is not in reach from everywhere. Then this says so and goes on; findings fail.
vulnerabilities:
	@report=$$(go run $(GOVULNCHECK) ./... 2>&1); code=$$?; echo "$$report"; \
	if echo "$$report" | grep -q '^govulncheck: fetching vulnerabilities:'; then \
	  echo 'NOT CHECKED: the vulnerability database vuln.go.dev could not be reached'; exit 0; fi; \
	exit $$code

floors:
	go test -run 'Floor|Pure|StandardLibrary' ./gateway

race:
	go test -race -shuffle=on -timeout 20m ./...

fuzz: ## run every fuzz test for FUZZTIME (30s)
	@set -e; for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package; \
	  done; done

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

bench-peers: ## measure Manifold beside other servers; see deploy/bench
	go run ./deploy/bench

bench-edge: ## connect 20,000 clients to an edge router; fails when the next router has more than one connection or too much memory for that
	go run ./deploy/bench -runs 1 -scenarios edge-clients

interop: ## try clients that this project did not write: mosquitto, Paho, MQTT.js, curl, Proton, rhea, Qpid JMS, go-amqp, stomp.py, stompjs, stompit, Spring, go-stomp, h2load, h2spec, schemathesis, Chromium, CloudEvents, libcoap, aiocoap, node-coap, Californium, qdstat, qdmanage, Artemis
	mkdir -p bin
	go test -tags interop -count 1 -timeout 60m -artifacts -outputdir $(CURDIR)/bin -skip TestQpidSystemTests ./gateway/interop
	go test -tags interop -count 1 -run Mosquitto ./gateway
	go test -tags interop -count 1 -run OpenSSL ./adapters/coap/internal/dtls
	$(MAKE) interop-dispatch
	$(MAKE) deploy-check

interop-dispatch: ## run the system tests of Qpid Dispatch Router against this binary: as many pass as docs/network.md says
	go test -tags interop -count 1 -timeout 150m -v -run TestQpidSystemTests ./gateway/interop

deploy-check: ## try the unit, chart, compose file, rules and dashboard of deploy with systemd, Helm, Compose and Prometheus
	go -C deploy/check test -count 1 ./...

soak: ## kill a gateway under all protocols KILLS (5) times a minute for SOAKTIME (30m), and look for loss; cut the wires of a network 200 times, likewise
	MANIFOLD_SOAK=$(SOAKTIME) MANIFOLD_KILLS=$(KILLS) go test -tags interop -count 1 -timeout 0 -v ./gateway/interop/soak
	MANIFOLD_SOAK=5m MANIFOLD_STORM=100000 go test -tags interop -count 1 -timeout 0 -v -run Soak ./gateway/interop
	MANIFOLD_CRASHES=200 go test -count 1 -timeout 0 -v -run Kill ./cmd/manifold
	MANIFOLD_CUTS=200 go test -count 1 -timeout 0 -v ./gateway/chaos

clean: ## remove what was built
	rm -rf bin
