# The targets are explained in README.md.

GO       ?= go
CONFIG   ?= /etc/postfix
FUZZTIME ?= 60s
SOAKTIME ?= 10m

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/scached ./cmd/scachectl

# Postfix is what everything is compared with. SKIP_POSTFIX=1: do not install it.
postfix:
	@if test -z "$(SKIP_POSTFIX)" && ! command -v postconf >/dev/null && ! test -x /usr/sbin/postconf; then \
		scripts/install-postfix; fi

run: build
	@$(MAKE) -s postfix || echo "Postfix cannot be had here"
	@bin/scachectl run

install: build
	bin/scachectl install -config $(CONFIG) -scached bin/scached

uninstall: build
	bin/scachectl uninstall -config $(CONFIG)

# cgo only for the race detector of the tests.
test: build postfix
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 18m ./...

.PHONY: build postfix run install uninstall test
