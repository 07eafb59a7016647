"""The page as a reviewer uses it, over HTTP: decide, undo, conflict, close; hostile text; who may come."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from caseframe.review.runs import Run
from caseframe.review.store import Store, open_store

Make = Callable[..., Any]
Visit = Callable[..., Any]
"""Opens the page as a reviewer: gives a `Browser` of conftest.py."""


def test_the_queue_shows_the_least_certain_first(visit: Visit) -> None:
    page = visit().page("/")
    assert page.index("pmid:1<") < page.index("pmid:2<") and "0 of 2 articles reviewed" in page


def test_accept_reject_correct_add(visit: Visit, article_of: Make) -> None:
    ann = visit()
    assert "0 of" not in ann.form and 'data-open="6"' in ann.form
    ann.do("accept", findings=[ann.line("age")])
    ann.do("reject", findings=[ann.line("outcome")])
    ann.do(
        "correct",
        finding=ann.line("diagnosis"),
        reading={"value": "osteosarcoma", "attributes": {"behavior": "malignant"}},
    )
    assert "osteosarcoma" in ann.form and "ICDO3:9180/3" in ann.form
    assert '<del class="before" dir="auto" title="The pipeline\'s own">chordoma' in ann.form
    text = article_of().article.text
    start = text.index("sacrum")
    ann.do("add", case=1, field="site", reading={"value": "sacrum", "start": start, "end": start + 6})
    assert "ICDO3:C41.4" in ann.form and "“sacrum”" not in ann.form  # quotation marks are the style's
    assert 'data-open="3"' in ann.form
    assert ann.page().count(">accepted<") == 1


def test_an_addition_that_is_accepted_stays_and_one_that_is_rejected_goes(visit: Visit) -> None:
    ann = visit()
    ann.do("add", case=1, field="site", reading={"value": "sacrum", "start": 16, "end": 22})
    ann.do("accept", findings=[ann.line("site")])
    assert 'data-field="site" data-status="added"' in ann.form
    ann.do("reject", findings=[ann.line("site")])
    assert 'data-field="site" data-status="empty"' in ann.form


def test_not_reported_rejects_what_is_there_and_undo_brings_all_of_it_back(visit: Visit) -> None:
    ann = visit()
    ann.do("not_reported", case=1, field="outcome")
    assert "not reported" in ann.form and 'data-open="5"' in ann.form
    ann.do("undo")
    assert "not reported<" not in ann.form and 'data-open="6"' in ann.form
    assert "nothing to undo" in ann.do("undo", status=409)["message"]


def test_comments_stand_beside_the_line_and_the_article(visit: Visit) -> None:
    ann = visit()
    ann.do("comment", finding=ann.line("age"), text="as of admission")
    ann.do("comment", text="no full text")
    assert "as of admission" in ann.form and "no full text" in ann.form


def test_an_article_is_done_only_when_everything_is_decided(visit: Visit) -> None:
    ann = visit()
    assert "6 findings are still open" in ann.do("finish", status=422)["message"]
    ann.finish()
    page = ann.page("/?state=finished")
    assert "1 of 2 articles reviewed" in page and "pmid:1<" in page and "pmid:2<" not in page


@pytest.mark.parametrize(
    ("action", "content", "message"),
    [
        ("correct", {"finding": "gone", "reading": {"value": "x"}}, "no longer there"),
        ("add", {"case": 1, "field": "colour", "reading": {"value": "x"}}, "no field"),
        ("add", {"case": 0, "field": "site", "reading": {"value": "x"}}, "belongs to the case"),
        ("add", {"case": 9, "field": "site", "reading": {"value": "x"}}, "no case 9"),
        ("add", {"case": 1, "field": "site", "reading": {"value": "x"}}, "No words are selected"),
        ("add", {"case": 1, "field": "site", "reading": {"value": "x", "start": 5, "end": 99_999}}, "No words are selected"),
        ("add", {"case": 1, "field": "site", "reading": {"value": "x", "start": 8, "end": 9}}, "Only blanks"),
        ("add", {"case": 1, "field": "site", "reading": {"value": " ", "start": 0, "end": 5}}, "has no value"),
        ("add", {"case": 1, "field": "sex", "reading": {"value": "f", "start": 0, "end": 5}}, "one of female"),
        ("add", {"case": 1, "field": "age", "reading": {"value": "old", "start": 0, "end": 5}}, "no number"),
        ("add", {"case": 1, "field": "age", "reading": {"value": "nan", "start": 0, "end": 5}}, "no number"),
        ("add", {"case": 0, "field": "n_patients", "reading": {"value": "1.5", "start": 0, "end": 5}}, "whole number"),
        ("add", {"case": 1, "field": "site", "reading": {"value": "x" * 301, "start": 0, "end": 5}}, "at most 300"),
        ("add", {"case": 1, "field": "site", "reading": {"value": "x", "start": 0, "end": 5, "attributes": {"side": "l"}}}, "no attribute"),
        ("add", {"case": 1, "field": "site", "reading": {"value": "x", "start": 0, "end": 5, "attributes": {"laterality": "up"}}}, "left, right"),
        ("comment", {"text": "x" * 4001}, "at most 4000"),
        ("dance", {}, "cannot be saved"),
        ("accept", {"findings": []}, "cannot be saved"),
        ("accept", {"findings": ["gone"]}, "no longer there"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_and_nothing_is_saved(
    visit: Visit, store: Store, action: str, content: dict[str, object], message: str
) -> None:
    ann = visit()
    assert message in ann.do(action, status=422, **content)["message"]
    assert store.work("Ann") == []


def test_two_windows_on_the_same_article(visit: Visit, store: Store) -> None:
    first, second = visit(), visit()
    first.do("accept", findings=[first.line("age")])
    reply = second.do("reject", findings=[second.line("age")], status=409)
    assert "changed in another window" in reply["message"] and ">accepted<" in reply["form"]
    assert len(store.work("Ann")) == 1
    second.do("reject", findings=[second.line("age")])  # it now knows the newest state
    assert len(store.work("Ann")) == 2 and ">rejected<" in second.form


def test_reviewers_do_not_see_each_other_until_both_are_done(visit: Visit) -> None:
    ann, ben = visit("Ann"), visit("Ben")
    ann.do("reject", findings=[ann.line("outcome")])
    ann.do("comment", text="only mine")
    ann.finish()
    assert "only mine" not in ben.page() and 'data-open="6"' in ben.form
    assert "Ann" not in ben.page("/") and "Ann" not in ben.page("/adjudication")
    assert "Two reviewers must finish" in ben.client.get("/adjudication/article?id=pmid:1").text
    ben.page()
    ben.finish()
    assert "so it is closed" in ann.page()
    assert "so it is closed" in ann.do("undo", status=409)["message"] and 'data-act="accept"' not in ann.form
    assert "Ann" in ben.page("/adjudication")


def test_adjudication_settles_what_two_reviewers_see_otherwise(visit: Visit) -> None:
    ann, ben = visit("Ann"), visit("Ben")
    ann.do("reject", findings=[ann.line("outcome")])
    ann.do("correct", finding=ann.line("diagnosis"), reading={"value": "osteosarcoma"})
    ann.finish()
    ben.finish()
    cleo = visit("Cleo")
    page = cleo.page("/adjudication/article?id=pmid:1")
    assert page.count('class="item dispute open"') == 2
    units = [part.split('"')[0] for part in page.split('data-item="')[1:]]
    cleo.do("settle", url="/adjudication", unit=units[0], choice="second")
    reading = {"value": "walking with a frame", "assertion": "possible"}
    cleo.do("settle", url="/adjudication", unit=units[1], choice="other", reading=reading)
    assert "All" not in cleo.form and cleo.form.count("Settled by Cleo") == 2
    cleo.do("undo", url="/adjudication")
    assert cleo.form.count("Settled by Cleo") == 1
    assert "no choice" in cleo.do("settle", url="/adjudication", unit=units[1], choice="x", status=422)["message"]
    overview = cleo.page("/adjudication")
    assert "Agreement of Ann and Ben" in overview and "1 with open disagreements" in overview


def test_read_only(visit: Visit, run_path: Path, store: Store) -> None:
    visit().do("comment", text="seen")
    looking = visit("Eve", to=open_store(run_path, read_only=True))
    assert 'data-act="accept"' not in looking.page() and "read only" in looking.form
    assert "for reading only" in looking.do("accept", findings=[looking.line("age")], status=409)["message"]


def test_a_locked_database_is_told_and_nothing_is_lost(
    visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = visit()
    monkeypatch.setattr("caseframe.review.database._WAIT_SECONDS", 0.05)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    told = ann.do("accept", findings=[ann.line("age")], status=503)
    assert "locked by another program" in told["message"] and "try again" in told["message"]
    other.rollback()
    other.close()
    ann.do("accept", findings=[ann.line("age")])
    assert len(store.work("Ann")) == 1


# Hostile text


class Scripts(HTMLParser):
    """Collects what would run: scripts, handlers, javascript addresses; and the whole text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.active: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.active.append(dict(attrs).get("src") or "inline")
        self.active += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]

    def handle_data(self, data: str) -> None:
        self.words += data


