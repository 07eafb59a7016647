"""From a template to a page that needs no network: style and script inline, and no other script allowed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from caseframe.pages.text import inert
from caseframe.tables.files import whole


def write_page(path: Path, package: str, template: str, page: Mapping[str, Any], *, script: str) -> None:
    """Writes a page from a template of `package`, whole or not at all.

    The package's `style.css.j2` and its `script` stand in the page as `style` and `script`; `script_hash` is what the
    policy of `base.html.j2` names. Characters that UTF-8 cannot hold become `?`.
    """
    environment = environment_of(package)
    code = environment.get_template(script).render()
    parts = {
        "style": Markup(environment.get_template("style.css.j2").render()),
        "script": Markup(code),
        "script_hash": base64.b64encode(hashlib.sha256(code.encode()).digest()).decode(),
    }
    text = environment.get_template(template).render({**page, **parts})
    if path.suffix == ".md":
        text = re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", text))
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")


@cache
def environment_of(package: str) -> Environment:
    """Templates of a package and those that all share; HTML is escaped, unknown names are errors."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("caseframe.pages")]),
        autoescape=lambda name: ".html" in (name or ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = inert
    environment.filters["tight"] = lambda text: str(text).replace(" %", "\u00a0%")
    return environment
