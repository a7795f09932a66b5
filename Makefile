# The targets are explained in README.md.

GO       ?= go
CONFIG   ?= /etc/postfix
FUZZTIME ?= 60s
SOAKTIME ?= 10m

# The version comes from git, where git can tell it; see scached/version.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X scache/scached/version.version=$(VERSION)

build:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags='$(LDFLAGS)' -o bin/ ./cmd/scached ./cmd/scachectl

# Postfix is what everything is compared with. SKIP_POSTFIX=1: do not install it.
postfix:
	@if test -z "$(SKIP_POSTFIX)" && ! command -v postconf >/dev/null && ! test -x /usr/sbin/postconf; then \
		scripts/install-packages postfix; fi

# The race detector needs a C compiler.
cc:
	@command -v gcc >/dev/null || scripts/install-packages gcc libc6-dev

# Manual pages are checked with mandoc.
mandoc:
	@command -v mandoc >/dev/null || scripts/install-packages mandoc

run: build
	@$(MAKE) -s postfix || echo "Postfix cannot be had here"
	@bin/scachectl run

install: build
	bin/scachectl install --config $(CONFIG) --scached bin/scached

uninstall: build
	bin/scachectl uninstall --config $(CONFIG)

# What starts a Postfix, or is compared with the reference in real time, is tested
# one package at a time. cgo is only for the race detector.
ALONE  = -e ^scache/compat -e ^scache/scached/install
GOTEST = CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 15m
test: build postfix cc mandoc
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GOTEST) $$($(GO) list ./... | grep -v $(ALONE))
	$(GOTEST) -p 1 $$($(GO) list ./... | grep $(ALONE))

# Every fuzz target for FUZZTIME.
fuzz: postfix
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "$$p $$f"; \
			$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

# For benchstat: COUNT runs of each.
COUNT ?= 10
bench:
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) ./attrproto ./scached/cache ./scached/protocol

# Our own scenarios on the reference, over the wire.
refs: build postfix
	bin/scachectl refs

# Long runs: churn, random scenarios, mail while the daemon is killed.
soak: build postfix
	bin/scachectl soak --duration $(SOAKTIME)
	$(GO) test ./compat/diff -run TestRandomScenario -soak $(SOAKTIME) -timeout 0 -v

.PHONY: build postfix cc mandoc run install uninstall test fuzz bench refs soak
