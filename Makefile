# Everything a developer or CI runs. On a fresh machine `make demo` and `make test` install what they need.

GOLANGCI_LINT := v2.15.0
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)

.PHONY: build demo client test check lint race bench soak mutants generate ui-assets clean

build: ## one static binary, ./tmh
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o tmh ./cmd/tmh

demo: build ## a whole federation on this machine
	./tmh demo

client: ## a client in Go, made by an outside tool of docs/openapi.json
	cd node/api/client && go generate ./... && go vet ./...

test: client ## everything that CI runs
	@.ci/tools
	go vet ./...
	go test -timeout 12m ./...
# -count 1: the cache of results does not look at what that test builds
	cd node/api/client && go test -count 1 -timeout 3m ./...

check: lint client ## before every commit
	go vet ./...
	go generate ./...
	@git diff --exit-code --stat -- '*testdata*' configs docs || { echo 'generated files differ: commit them'; exit 1; }
	go test -short -timeout 5m ./...
	cd node/match/peer && go vet ./... && go test -short ./...

race: ## short tests under the race detector; the simulation is too slow for it
	CGO_ENABLED=1 go test -race -short -timeout 20m $$(go list ./... | grep -v -e /node/sim -e /cmd/)

lint: .bin/golangci-lint-$(GOLANGCI_LINT)
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'not gofmt-ed'; exit 1; }
	.bin/golangci-lint-$(GOLANGCI_LINT) run ./...

.bin/golangci-lint-$(GOLANGCI_LINT):
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	mv .bin/golangci-lint $@

bench: build ## benchstat-ready micro-benchmarks, and the tables of tmh bench
	go test -run '^$$' -bench . -benchmem -count $${COUNT:-1} ./...
	./tmh bench import
	./tmh bench replica
	./tmh bench match --peer
	./tmh bench house --quick --listings 10000
	./tmh bench intake
	GOBIN=$(CURDIR)/.bin go install github.com/tsenart/vegeta/v12@v12.13.0
	./tmh bench doors --vegeta .bin/vegeta

soak: build ## what takes long: large simulations, random walks, kill loops, fuzzing, 10^6 summaries
	@.ci/tools
	TMH_SOAK=1 go test -timeout 4h -v -run Soak ./node/sim
	TMH_SOAK=1 go test -timeout 2h -v -run SoakWalks ./protocol/replica ./store
	go test -timeout 1h -count 10 -v -run 'TestKilled|TestKillDuringImport' ./cmd/tmh ./store
	TMH_SOAK=1 go test -timeout 2h -v -run SoakKillLoop ./cmd/tmh
	go test -timeout 1h -count 5 -v -run Namespaces ./cmd/tmh
	.ci/fuzz $${FUZZTIME:-2m}
	./tmh bench import --listings 1000000
	./tmh bench replica --listings 1000000
	./tmh bench import --listings 1000000 --no-index
	for n in 10000 100000 1000000; do ./tmh bench replica --listings $$n --no-index || exit 1; done
	for n in 10000 1000000; do ./tmh bench match --listings $$n || exit 1; done

mutants: ## take out one defence after another: the scenario that it is for must fail
	@.ci/tools
	TMH_MUTANTS=1 go test -v -timeout 1h -run 'TestMutants$$' ./node/sim

generate: ## the conformance corpus, and tables in docs
	go generate ./...

# The one target that needs node. Its packages lie outside ui/assets: what is there is built into the binary.
ui-assets: ## theme, script, fonts and map of the pages, in ui/static: the same bytes on every machine
	rm -rf .bin/ui-assets && mkdir -p .bin && cp -R ui/assets .bin/ui-assets
	cd .bin/ui-assets && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs ../../ui/static

clean:
	rm -rf tmh .bin
