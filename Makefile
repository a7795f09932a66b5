# The targets are explained in README.md.

GO      ?= go
CONFIG  ?= /etc/postfix
FUZZTIME ?= 60s
export CGO_ENABLED = 0

build:
	$(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/scached ./cmd/scachectl

# Postfix is what everything is compared with; SKIP_POSTFIX=1 leaves it out.
postfix:
	@test -n "$(SKIP_POSTFIX)" || test -x /usr/lib/postfix/sbin/scache || scripts/install-postfix

run: build postfix
	bin/scachectl run

test: build postfix
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 19m ./...

.PHONY: build postfix run test
