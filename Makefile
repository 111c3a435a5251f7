# make            builds build/farthing
# make demo       installs what is missing, deploys Bella, replays a month of calls, shows what it costs
# make test       all tests; make unit, make wire, ... for one kind (see test/run)
# make B=build/asan SANITIZE=address,undefined unit      the same with sanitizers
.DEFAULT_GOAL := all
# AWS's own clients, where tools/aws-clients had to fetch them.
ifneq ($(wildcard build/aws/bin/aws),)
export PATH := $(CURDIR)/build/aws/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/build/aws/python
endif
B ?= build
CC := $(if $(shell command -v ccache 2>/dev/null),ccache ,)$(or $(FARTHING_CC),gcc)
OPTIMISE ?= -O2
SANITIZE ?=
WARN := -Wall -Wextra -Wconversion -Wno-sign-conversion -Wno-unused-parameter -Wshadow -Wstrict-prototypes -Wvla -Werror
CFLAGS := -std=gnu17 -D_GNU_SOURCE -g $(OPTIMISE) -fno-omit-frame-pointer -fno-strict-aliasing -pthread $(WARN) \
	-Isrc -I$(B)/include -I. $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
LDFLAGS := -no-pie -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LDLIBS := -llmdb -lssl -lcrypto -lexpat -lz -lseccomp -lwslay -larchive -lm
CFLAGS += -fno-pie

# One layer a folder; LAYERS="base sys" builds and tests only those.
LAYERS ?= base sys store wire cloud run price plan svc cmd
sources = $(foreach l,$(filter-out svc,$(LAYERS)),$(wildcard src/$(l)/*.c)) \
	$(if $(filter svc,$(LAYERS)),$(wildcard src/svc/*/*.c))
