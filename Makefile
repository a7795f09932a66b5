# The targets are explained in README.md.

GO       ?= go
CONFIG   ?= /etc/postfix
FUZZTIME ?= 60s
SOAKTIME ?= 10m
SEEDS    ?= 100000

# The version comes from git, where git can tell it; see scached/version.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X scache/scached/version.version=$(VERSION)

# For packagers. DESTDIR: below which files are put. DAEMONDIR: where scached
# goes; Postfix's daemon_directory, or beside scachectl, from where "scachectl
# install" copies it.
PREFIX    ?= /usr/local
SBINDIR   ?= $(PREFIX)/sbin
DAEMONDIR ?= $(SBINDIR)
MANDIR    ?= $(PREFIX)/share/man
UNITDIR   ?= $(PREFIX)/lib/systemd/system

# The date of everything that is made, so that it is made the same again.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)

# Where everything is built.
BIN ?= bin

build:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags='$(LDFLAGS)' -o $(BIN)/ ./cmd/scached ./cmd/scachectl ./cmd/scachetap

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

# A real Prometheus scrapes, and promtool tests the alert rules.
prometheus:
	@command -v promtool >/dev/null || scripts/install-packages prometheus

run: build
	@$(MAKE) -s postfix || echo "Postfix cannot be had here"
	@$(BIN)/scachectl run

# With DESTDIR no Postfix is touched, as packagers expect.
ifdef DESTDIR
install: install-files
else
install: build
	$(BIN)/scachectl install --config $(CONFIG) --scached $(BIN)/scached
endif

uninstall: build
	$(BIN)/scachectl uninstall --config $(CONFIG)

# What starts a Postfix, or is compared with the reference in real time, is tested
# one package at a time. cgo is only for the race detector.
ALONE  = -e ^scache/compat -e ^scache/scached/install
GOTEST = CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 6m
test: build postfix cc mandoc prometheus
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GOTEST) $$($(GO) list ./... | grep -v $(ALONE))
	$(GOTEST) -p 1 $$($(GO) list ./... | grep $(ALONE))

# Manual pages, completions, a sample of scached.cf.
doc: build
	$(BIN)/scachectl generate $(BIN)/doc

# BINARIES: where the programs are that are put into place.
BINARIES ?= $(BIN)
install-files: doc
	install -d -m 755 $(DESTDIR)$(SBINDIR) $(DESTDIR)$(DAEMONDIR)
	install -m 755 $(BINARIES)/scachectl $(DESTDIR)$(SBINDIR)/scachectl
	install -m 755 $(BINARIES)/scached $(DESTDIR)$(DAEMONDIR)/scached
	install -m 755 $(BINARIES)/scachetap $(DESTDIR)$(DAEMONDIR)/scachetap
	cd $(BIN)/doc/man && for page in */*; do \
		install -D -m 644 $$page $(abspath $(DESTDIR))$(MANDIR)/$$page; done
	cd $(BIN)/doc/completion && \
		install -D -m 644 scachectl.bash $(abspath $(DESTDIR))$(PREFIX)/share/bash-completion/completions/scachectl && \
		install -D -m 644 _scachectl $(abspath $(DESTDIR))$(PREFIX)/share/zsh/vendor-completions/_scachectl && \
		install -D -m 644 scachectl.fish $(abspath $(DESTDIR))$(PREFIX)/share/fish/vendor_completions.d/scachectl.fish
	install -D -m 644 $(BIN)/doc/scached.cf $(DESTDIR)$(PREFIX)/share/doc/scached/scached.cf
	install -D -m 644 scached/exporter/alerts.yml $(DESTDIR)$(PREFIX)/share/doc/scached/alerts.yml
	install -d -m 755 $(DESTDIR)$(UNITDIR)
	sed 's|@SBINDIR@|$(SBINDIR)|' scripts/package/scached-exporter.service >$(DESTDIR)$(UNITDIR)/scached-exporter.service
	chmod 644 $(DESTDIR)$(UNITDIR)/scached-exporter.service

# What is built for others goes here.
DIST      ?= $(BIN)/dist
ARCHES     = amd64 arm64
ARCH      ?= $(shell $(GO) env GOARCH)
# Debian wants a version that begins with a digit, and that rises.
DEBVERSION = $(patsubst v%,%,$(if $(filter v%,$(VERSION)),$(subst -,+,$(VERSION)),0.$(SOURCE_DATE_EPOCH)+$(subst -,.,$(VERSION))))

programs-%:
	CGO_ENABLED=0 GOARCH=$* $(GO) build -trimpath -buildvcs=false -ldflags='$(LDFLAGS)' -o $(BIN)/$*/ ./cmd/scached ./cmd/scachectl ./cmd/scachetap

