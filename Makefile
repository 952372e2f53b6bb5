# make demo      installs missing packages, builds, and aligns the shipped model with its principles
# make test      installs missing packages, builds, and runs every test
# make install   builds and copies sami and its model below PREFIX
# make bench     builds and runs the benchmarks
# make faults    injects faults for hours: kills, full disks, flipped bits, fuzzing; docs/FAULTS.md
# make sanitize  runs numeric and storage tests under the address and the thread sanitizer
# make format    formats the sources; make lint lists lines that are not formatted

PREFIX ?= /usr/local
# One set of flags, so that tests and program share one build. Numbers are slow without -c release.
FLAGS = -c release -Xswiftc -enable-testing
SOURCES = Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

.PHONY: build demo test install uninstall bench faults sanitize format lint clean packages

build: packages
	swift build $(FLAGS) --product sami

demo: build
	.build/release/sami --ephemeral run sessions/first-alignment.sami

test: packages lint
	swift build $(FLAGS) --build-tests
	scripts/test $(FLAGS) --skip-build

packages:
	@scripts/install-packages

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/sami/models/tiny"
	install -m 755 .build/release/sami "$(DESTDIR)$(PREFIX)/bin/sami"
	install -m 644 models/tiny/* "$(DESTDIR)$(PREFIX)/share/sami/models/tiny/"
	install -d "$(DESTDIR)$(PREFIX)/share/sami/sessions"
	install -m 644 sessions/*.sami "$(DESTDIR)$(PREFIX)/share/sami/sessions/"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/sami"
	rm -rf "$(DESTDIR)$(PREFIX)/share/sami"

bench: packages
	swift build -c release --package-path Benchmarks
	Benchmarks/run

FAULTS = .build/release/sami-faults
# If this Python exists, its h5py reads the workspace during `make faults`.
PYTHON ?= $(wildcard .venv/bin/python)

faults: packages
	swift build $(FLAGS) --product sami
	swift build $(FLAGS) --product sami-faults
	$(FAULTS) share
	$(FAULTS) read $(if $(PYTHON),--python $(PYTHON))
	$(FAULTS) damage
	$(FAULTS) disk
	$(FAULTS) interrupt
	$(FAULTS) open
	$(FAULTS) kill
	$(FAULTS) fuzz
	$(FAULTS) soak

sanitize: packages
	scripts/sanitize

format:
	swift format --in-place --parallel --recursive $(SOURCES)

lint:
	swift format lint --strict --parallel --recursive $(SOURCES)

clean:
	rm -rf .build Benchmarks/.build