HOSTILE = "<script>alert(1)</script> \"quoted\" 'x' <img src=x onerror=alert(2)> \u202egnirts\u202c {{ 7919*7907 }} \U0001f9b4 end"


def test_no_script_of_an_article_runs(visit: Visit, article_of: Make, make_run: Make) -> None:
    extraction = article_of(
        "1",
        f"{HOSTILE} a case report",
        [(HOSTILE, f"A 61-year-old woman with chordoma {HOSTILE} without infection, walked at 6 weeks.")],
    )
    ann = visit(HOSTILE[:60], at=make_run(extraction, name="hostile"))
    ann.do("comment", finding=ann.line("age"), text=HOSTILE)
    ann.do("correct", finding=ann.line("diagnosis"), reading={"value": HOSTILE})
    editor = ann.client.get(f"/article/editor?id=pmid:1&finding={ann.line('diagnosis')}").text
    for page in (ann.page(), ann.page("/"), editor, ann.client.get("/article", params={"id": HOSTILE}).text):
        scripts = Scripts()
        scripts.feed(page)
        assert set(scripts.active) <= {"/static/review.js"}, scripts.active
        assert "\u202e" not in scripts.words and "62615533" not in scripts.words
    assert "<script>alert(1)</script>" in scripts.words or HOSTILE[:8] in scripts.words
    ann.page()
    ann.finish()


