"""Text of articles made inert: for HTML, for Markdown, for a data element of a page."""

from __future__ import annotations

import json
import re

WORDS = 160
"""Characters of a value, of words, or of a name that are shown at most."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def visible(text: object) -> str:
    """A text without characters that no reader sees or that turn the text around them; `\ufffd` in their place."""
    return _UNSEEN.sub("\ufffd", str(text))


def shortened(text: object, most: int = WORDS) -> str:
    """A text of at most `most` characters; None is empty."""
    text = "" if text is None else str(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def counted(number: int, noun: str) -> str:
    """`1 case`, `1,200 cases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def inert(text: object) -> str:
    """A text as one line that no Markdown reader takes for markup, HTML or the end of a table's cell."""
    text = " ".join(visible(text).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def script_json(content: object) -> str:
    """JSON for a `<script type="application/json">`; no `<`, `>` or `&` is left that HTML could take for its own."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
