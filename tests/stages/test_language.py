"""Whether a text reads as English."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from caseframe.stages.language import is_english

NLP = spacy.blank("en")

ENGLISH = "A 34-year-old man was admitted to our hospital with a mass in the sacrum, and resection was performed."
TERSE = (
    "Background: Sacral tumors are rare. Case presentation: 45-year-old woman, chordoma, S2 level, en bloc resection, "
    "titanium cage, uneventful course, excellent function at the last visit."
)
OTHERS = {
    "german": "Ein 34-jähriger Mann wurde mit einer Raumforderung des Kreuzbeins in unsere Klinik aufgenommen und operiert. "
    "Nach der Operation war der Verlauf ohne Komplikationen.",
    "french": "Un homme de 34 ans a été admis dans notre hôpital pour une tumeur du sacrum et il a été opéré avec succès. "
    "Les suites opératoires ont été simples.",
    "spanish": "Un hombre de 34 años fue ingresado en nuestro hospital por un tumor del sacro y fue operado con éxito. "
    "El curso posterior fue favorable y sin complicaciones.",
    "portuguese": "Um homem de 34 anos foi internado em nosso hospital com um tumor do sacro e foi operado com sucesso. "
    "A evolução foi favorável e sem complicações.",
    "italian": "Un uomo di 34 anni è stato ricoverato nel nostro ospedale per un tumore del sacro ed è stato operato con "
    "successo. Il decorso è stato regolare.",
    "russian": "Мужчина 34 лет был госпитализирован в нашу клинику с опухолью крестца и был успешно прооперирован. "
    "Послеоперационный период протекал без осложнений.",
}


@pytest.mark.parametrize("text", [ENGLISH, TERSE, 3 * ENGLISH])
def test_english(text: str) -> None:
    assert is_english(NLP(text))


@pytest.mark.parametrize("language", OTHERS)
def test_other_languages(language: str) -> None:
    assert not is_english(NLP(OTHERS[language]))


@pytest.mark.parametrize(
    "text", ["", "12 %", "Chordoma", "Sjögren syndrome: a case report", "Behçet disease", "Fracture of the sacrum"]
)
def test_short_texts_count_as_english(text: str) -> None:
    assert is_english(NLP(text))


@pytest.mark.parametrize("text", ["Опухоль крестца", "骶骨肿瘤", "Όγκος του ιερού οστού"])
def test_short_texts_in_another_script_do_not(text: str) -> None:
    assert not is_english(NLP(text))


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert is_english(NLP(text)) in (True, False)
