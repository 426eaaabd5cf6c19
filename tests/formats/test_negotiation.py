"""Which type a client gets for its Accept header."""

import pytest

from indexfallback.formats import Media, negotiate

PIP = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, "
    "text/html; q=0.01"
)
UV = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.01"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
V1_JSON = "application/vnd.pypi.simple.v1+json"
LATEST_JSON = "application/vnd.pypi.simple.latest+json"
LATEST_HTML = "application/vnd.pypi.simple.latest+html"


@pytest.mark.parametrize("accept", [PIP, UV, V1_JSON, LATEST_JSON, V1_JSON.upper()])
def test_clients_that_prefer_json_get_json(accept: str) -> None:
    assert negotiate(accept) is Media.JSON_V1


@pytest.mark.parametrize("accept", [None, "", "  ", "*/*", "text/*", "text/html", BROWSER])
def test_clients_that_do_not_care_get_text_html(accept: str | None) -> None:
    assert negotiate(accept) is Media.HTML


@pytest.mark.parametrize("accept", [LATEST_HTML, Media.HTML_V1.value])
def test_the_html_of_the_api_is_sent_where_it_is_named(accept: str) -> None:
    assert negotiate(accept) is Media.HTML_V1


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "application/vnd.pypi.simple.v2+json",
        "text/html;q=0",
        "*/*;q=0",
        "text/html;q=2",
        "text/html;q=x",
        "text/html;q=nan",
        ",",
        ";q=1",
    ],
)
def test_nothing_acceptable_means_406(accept: str) -> None:
    assert negotiate(accept) is None


def test_the_higher_weight_wins_whatever_the_order() -> None:
    assert negotiate(f"{V1_JSON};q=0.2, text/html;q=0.9") is Media.HTML


def test_a_type_refused_by_name_is_not_sent_for_an_asterisk() -> None:
    assert negotiate("text/html;q=0, */*") is Media.JSON_V1


def test_a_type_that_is_named_goes_before_an_asterisk_of_the_same_weight() -> None:
    assert negotiate(f"*/*, {V1_JSON}") is Media.JSON_V1


def test_of_equal_weights_the_first_named_is_sent() -> None:
    assert negotiate(f"{V1_JSON}, text/html") is Media.JSON_V1
    assert negotiate(f"text/html, {V1_JSON}") is Media.HTML


def test_the_lone_asterisk_of_java_counts_as_anything() -> None:
    assert negotiate("image/gif, *; q=.2, */*; q=.2") is Media.HTML


def test_other_parameters_than_the_weight_do_not_matter() -> None:
    assert negotiate("text/html; charset=utf-8; q=0.5") is Media.HTML
