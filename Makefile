# Everything a developer does here, one target each. "make" lists them.

VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 10s
GO          ?= go
IMAGE       ?= tocsin:$(VERSION)

GOBUILD = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.release=$(VERSION)'

.DEFAULT_GOAL := help
.PHONY: help build demo test lint fmt-check vet staticcheck tidy-check servers race faults bench soak microbench fuzz cover docker clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/tocsin and bin/tocsin-tool
	$(GOBUILD) -o bin/tocsin ./cmd/tocsin
	$(GOBUILD) -o bin/tocsin-tool ./cmd/tocsin-tool

demo: ## run daemon, storage, sample rules and receiver in one process
	$(GOBUILD) -o bin/tocsin-tool ./cmd/tocsin-tool
	./bin/tocsin-tool demo

test: servers lint race ## check and test everything; installs the servers it needs (Debian, as root)

lint: fmt-check vet staticcheck tidy-check ## check format, vet, staticcheck and go.mod

fmt-check:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted (gofmt -w):" >&2; echo "$$unformatted" >&2; exit 1; fi

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) run $(STATICCHECK) ./...

tidy-check: ## show what go mod tidy would change
	$(GO) mod tidy -diff

servers: ## install the servers and tools that tests need, or print how
	@.ci/install-servers

race: ## run all tests under the race detector, checking nothing else
	$(GO) test -race -timeout 10m ./...

faults: servers ## let faults befall the daemon for minutes and print what is lost (FAULTS="-seed 2 -v")
	$(GO) run ./internal/faults $(FAULTS)

bench: servers ## compare CPU, memory and time of the whole daemon with vmalert
	$(GO) run ./internal/bench

soak: servers ## reload under load for minutes: nothing may leak, and cost little beside vmalert
	$(GO) run ./internal/soak

microbench: ## run the Go benchmarks of the hot paths
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

cover: ## write coverage of all packages by all tests to cover.out and show the sum
	$(GO) test -coverpkg ./... -coverprofile cover.out ./...
	$(GO) tool cover -func cover.out | tail -n 1

docker: ## build the container image
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) .

clean: ## remove what was built
	rm -rf bin cover.out
