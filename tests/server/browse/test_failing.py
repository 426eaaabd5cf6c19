"""Why an install of a project fails."""

from typing import Any

from indexfallback.chain.decisions import Decision
from indexfallback.server.browse.about import About, about_section
from indexfallback.server.browse.failing import failing_section, refused_section

NOW = 1_800_000_000.0
FOUND: dict[str, Any] = {
    "project": "demo",
    "owner": "pypi",
    "withheld": [],
    "dropped": {},
    "cooldown": None,
}


def failing(*failures: Decision, has_files: bool = True, **report: object) -> str:
    return failing_section(FOUND | report, failures, NOW, has_files=has_files)


def failure(filename: str) -> Decision:
    return Decision(
        1, NOW, "pip/26.3", "demo", filename, "pypi", "refused", 0.1, 503, "reset", "Run again."
    )


def test_a_project_whose_files_are_offered_does_not_fail() -> None:
    assert failing() == ""


def test_a_failure_of_the_page_is_over_once_it_is_shown() -> None:
    assert failing(failure("")) == ""


def test_a_file_that_was_not_served_is_named_with_cause_and_remedy() -> None:
    shown = failing(failure("demo-1.0.tar.gz"))
    assert "<b>demo-1.0.tar.gz</b> was not served at <time" in shown
    assert "reset. Run again." in shown


def test_a_page_without_files_says_why_it_offers_none() -> None:
    assert "The page of pypi lists no file. Ask whoever publishes it" in failing(has_files=False)
    dropped = failing(has_files=False, dropped={"a malformed sha256": 2})
    assert "2 left out (2: a malformed sha256)" in dropped
    changed = failing(has_files=False, withheld=[{"filename": "demo-1.0.zip"}])
    assert "indexfallback cache accept demo demo-1.0.zip</code>" in changed


def test_a_refusal_has_its_cause_and_remedy() -> None:
    shown = refused_section({"cause": "no index has it", "remedy": "Run `a b`."})
    assert '<p>No index has it. Run <code class="command">a b</code>.</p>' in shown


def test_requirements_are_links_to_their_projects_and_those_that_fail_are_marked() -> None:
    known = About(requires=("Zope.Interface>=5; extra == 'x'", "idna", "!odd <b>"))
    shown = about_section(known, {"idna"})
    assert '<code><a href="../zope-interface/">Zope.Interface</a>&gt;=5; extra ==' in shown
    assert '<a href="../idna/">idna</a></code> <span class="mark bad">fails now</span>' in shown
    assert "<code>!odd &lt;b&gt;</code>" in shown
    assert shown.count("fails now") == 1
