# make demo      installs missing packages, builds, and aligns the shipped model with its principles
# make test      installs missing packages, builds, and runs every test
# make install   builds and copies sami and its model below PREFIX
# make paper     runs the paper's experiments in kind: hours; it goes on where it was
# make bench     builds and runs the benchmarks
# make faults    injects faults for hours: kills, full disks, flipped bits, fuzzing; docs/FAULTS.md
# make sanitize  runs numeric and storage tests under the address and the thread sanitizer
# make format    formats the sources; make lint lists lines that are not formatted

PREFIX ?= /usr/local
# One set of flags, so that tests and program share one build. Numbers are slow without -c release.
FLAGS = -c release -Xswiftc -enable-testing
# An import that a target does not declare in Package.swift is an error.
FLAGS += --explicit-target-dependency-import-check error
SOURCES = Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

.PHONY: build demo test paper install uninstall bench faults sanitize format lint clean packages

build: packages
	swift build $(FLAGS) --product sami
	! pkg-config --exists ompi-c || swift build $(FLAGS) --product sami-rank

demo: build
	.build/release/sami --ephemeral run --echo sessions/first-alignment.sami

test: packages lint
	scripts/jupyter-environment
	swift build $(FLAGS) --build-tests
	scripts/test $(FLAGS) --skip-build

packages:
	@scripts/install-packages

# The installed program is built apart: without test hooks, with numeric code for ARCH, and with Swift's libraries inside, so that
# it starts sooner and runs where no Swift is. The default runs on x86-64 processors with AVX2 and FMA (2013 and later);
# ARCH=native is faster and runs on this kind only.
ARCH ?= x86-64-v3
INSTALL_BUILD = .build-install
INSTALLED = $(INSTALL_BUILD)/release/sami
SHARE = $(DESTDIR)$(PREFIX)/share

install: packages
	SAMI_ARCH=$(ARCH) SAMI_OPTIMIZE=all swift build -c release --static-swift-stdlib \
		--product sami --scratch-path $(INSTALL_BUILD)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(SHARE)/sami/models/tiny" "$(SHARE)/sami/sessions" \
		"$(SHARE)/sami/notebooks"
	install -s -m 755 $(INSTALLED) "$(DESTDIR)$(PREFIX)/bin/sami"
	if pkg-config --exists ompi-c; then \
		SAMI_ARCH=$(ARCH) SAMI_OPTIMIZE=all swift build -c release --static-swift-stdlib \
			--product sami-rank --scratch-path $(INSTALL_BUILD) && \
		install -s -m 755 $(INSTALL_BUILD)/release/sami-rank "$(DESTDIR)$(PREFIX)/bin/sami-rank"; \
	fi
	install -m 644 models/tiny/* "$(SHARE)/sami/models/tiny/"
	install -m 644 sessions/*.sami sessions/*.jsonl "$(SHARE)/sami/sessions/"
	install -m 644 notebooks/* "$(SHARE)/sami/notebooks/"
	install -d "$(SHARE)/man/man1" "$(SHARE)/bash-completion/completions" \
		"$(SHARE)/zsh/site-functions" "$(SHARE)/fish/vendor_completions.d"
	$(INSTALLED) manual-page >"$(SHARE)/man/man1/sami.1"
	$(INSTALLED) --generate-completion-script bash >"$(SHARE)/bash-completion/completions/sami"
	$(INSTALLED) --generate-completion-script zsh >"$(SHARE)/zsh/site-functions/_sami"
	$(INSTALLED) --generate-completion-script fish >"$(SHARE)/fish/vendor_completions.d/sami.fish"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/sami" "$(DESTDIR)$(PREFIX)/bin/sami-rank" \
		"$(SHARE)/man/man1/sami.1" \
		"$(SHARE)/bash-completion/completions/sami" "$(SHARE)/zsh/site-functions/_sami" \
		"$(SHARE)/fish/vendor_completions.d/sami.fish"
	rm -rf "$(SHARE)/sami"

paper: build
	scripts/paper

bench: packages
	SAMI_OPTIMIZE=all swift build -c release --package-path Benchmarks
	Benchmarks/run

FAULTS = .build/release/sami-faults
# If this Python exists, its h5py reads the workspace during `make faults`.
PYTHON ?= $(wildcard .venv/bin/python)

faults: packages
	swift build $(FLAGS) --product sami
	! pkg-config --exists ompi-c || swift build $(FLAGS) --product sami-rank
	swift build $(FLAGS) --product sami-faults
	$(FAULTS) share
	$(FAULTS) read $(if $(PYTHON),--python $(PYTHON))
	$(FAULTS) damage
	$(FAULTS) disk
	$(FAULTS) interrupt
	$(FAULTS) open
	$(FAULTS) kill
	! pkg-config --exists ompi-c || $(FAULTS) ranks
	$(FAULTS) fuzz
	$(FAULTS) soak

sanitize: packages
	scripts/sanitize

format:
	swift format --in-place --parallel --recursive $(SOURCES)

lint:
	swift format lint --strict --parallel --recursive $(SOURCES)
	@scripts/lint

clean:
	rm -rf .build $(INSTALL_BUILD) Benchmarks/.build
