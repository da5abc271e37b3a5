"""Only the console's own pages and programs on this computer get an answer."""

from __future__ import annotations

import pytest

from tests.unit.console.conftest import HERE

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:4580"},
        {"Origin": HERE},
        {"Host": "localhost:4580", "Origin": "http://localhost:4580"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site", **NAVIGATION},
    ],
    ids=str,
)
def test_own_pages_programs_and_followed_links_are_answered(ask, headers):
    assert ask("GET", "/api/stack", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:4580"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:4581"},
        {"Host": "127.0.0.1:4580.evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "https://127.0.0.1:4580"},
        {"Origin": "http://localhost:4580"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/", "/api/stack", "/api/events", "/static/main.js", "/nowhere"])
def test_foreign_pages_are_refused_everywhere(ask, headers, path):
    answer = ask("GET", path, headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_no_link_or_form_of_another_site_changes_anything(ask, stack):
    headers = {"Sec-Fetch-Site": "cross-site", **NAVIGATION}
    assert ask("POST", "/api/predict?dataset=mnist", headers=headers).status_code == 403
    assert stack.runtime.requests == []


@pytest.mark.parametrize("path", ["/", "/runs/x", "/api/stack", "/static/main.js", "/graph.css", "/nowhere"])
def test_every_answer_forbids_what_is_not_the_consoles(ask, path):
    headers = ask("GET", path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
