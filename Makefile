# On a fresh machine with Python >= 3.11 and make:
#
#     make demo     train a small network on handwritten digits, check its gradient, save and reload it
#     make test     run the tests
#     make seeds    run the lessons in examples/seeds under MXNet's, PyTorch's, DJL's and our own spelling
#
# Each command keeps a virtual environment of its own (.venv-demo, .venv-test, .venv-bench), made on the first run
# from the pinned versions in requirements/. ARGS is passed on:   make demo ARGS="--epochs 5"   make test ARGS="-k cli"

PYTHON ?= python3
ARGS ?=
PART ?=

.PHONY: help demo test seeds lint format bench pins clean

help:
	@sed -n '3,5s/^# *//p' Makefile
	@echo 'make lint     check style, types and the direction of imports'
	@echo 'make format   let ruff rewrite what it can'
	@echo 'make bench    measure wengert beside torch, jax, autograd and mygrad'
	@echo '              PART=compile, transforms, optimize, rules or dialects: these instead'
	@echo 'make pins     resolve requirements/*.txt anew (with Python 3.11)'
	@echo 'make clean    remove environments, caches and the output of the demo'

demo: .venv-demo/.installed
	@.venv-demo/bin/wengert demo $(ARGS)

test: .venv-test/.installed
	@.venv-test/bin/python -m pytest -n 2 $(ARGS)

seeds: .venv-demo/.installed
	@.venv-demo/bin/python examples/seeds $(ARGS)

lint: .venv-test/.installed
	@.venv-test/bin/ruff check
	@.venv-test/bin/ruff format --check
	@.venv-test/bin/lint-imports
	@.venv-test/bin/mypy
	@.venv-test/bin/mypy tests/typing/program.py

format: .venv-test/.installed
	@.venv-test/bin/ruff check --fix-only --quiet
	@.venv-test/bin/ruff format

bench: .venv-bench/.installed
	@.venv-bench/bin/python -m benchmarks$(addprefix .,$(PART)) $(ARGS)

# The stamp is touched last, so an interrupted installation starts afresh.
.venv-%/.installed: requirements/%.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("wengert needs Python 3.11 or newer, and this is %d.%d; name a newer one: make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo 'Setting up .venv-$* (only on the first run)'
	@$(PYTHON) -m venv --clear .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/$*.txt
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

pins:
	@$(PYTHON) requirements/pin.py

clean:
	rm -rf .venv-* build dist wengert-demo wengert-seeds .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
