# Rocker. All this only calls cargo and the scripts in ci/; `make help` says what there is. TARGET=<triple> does it for another
# machine (ci/cross/README.md).
PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
# Where cargo puts things; honours CARGO_TARGET_DIR.
OUT := $(or $(CARGO_TARGET_DIR),target)
HOST := $(OUT)/host
ifdef TARGET
# The triple as rustc knows it: the vendor may be left out.
TRIPLE := $(shell ci/cross/triple $(TARGET))
endif
TINY := $(OUT)$(if $(TRIPLE),/$(TRIPLE))/tiny

WEAK := $(OUT)/weakened/tiny
SMALL := $(OUT)/small/tiny

.PHONY: all release device library pack demo tiny small weakened test check bench install uninstall clean help setup

all: release

release: device library pack

ifdef TARGET
device small library:
	ci/cross/build $@ $(TARGET)

demo: library
	ci/cross/build $@ $(TARGET)

tiny: ## with TARGET: the programs with a library of Rust's that is built for size too
	ci/cross/tiny $(TARGET)

pack:
	$(CARGO) build --locked --profile host -p rocker-pack

test: release demo
	ci/cross/test $(TARGET)

bench: release
	ci/cross/bench $(TARGET)
else
device: ## rocker-master and rocker: static, without libc
	$(CARGO) build --locked --profile tiny -p rocker-master -p rocker-cli \
		--features rocker-master/freestanding,rocker-cli/freestanding

library: ## librocker_ffi.a and librocker_ffi.so
	$(CARGO) build --locked --profile tiny -p rocker-ffi

pack: ## rocker-pack, for the host
	$(CARGO) build --locked --profile host -p rocker-pack

demo: release ## packs a real program, runs it in a sandbox, shows what it sees (root)
	ci/demo.sh $(OUT)

setup: ## installs what the tests need from Debian's packages (root)
	ci/setup.sh

# Limits that a machine of one's own never comes near are twice as long here, for a machine that others use too.
test: release setup small weakened ## every test (root)
	ROCKER_TEST_PATIENCE=$${ROCKER_TEST_PATIENCE:-2} \
		ROCKER_MUST_RUN=1 ROCKER_BIN_DIR=$(abspath $(TINY)) ROCKER_WEAK_BIN_DIR=$(abspath $(WEAK)) \
		ROCKER_SMALL_BIN_DIR=$(abspath $(SMALL)) \
		$(CARGO) test --locked --workspace --no-fail-fast

small: ## rocker-master without what can be left out
	$(CARGO) build --locked --profile tiny -p rocker-master --no-default-features --features freestanding \
		--target-dir $(OUT)/small

# A master that can be told to do without a defence: the attack suite shows with it that its tests can fail.
weakened:
	$(CARGO) build --locked --profile tiny -p rocker-master --features rocker-master/freestanding,rocker-master/weakened \
		--target-dir $(OUT)/weakened

bench: release setup ## every bench (root)
	ROCKER_BIN_DIR=$(abspath $(TINY)) $(CARGO) bench --locked -p bench
endif

check: ## format, lints, documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked -p rocker-master --features weakened -- -D warnings
	$(CARGO) clippy --locked -p rocker-master --no-default-features --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' $(CARGO) doc --locked --workspace --no-deps --document-private-items

install: release ## installs below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include \
		$(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/share/rocker
	install -m 644 rocker-master/rocker.conf.example $(DESTDIR)$(PREFIX)/share/rocker/
	sed 's|@prefix@|$(PREFIX)|' rocker-master/rocker-master.service > $(DESTDIR)$(PREFIX)/share/rocker/rocker-master.service
	install -m 755 $(TINY)/rocker-master $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(TINY)/rocker $(HOST)/rocker-pack $(DESTDIR)$(PREFIX)/bin/
	install -m 644 include/lib.h include/err_no.h include/rocker_ext.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 $(TINY)/librocker_ffi.a $(DESTDIR)$(PREFIX)/lib/
	install -m 755 $(TINY)/librocker_ffi.so $(DESTDIR)$(PREFIX)/lib/librocker_ffi.so.1
	ln -sf librocker_ffi.so.1 $(DESTDIR)$(PREFIX)/lib/librocker_ffi.so
	sed 's|@prefix@|$(PREFIX)|' rocker-ffi/rocker.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/rocker.pc

uninstall: ## removes what install put there
	cd $(DESTDIR)$(PREFIX) && rm -f sbin/rocker-master bin/rocker bin/rocker-pack include/lib.h include/err_no.h \
		include/rocker_ext.h lib/librocker_ffi.a lib/librocker_ffi.so lib/librocker_ffi.so.1 lib/pkgconfig/rocker.pc \
		share/rocker/rocker.conf.example share/rocker/rocker-master.service

clean: ## removes what was built
	$(CARGO) clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12
