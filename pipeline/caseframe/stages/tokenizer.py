"""The biomedical tokenizer: scispaCy's rules, which keep `3D-printed`, `L3-S1` and `34-yr-old` whole."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import spacy
from scispacy.custom_tokenizer import combined_rule_tokenizer
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import registry


@contextmanager
def quiet_regexes() -> Iterator[None]:
    """Hides the warnings that Python gives on the sets in scispaCy's infixes: users can do nothing about them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Possible (nested set|set union)", FutureWarning)
        yield


@registry.tokenizers("caseframe.tokenizer.v1")
def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """Registered for spaCy configs as `caseframe.tokenizer.v1`."""

    def make(nlp: Language) -> Tokenizer:
        # scispaCy's rules start from the language's own tokenizer.
        nlp.tokenizer = registry.tokenizers.get("spacy.Tokenizer.v1")()(nlp)
        with quiet_regexes():
            return combined_rule_tokenizer(nlp)

    return make


def blank() -> Language:
    """An English pipeline with the tokenizer and no component."""
    return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "caseframe.tokenizer.v1"}}})
