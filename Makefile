# Every target works on a fresh machine with Python 3.11 or newer: it makes .venv and installs what
# it needs, checked against the hashes in requirements/. Another interpreter: make PYTHON=python3.13
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ON_ALL_CORES := --numprocesses=auto --dist=worksteal
# Their branch coverage of protocol/ and trust/ must be complete. Measuring it costs half as much again, so that
# the other tests run without.
COVERED := $(addprefix tests/,chat/ fuzzing/ mitm/ protocol/ reference/ storage/ trust/ vectors/)

.PHONY: run demo test lint bench fuzz matrix mitm soak soak-faults soak-kills soak-screen screenshots vectors reference requirements clean

run: $(VENV)/run
	@$(BIN)/securechat-tui

demo: $(VENV)/run
	@$(BIN)/securechat-tui demo

test: $(VENV)/dev
	$(BIN)/pytest $(ON_ALL_CORES) --cov --cov-report= $(COVERED)
	$(BIN)/coverage report --include='src/securechat_tui/protocol/*,src/securechat_tui/trust/*' --fail-under=100
	$(BIN)/pytest $(ON_ALL_CORES) $(filter-out $(COVERED),$(wildcard tests/*/ tests/test_*.py))

lint: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Under ten minutes; writes bench/RESULTS.md. Best on a machine that does nothing else.
bench: $(VENV)/bench
	$(BIN)/python -m bench

# Each harness for so long; what is found is kept in .fuzz/. Some of them: bin/python -m fuzz NAME ...
SECONDS ?= 10
fuzz: $(VENV)/fuzz
	$(BIN)/python -m fuzz --seconds $(SECONDS)

# Every bit of every frame, and more: the number of the man in the middle's tries, and his zero.
mitm: $(VENV)/dev
	PYTHONPATH=tests/support $(BIN)/python tools/mitm.py

# Every attack of the lab on every protocol, run now and written into docs/lab.md.
matrix: $(VENV)/dev
	$(BIN)/python tools/lab_matrix.py

# Two programs whose connection is cut at random: make soak MINUTES=20
MINUTES ?= 5
soak: $(VENV)/dev
	PYTHONPATH=tests/support $(BIN)/python tools/soak.py $(MINUTES)

# A network that fails at every byte of a handshake, in random order: make soak-faults MINUTES=60
soak-faults: $(VENV)/dev
	PYTHONPATH=tests/support $(BIN)/python tools/soak_faults.py $(MINUTES)

# Two programs that are killed at random: make soak-kills MINUTES=20
soak-kills: $(VENV)/dev
	PYTHONPATH=tests/support $(BIN)/python tools/soak_kills.py $(MINUTES)

# The screen under a burst and then a chat for an hour: make soak-screen MINUTES=20
soak-screen: MINUTES = 60
soak-screen: $(VENV)/run
	$(BIN)/python -m bench.soak_screen $(MINUTES)

screenshots: $(VENV)/dev
	$(BIN)/python tools/screenshots.py

vectors: $(VENV)/dev
	PYTHONPATH=tests/support $(BIN)/python tools/vectors/generate.py

# A second peer, written from docs/protocol.md alone: it talks with the product and checks vectors/.
reference: $(VENV)/dev
	$(BIN)/pytest tests/reference

# The pinned versions follow pyproject.toml; needs uv.
requirements:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade --extra build pyproject.toml --output-file requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade --extra dev pyproject.toml --output-file requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade --extra bench pyproject.toml --output-file requirements/bench.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade --group fuzz --output-file requirements/fuzz.txt

clean:
	rm -rf $(VENV) build dist .coverage .fuzz .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "The venv module is missing: install it (Debian: apt-get install python3-venv)."; exit 1; }
	@touch $@

$(VENV)/run: $(VENV)/python requirements/run.txt pyproject.toml
	@echo "Installing what securechat-tui needs into $(VENV) ..."
	@$(PIP) --no-deps --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: $(VENV)/python requirements/dev.txt pyproject.toml
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) --no-deps --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run

$(VENV)/bench: $(VENV)/python requirements/bench.txt pyproject.toml
	@echo "Installing what the benchmarks need into $(VENV) ..."
	@$(PIP) --no-deps --require-hashes -r requirements/bench.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run

$(VENV)/fuzz: $(VENV)/dev requirements/fuzz.txt
	@$(PIP) --no-deps --only-binary :all: --require-hashes -r requirements/fuzz.txt \
		|| echo "atheris does not install here; Hypothesis looks for inputs instead."
	@touch $@
