# make            builds build/farthing
# make demo       installs what is missing, deploys Bella, shows her answer and her bill
# make test       all tests; make unit, make wire, ... for one kind (see test/run)
# make B=build/asan SANITIZE=address,undefined unit      the same with sanitizers
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

all: $(B)/farthing

$(B)/farthing: $(OBJECTS) $(call object,$(MAIN))
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/unit-tests: $(OBJECTS) $(call object,$(TESTS) test/main.c)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/o/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -O1 -Wno-shadow -MMD -c -o $@ $<

$(B)/o/%.o: %.c | $(B)/gen/stamp
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

ifneq ($(SERVICES),)
$(GENERATED): $(B)/gen/stamp ;
# The folders themselves, so that a file that goes away counts as a change.
$(B)/gen/stamp: $(B)/apic src/svc $(wildcard src/svc/*/ src/svc/*/*.api src/svc/*/*.patch \
		src/svc/*/*.def src/svc/*/*.c)
	@mkdir -p $(B)/gen $(B)/include/gen
	$(B)/apic --out $(B) src/svc && touch $@
else
$(B)/gen/stamp:
	@mkdir -p $(@D) && touch $@
endif

unit: $(B)/unit-tests
	$(B)/unit-tests

clean:
	rm -rf $(B)

.PHONY: all unit clean
-include $(shell find $(B)/o $(B)/tool -name '*.d' 2>/dev/null)
