# make quickstart   install what is missing, build, pre-train and fine-tune three families on WordNet, write a report
# make test         install what is missing, build, run the tests
PRESET ?= release
SIZE   ?= full
PREFIX ?= /usr/local
SOURCES = git ls-files '*.h' '*.cpp'

.PHONY: setup build test quickstart format lint bench install clean

setup:      ; tools/setup.sh
build:      setup ; cmake --preset $(PRESET) && cmake --build --preset $(PRESET)
test:       ; tools/setup.sh --tests && cmake --preset $(PRESET) && cmake --build --preset $(PRESET) && ctest --preset $(PRESET)
quickstart: ; tools/setup.sh --quickstart && cmake --preset $(PRESET) && cmake --build --preset $(PRESET) --target lmzoo && tools/quickstart.sh $(SIZE) build/$(PRESET)/lmzoo
format:     ; $(SOURCES) | xargs clang-format -i
lint:       ; tools/lint.sh $(ROOMS)
bench:      build ; bench/run.sh
install:    build ; cmake --install build/$(PRESET) --prefix $(PREFIX)
clean:      ; cmake -E rm -rf build