ALL := $(call sources)
TESTS := $(filter %_test.c,$(ALL))
MAIN := src/cmd/main.c
CODE := $(filter-out $(TESTS) $(MAIN),$(ALL))
SERVICES := $(if $(filter svc,$(LAYERS)),$(sort $(notdir $(patsubst %/,%,$(wildcard src/svc/*/)))))
GENERATED := $(SERVICES:%=$(B)/gen/%.c) $(if $(SERVICES),$(B)/gen/registry.c)

object = $(patsubst %.c,$(B)/o/%.o,$(1))
OBJECTS := $(call object,$(CODE)) $(patsubst $(B)/gen/%.c,$(B)/o/gen/%.o,$(GENERATED))

# Files that travel inside the program (src/run/embedded.h): bytes as an object, symbols after the name.
EMBED := $(if $(filter run,$(LAYERS)),sandbox_init bootstrap.py bootstrap.cjs)
OBJECTS += $(EMBED:%=$(B)/embed/%.o)
$(B)/embed/%.o: $(B)/embed/%
	@cd $(<D) && ld -r -b binary -z noexecstack -o $(<F).o $(<F) && \
		objcopy --rename-section .data=.rodata,alloc,load,readonly,data,contents $(<F).o
$(B)/embed/bootstrap.%: src/run/bootstrap/bootstrap.%
	@mkdir -p $(@D) && cp $< $@
# Stands alone in a sandbox: no C library, whatever the rest is built with.
$(B)/embed/sandbox_init: src/run/init/init.c
	@mkdir -p $(@D)
	gcc -std=gnu17 -Os -static -nostdlib -ffreestanding -fno-stack-protector $(WARN) \
		-fno-asynchronous-unwind-tables -Wl,--build-id=none,-z,noexecstack -o $@ $<

all: $(B)/farthing

$(B)/farthing: $(OBJECTS) $(call object,$(MAIN))
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/unit-tests: $(OBJECTS) $(call object,$(TESTS) test/main.c)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Data that base/embed.h puts into an object.
$(B)/o/src/price/book.o: $(wildcard data/prices/*.csv)
$(B)/o/src/plan/estimate_test.o: $(wildcard test/golden/*)
$(B)/o/src/plan/rules.o: $(wildcard data/plan/*)
$(foreach f,$(wildcard src/svc/*/*.csv src/svc/*/*.mjs),$(eval $(call object,$(wildcard $(dir $f)*.c)): $f))

$(B)/o/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O1 -Wno-shadow -MMD -c -o $@ $<

# Without services there is nothing to generate; the two kinds of build may share a directory.
STAMP := $(if $(SERVICES),$(B)/gen/stamp,$(B)/gen/no-services)
$(B)/o/%.o: %.c | $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -c -o $@ $<

# The builder: facts and sources in, tables and structs out. It rewrites only what has changed.
APIC_CODE := $(filter-out %_test.c,$(wildcard tools/apic*.c tools/apifile*.c)) src/wire/shape.c \
	$(addprefix src/base/,arena.c buf.c err.c map.c str.c)
APIC_OBJECTS := $(APIC_CODE:%.c=$(B)/tool/%.o)
$(B)/apic: $(APIC_OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ -lm -lcrypto
$(B)/tool/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -c -o $@ $<

# The house style, and the tests of the tools.
TIDY_CODE := $(filter-out %_test.c,$(wildcard tools/tidy*.c)) \
	$(addprefix src/base/,arena.c buf.c err.c map.c str.c)
TOOL_TESTS := $(wildcard tools/*_test.c) test/main.c
$(B)/tidy: $(TIDY_CODE:%.c=$(B)/tool/%.o)
	$(CC) $(LDFLAGS) -o $@ $^ -lm
$(B)/tool-tests: $(patsubst %.c,$(B)/tool/%.o,$(TOOL_TESTS) \
		$(filter-out %_main.c,$(sort $(APIC_CODE) $(TIDY_CODE))))
	$(CC) $(LDFLAGS) -o $@ $^ -lm
tidy: $(B)/tidy $(B)/tool-tests $(B)/gen/stamp
	@$(B)/tool-tests
	@$(B)/tidy --coverage $(B)/COVERAGE.md .
coverage: $(B)/gen/stamp
	cp $(B)/COVERAGE.md COVERAGE.md

ifneq ($(SERVICES),)
$(GENERATED): $(B)/gen/stamp ;
$(B)/include/gen/%.h: $(B)/gen/stamp ;
# The folders themselves, so that a file that goes away counts as a change.
$(B)/gen/stamp: $(B)/apic src/svc $(wildcard src/svc/*/ src/svc/*/*.api src/svc/*/*.patch \
		src/svc/*/*.def src/svc/*/*.c)
	@mkdir -p $(B)/gen $(B)/include/gen
	$(B)/apic --out $(B) src/svc && touch $@
else
$(STAMP):
	@mkdir -p $(@D) && touch $@
endif

unit: $(B)/unit-tests
	$(B)/unit-tests

# The unit tests again, under the address and undefined-behaviour sanitizers.
sanitize:
	$(MAKE) -s -j$$(nproc) B=$(B)/sanitize SANITIZE=address,undefined OPTIMISE=-O1 unit

# Around the store alone: killed at random, on a disk that tears and drops writes, and beside bare LMDB.
STORE := $(call object,$(filter-out %_test.c,$(wildcard src/base/*.c src/sys/*.c src/store/*.c)))
$(B)/crash-driver: $(call object,test/crash/driver.c)
$(B)/sim-disk: $(call object,test/sim/disk.c test/sim/disk_calls.c)
$(B)/bench-store: $(call object,bench/store/store.c)
$(B)/crash-driver $(B)/sim-disk $(B)/bench-store: $(STORE)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
crash: $(B)/crash-driver
	$<
sim: $(B)/sim-disk
	$<
# The whole server, killed under signed requests.
killed: $(B)/farthing
	test/crash/server.py --binary $< --rounds 10
bench-store: $(B)/bench-store
	$<

# Every operation of every service against botocore, and the published protocol vectors.
CODECS := $(filter-out %_test.c,$(wildcard $(addprefix src/wire/,codec_*.c value*.c)) $(addprefix src/wire/, \
	copy.c eventstream.c fault.c memo.c message.c pattern.c rest.c route.c shape.c unicode.c validate.c))
WIRE_TEST := $(filter-out %_test.c,$(wildcard src/base/*.c tools/apifile*.c)) $(CODECS) test/wire/wire.c
$(B)/wire-test: $(WIRE_TEST:%.c=$(B)/tool/%.o)
	$(CC) $(LDFLAGS) -o $@ $^ -lm -lcrypto -lz
wire: $(B)/wire-test
	test/wire/wire.py $<

$(B)/bench-codec: $(patsubst %.c,$(B)/tool/%.o,bench/codec/codec.c $(filter-out test/wire/wire.c,$(WIRE_TEST)))
	$(CC) $(LDFLAGS) -o $@ $^ -lm -lcrypto -lz
bench-codec: $(B)/bench-codec
	$<

# The HTTP layer alone, over sockets; and beside nginx.
HTTP := $(call object,$(filter-out %_test.c,$(wildcard src/base/*.c src/sys/*.c src/wire/*.c)))
$(B)/http-server: $(HTTP) $(call object,test/http/server.c)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
http: $(B)/http-server
	test/http/run $<
bench-http: $(B)/http-server
	bench/http/run $<

demo:
	@tools/demo

test:
	@tools/install-packages build test
	@tools/aws-clients
	@$(MAKE) -s -j$$(nproc) $(B)/farthing $(B)/unit-tests
	@test/run

# Scripts that drive the real server with the stock aws CLI and boto3.
scenario: $(B)/farthing
	test/scenario/run

# Every fuzz target (test/fuzz/NAME.c) for a bounded time, with clang's libFuzzer; corpora grow in build/fuzz.
FUZZ := $(patsubst test/fuzz/%.c,$(B)/fuzz-%,$(wildcard test/fuzz/*.c))
$(FUZZ): $(B)/fuzz-%: $(OBJECTS) $(B)/o/test/fuzz/%.o
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
$(filter $(B)/fuzz-codec_%,$(FUZZ)): \
	$(patsubst %.c,$(B)/tool/%.o,$(filter-out %_test.c,$(wildcard tools/apifile*.c)))
fuzz-targets: $(FUZZ)
fuzz:
	$(MAKE) -s -j$$(nproc) B=$(B)/fuzz FARTHING_CC=clang WARN=-w OPTIMISE=-O1 \
		SANITIZE=fuzzer-no-link,address,undefined fuzz-targets
	test/fuzz/run $(B)/fuzz

clean:
	rm -rf $(B)

# Cold starts and warm invocations against the bare interpreter in the same sandbox.
$(B)/bench-function: $(call object,bench/function/function.c) $(OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
bench-function: $(B)/bench-function $(B)/farthing
	$(B)/bench-function
	bench/function/invoke.py $(B)/farthing

.PHONY: all unit wire crash sim killed bench-store clean sanitize demo test scenario fuzz fuzz-targets http bench-http bench-codec bench-function
# A header that is gone: what included it is compiled again.
src/%.h: ;

-include $(shell find $(B)/o $(B)/tool -name '*.d' 2>/dev/null)
