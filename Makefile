# make demo, make test: all that is needed is Python 3.11 to 3.13 and make.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
# The torch to install. The default is the one this project is tested with; a CPU-only or CUDA build is chosen by
#   make demo TORCH="torch==2.13.0 --index-url <the index of PyTorch's builds>"
TORCH ?= torch==2.13.0
# Two processes, a file of tests at a time in either; with one thread each, more do not get in each other's way.
PYTEST ?= -n 2 --dist loadfile
export OMP_NUM_THREADS ?= 1
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test slow dev docs lint types check wheel-check test-without-torch clean

demo: $(VENV)/.installed
	@$(BIN)/alloyloop demo --dir demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q $(PYTEST)

# With what builds the documentation, since slow tests build it.
slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m slow $(PYTEST)

dev: $(VENV)/.installed-dev

# The documentation, as a folder of pages that ask nothing of the network; a warning is an error.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	mkdir -p .typecheck && ln -sfn .. .typecheck/alloyloop
	$(BIN)/mypy
	$(BIN)/pyright

check: test slow lint types

# Build the wheel and the sdist, install the wheel where nothing of ours lies about, and describe an alloy from there.
wheel-check: $(VENV)/.installed-dev
	rm -rf dist .venv-wheel
	$(BIN)/python -m build --outdir dist . >/dev/null
	$(BIN)/check-wheel-contents dist/*.whl
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip --disable-pip-version-check install --quiet $(TORCH)
	.venv-wheel/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt dist/*.whl
	cd / && "$(CURDIR)/.venv-wheel/bin/alloyloop" describe "Ti-35Nb-7Zr-5Ta wt"
	rm -rf .venv-wheel

# Everything but the models must work on the newest Python before torch does: installed without it, tested without it.
NEWEST ?= $(shell for p in python3.13 $$(ls -d $$HOME/.pyenv/versions/3.13.*/bin/python 2>/dev/null); do \
	$$p --version >/dev/null 2>&1 && echo $$p && break; done)
test-without-torch:
ifeq ($(NEWEST),)
	@echo "Python 3.13 is not on this machine: skipped."
else
	rm -rf .venv-newest
	$(NEWEST) -m venv .venv-newest
	.venv-newest/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt \
		--requirement tests/requirements-without-torch.txt
	.venv-newest/bin/python -m pip --disable-pip-version-check install --quiet --no-deps .
	.venv-newest/bin/python -m pytest -q $(PYTEST)
	rm -rf .venv-newest
endif

clean:
	rm -rf $(VENV) .venv-* .typecheck build dist docs/_build *.egg-info demo

# One environment, filled in steps; each step leaves a mark, so that a second run has nothing to do.
$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet $(TORCH)
	@touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --editable ".[test]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@