deb: programs-$(ARCH)
	rm -rf $(BIN)/stage && mkdir -p $(DIST)
	$(MAKE) -s install-files BINARIES=$(BIN)/$(ARCH) DESTDIR=$(BIN)/stage PREFIX=/usr DAEMONDIR=/usr/lib/postfix/sbin
	cd scripts/package && ARCH=$(ARCH) DEBVERSION='$(DEBVERSION)' STAGE=$(abspath $(BIN)/stage) CF=$(abspath $(BIN)/doc/scached.cf) \
		$(GO) tool nfpm package --config nfpm.yaml --packager deb --target $(abspath $(DIST))/scached_$(DEBVERSION)_$(ARCH).deb

dist: doc $(ARCHES:%=archive-%)

archive-%: programs-% doc
	rm -rf $(BIN)/archive-$*
	install -d -m 755 $(BIN)/archive-$*/scached-$(VERSION) $(DIST)
	install -m 755 $(BIN)/$*/scached $(BIN)/$*/scachectl $(BIN)/$*/scachetap $(BIN)/archive-$*/scached-$(VERSION)
	cp -R $(BIN)/doc/man $(BIN)/doc/completion $(BIN)/doc/scached.cf README.md $(BIN)/archive-$*/scached-$(VERSION)
	tar -C $(BIN)/archive-$* --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s \
		--mtime=@$(SOURCE_DATE_EPOCH) -cf - scached-$(VERSION) | gzip -9n >$(DIST)/scached-$(VERSION)-linux-$*.tar.gz

# The conformance page, of the results in testdata/conformance.
conformance: build
	$(BIN)/scachectl conformance

# The same results anew, but for the random transcripts and the seeds, which take
# hours; see README.md.
results: build postfix
	$(BIN)/scachectl diff --result testdata/conformance/transcripts.json
	$(BIN)/scachectl diff --result testdata/conformance/recordings.json testdata/recordings/*.recording
	$(BIN)/scachectl torture --result testdata/conformance/attacks.json
	$(MUTANTS) ./compat/simulate -mutants $(abspath testdata/conformance/mutants-simulated.json)
	$(MUTANTS) ./compat/diff -mutants $(abspath testdata/conformance/mutants.json)

# Mistakes made in the daemon on purpose, and what finds them.
MUTANTS = $(GO) test -ldflags='$(LDFLAGS)' -count=1 -run '^TestMutants$$'

# Every fuzz target for FUZZTIME, one after the other. With RESULT=FILE what came of
# it is written there, for the conformance page.
fuzz: build postfix
	$(BIN)/scachectl fuzz --time $(FUZZTIME) $(if $(RESULT),--result $(RESULT))

# For benchstat: COUNT runs of each.
COUNT ?= 10
bench:
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) ./attrproto ./scached/cache ./scached/protocol

# Our own scenarios on the reference, over the wire.
refs: build postfix
	$(BIN)/scachectl refs

# Long runs: churn, random scenarios, mail while the daemon is killed.
soak: build postfix
	$(BIN)/scachectl soak --duration $(SOAKTIME)
	$(GO) test ./compat/diff -run TestRandomScenario -soak $(SOAKTIME) -timeout 0 -v

# The event loop in a kernel that is made up: SEEDS lives, from FIRST on. RESULT as
# for fuzz.
FIRST ?= 0
simulate: build
	GOGC=400 $(BIN)/scachectl simulate --first $(FIRST) --seeds $(SEEDS) $(if $(RESULT),--result $(RESULT))

.PHONY: simulate build postfix cc mandoc prometheus run install uninstall test fuzz bench refs soak doc install-files deb dist
