"""Languages as PubMed names them: the bibliographic codes of ISO 639-2 (`ger`, not `deu`)."""

from __future__ import annotations

from typing import Final

_ROWS: Final = """
afr af Afrikaans
alb sq Albanian; sqi
amh am Amharic
ara ar Arabic
arm hy Armenian; hye
aze az Azerbaijani
baq eu Basque; eus
bel be Belarusian
ben bn Bengali
bos bs Bosnian
bul bg Bulgarian
cat ca Catalan
chi zh Chinese; zho; Mandarin; Chinese (Simplified); Chinese (Traditional)
cze cs Czech; ces
dan da Danish
dut nl Dutch; nld; Flemish
eng en English
epo eo Esperanto
est et Estonian
fin fi Finnish
fre fr French; fra; français; francais
geo ka Georgian; kat
ger de German; deu; Deutsch
gle ga Irish
glg gl Galician
gre el Greek; ell; Modern Greek; Greek, Modern
heb he Hebrew
hin hi Hindi
hrv hr Croatian
hun hu Hungarian
ice is Icelandic; isl
ind id Indonesian
ita it Italian; italiano
jpn ja Japanese
kaz kk Kazakh
kir ky Kirghiz; Kyrgyz
kor ko Korean
lat la Latin
lav lv Latvian
lit lt Lithuanian
mac mk Macedonian; mkd
mal ml Malayalam
mao mi Maori; mri
may ms Malay; msa
mol mo Moldavian
mon mn Mongolian
nor no Norwegian; nb; nn; nob; nno
per fa Persian; fas; Farsi
pol pl Polish
por pt Portuguese; português; portugues
pus ps Pushto; Pashto
rum ro Romanian; ron
rus ru Russian
san sa Sanskrit
slo sk Slovak; slk
slv sl Slovenian; Slovene
spa es Spanish; español; espanol; Castilian
srp sr Serbian; scr; scc
swa sw Swahili
swe sv Swedish
tam ta Tamil
tha th Thai
tib bo Tibetan; bod
tur tr Turkish
ukr uk Ukrainian
urd ur Urdu
uzb uz Uzbek
vie vi Vietnamese
wel cy Welsh; cym
"""


def _codes() -> dict[str, str]:
    """Every spelling, case folded, with its code."""
    codes = {"und": "", "mul": "mul"}
    for row in _ROWS.strip().splitlines():
        code, short, names = row.split(" ", 2)
        for spelling in (code, short, *names.split("; ")):
            codes[spelling.casefold()] = code
    return codes


_CODES: Final = _codes()


def language_code(text: str) -> str:
    """The ISO 639-2 code PubMed uses; empty where the language is not known.

    >>> language_code("en"), language_code("ENG"), language_code("German"), language_code("pt-BR"), language_code("?")
    ('eng', 'eng', 'ger', 'por', '')
    """
    folded = text.strip().casefold()
    if folded in _CODES:
        return _CODES[folded]
    return _CODES.get(folded.replace("_", "-").partition("-")[0], "")
