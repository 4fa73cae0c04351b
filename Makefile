# Each target is a script or one command. `make run` and `make test` need nothing but Swift 6.3 and apt.

MESHD = .build/static/release/meshd
STATIC_BUILD = swift build -c release -Xswiftc -static-executable --scratch-path .build/static
SWIFT_FILES = Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Benchmarks Benchmarks/Reference \
  Fuzz/Package.swift Fuzz/Sources
SECONDS = 10
SEEDS = 0-299

.PHONY: run test test-slow unit integration simulate bench format lint static emulator crowd fuzz docs clean

run: static
	scripts/run-demo $(MESHD)

test: unit integration

test-slow: emulator crowd
	SLOW=1 Tests/Integration/run $(MESHD)

unit:
	scripts/dependencies build
	swift test --parallel

integration: emulator
	Tests/Integration/run $(MESHD)

bench: static
	Benchmarks/throughput/run --ours '$(CURDIR)/$(MESHD) wg -f {if}'
	scripts/check-benchmarks

format:
	swift format --in-place --parallel --recursive $(SWIFT_FILES)

lint:
	swift format lint --strict --parallel --recursive $(SWIFT_FILES)
	scripts/check-imports

static:
	scripts/dependencies build
	$(STATIC_BUILD) --product meshd

emulator: static
	$(STATIC_BUILD) --product link-emulator

crowd: static
	$(STATIC_BUILD) --product crowd

simulate:
	scripts/dependencies build
	$(STATIC_BUILD) --product simulate
	.build/static/release/simulate $(SEEDS)

fuzz:
	scripts/fuzz $(SECONDS)

docs:
	scripts/docs

clean:
	rm -rf .build Benchmarks/.build Fuzz/.build
