"""What is said of the bucket that several shims share."""

from dataclasses import replace

import pytest

from indexfallback.doctor.finding import Verdict
from indexfallback.doctor.machine import SharedBucket
from indexfallback.doctor.shared import judged

KEY = {"AWS_ACCESS_KEY_ID": "key"}
RIGHT = SharedBucket(
    "s3://packages/x", "https://s3.example.com", reads=True, writes=True, conditions=True
)


def test_a_bucket_that_passes_is_well() -> None:
    assert judged(RIGHT, KEY).verdict is Verdict.OK


def test_one_that_is_only_read_by_the_settings_is_well() -> None:
    shared = replace(RIGHT, is_for_writing=False, writes=False, conditions=False)
    assert judged(shared, KEY).verdict is Verdict.OK


def test_without_the_right_to_write_it_is_a_warning_with_both_remedies() -> None:
    found = judged(replace(RIGHT, writes=False, conditions=False, cause="403 Forbidden"), KEY)
    assert found.verdict is Verdict.WARN
    assert "read only with the key in the environment" in found.what
    assert found.remedy == 'Permit writing, or set shared_mode = "read"'


def test_one_that_may_be_full_is_a_warning_that_says_so() -> None:
    found = judged(replace(RIGHT, writes=False, conditions=False, may_pass=True), KEY)
    assert (found.verdict, found.remedy) == (Verdict.WARN, "See whether it is full")


def test_one_that_ignores_conditions_shares_no_pins() -> None:
    found = judged(replace(RIGHT, conditions=False, cause="it ignores If-None-Match"), KEY)
    assert found.verdict is Verdict.WARN
    assert "pins and lists of names are not" in found.what


@pytest.mark.parametrize(
    ("environ", "cause", "remedy"),
    [
        ({}, "no answer in time", "Set AWS_ACCESS_KEY_ID"),
        ({}, "403 Forbidden (InvalidAccessKeyId)", "Correct AWS_ACCESS_KEY_ID"),
        (KEY, "403 Forbidden (AccessDenied)", "Permit these credentials to read, list and write"),
        (KEY, "403 Forbidden (SignatureDoesNotMatch)", "Correct AWS_ACCESS_KEY_ID"),
        (KEY, "403 Forbidden (RequestTimeTooSkewed)", "Set the clock"),
        (KEY, "400 Bad Request (ExpiredToken)", "Renew AWS_SESSION_TOKEN"),
        (KEY, "400 Bad Request (AuthorizationHeaderMalformed)", "Set AWS_REGION"),
        (KEY, "a redirect to another region", "Set AWS_REGION"),
        (KEY, "404 Not Found (NoSuchBucket)", "Create the bucket"),
        (KEY, "its certificate is not valid (UnknownIssuer)", "Set SSL_CERT_FILE"),
        (KEY, "it does not speak TLS", "Correct the endpoint"),
        (KEY, "Connection refused", "Correct cache.shared and cache.shared_endpoint"),
    ],
)
def test_one_that_cannot_be_read_fails_with_the_likely_remedy(
    environ: dict[str, str], cause: str, remedy: str
) -> None:
    shared = SharedBucket("s3://packages/x", "https://s3.example.com", cause=cause)
    found = judged(shared, environ)
    assert found.verdict is Verdict.FAIL
    assert cause in found.what
    assert found.remedy.startswith(remedy)


@pytest.mark.parametrize(
    "shared",
    [
        SharedBucket("s3://packages/x", cause="403 Forbidden"),
        replace(RIGHT, is_for_writing=False),
        replace(RIGHT, writes=False),
        replace(RIGHT, conditions=False),
    ],
)
def test_what_strict_pins_does_meanwhile_is_said(shared: SharedBucket) -> None:
    assert "503" not in judged(shared, KEY).what
    what = judged(replace(shared, is_strict=True), KEY).what
    assert what.endswith("with strict_pins, a file that has no pin there is answered with 503")
    assert "works without it" not in what


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "a web identity"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "the role of the container"),
    ],
)
def test_the_credentials_that_were_found_are_named(variable: str, said: str) -> None:
    shared = SharedBucket("s3://packages/x", cause="403 Forbidden")
    assert f"with {said}" in judged(shared, {variable: "x"}).what


def test_without_the_extra_it_says_what_to_install() -> None:
    shared = SharedBucket("s3://packages/x", problem="needs obstore", remedy="Install obstore")
    found = judged(shared, KEY)
    assert (found.verdict, found.what, found.remedy) == (
        Verdict.FAIL, "needs obstore", "Install obstore",
    )  # fmt: skip