def test_a_hundred_thousand_characters(visit: Visit, article_of: Make, make_run: Make) -> None:
    long = "The tumour was resected and the defect was closed with a flap. " * 1700
    text = f"A 61-year-old woman with chordoma without infection. {long} She walked at 6 weeks."
    ann = visit(at=make_run(article_of("1", abstract=[("", text)]), name="long"))
    page = ann.page()
    assert len(page) > 100_000 and 'data-ids="' in page
    ann.finish()


# Who may come


@pytest.fixture
def client(run: Run, store: Store, client_of: Callable[..., TestClient]) -> TestClient:
    """Somebody who has not given a token yet."""
    return client_of(run, store)


def test_without_the_token_nothing_is_shown(client: TestClient) -> None:
    for path in ("/", "/article?id=pmid:1", "/static/review.js", "/?token=wrong"):
        reply = client.get(path)
        assert reply.status_code == 401 and "chordoma" not in reply.text.lower()


def test_the_token_becomes_a_cookie_and_leaves_the_address(client: TestClient) -> None:
    reply = client.get("/?token=the-token")
    assert reply.status_code == 200 and 'content="0; url=/"' in reply.text and "the-token" not in reply.text
    cookie = reply.headers["set-cookie"].lower()
    assert "samesite=strict" in cookie and "httponly" in cookie and "the-token" not in cookie


def test_other_hosts_are_refused(client: TestClient) -> None:
    client.get("/?token=the-token")
    assert client.get("/", headers={"Host": "evil.example:4711"}).status_code == 421
    assert client.get("/", headers={"Host": "localhost:4711"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "guessed"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_changes_from_elsewhere_are_refused(visit: Visit, store: Store, headers: dict[str, str]) -> None:
    ann = visit()
    body = {"action": "accept", "findings": [ann.line("age")], "revision": 0}
    reply = ann.post("/article/steps?id=pmid:1", body, **headers)
    assert reply.status_code == 403 and store.work("Ann") == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"[" * 100_000])
def test_requests_that_are_no_json(visit: Visit, body: bytes) -> None:
    ann = visit()
    reply = ann.client.post("/article/steps?id=pmid:1", content=body, headers={"X-CSRF-Token": ann.csrf()})
    assert reply.status_code == 422 and "no JSON object" in reply.json()["message"]


def test_large_requests_are_refused(visit: Visit) -> None:
    ann = visit()
    reply = ann.post("/article/steps?id=pmid:1", {"text": "x" * 1_100_000})
    assert reply.status_code == 413


def test_every_reply_forbids_foreign_scripts(client: TestClient) -> None:
    for reply in (
        client.get("/"),
        client.get("/?token=the-token"),
        client.get("/static/review.js"),
        client.get("/none"),
    ):
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert reply.headers["referrer-policy"] == "no-referrer" and reply.headers["x-frame-options"] == "DENY"


def test_the_name_is_asked_for(visit: Visit) -> None:
    browser = visit("")
    assert "Who reviews?" in browser.page("/")
    for name in ("", "  ", "x" * 81, "a\x00b"):
        assert browser.post("/who", {"name": name}).status_code == 422
    assert browser.post("/who", {"name": " Ann  Example "}).json() == {"to": "/"}
    assert "Ann Example" in browser.page("/")


def test_nothing_is_decided_without_a_name(visit: Visit, store: Store) -> None:
    browser = visit("")
    assert browser.client.get("/article?id=pmid:1").url.path == "/who"
    reply = browser.post("/article/steps?id=pmid:1", {"action": "undo", "revision": 0})
    assert reply.status_code == 409 and "who reviews" in reply.json()["message"] and not list(store.log())


def test_unknown_articles_are_told(visit: Visit) -> None:
    ann = visit()
    reply = ann.client.get("/article?id=pmid:99")
    assert reply.status_code == 404 and "no article" in reply.text


def test_editor_guesses_field_and_value_from_the_lexicons(visit: Visit, article_of: Make) -> None:
    ann = visit()
    text = article_of().article.text
    start = text.index("sacrum")
    editor = ann.client.get(f"/article/editor?id=pmid:1&start={start}&end={start + 6}").text
    assert '<option value="site" selected>' in editor and 'value="sacrum"' in editor
    assert ann.client.get("/terms?field=diagnosis&q=chordo").json()[0] == "chordoma"
    assert ann.client.get("/terms?field=nonsense&q=chordo").json() == []
