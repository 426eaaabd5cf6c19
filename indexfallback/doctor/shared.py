"""Checks of the bucket that several shims share."""

from collections.abc import Iterator, Mapping

from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine, SharedBucket

_SUBJECT = "shared bucket"
#: The variables with credentials or with where they are, in the order in which they count.
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "the key in the environment",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "a web identity",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "the role of the container",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "the role of the container",
}
_NO_CREDENTIALS = "the role of the machine, since the environment names no credentials"
_SET_KEY = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run it with a role"


def bucket(machine: Machine) -> Iterator[Finding]:
    """Find a bucket that cannot be used as the settings say."""
    if machine.shared is not None:
        yield judged(machine.shared, machine.environ)


def judged(shared: SharedBucket, environ: Mapping[str, str]) -> Finding:
    """Return the finding about a bucket."""
    name = f"{shared.url} at {shared.endpoint}" if shared.endpoint else shared.url
    if shared.problem:
        return fail(_SUBJECT, shared.problem, shared.remedy)
    login = next((what for key, what in _CREDENTIALS.items() if environ.get(key)), "")
    by = f"with {login or _NO_CREDENTIALS}"
    if not shared.reads:
        remedy = "Correct cache.shared and cache.shared_endpoint, or see whether it runs"
        if not login:
            remedy = _SET_KEY
        elif "40" in shared.cause.partition(" ")[0]:
            remedy = "Permit these credentials to read, list and write there"
        what = f"{name} cannot be used {by} ({shared.cause}); the shim works without it"
        return fail(_SUBJECT, what, remedy)
    if not shared.is_for_writing:
        return ok(_SUBJECT, f"{name} is only read, by shared_mode")
    if not shared.writes:
        return warn(
            _SUBJECT,
            f"{name} is read only {by} ({shared.cause})",
            "See whether it is full"
            if shared.may_pass
            else 'Permit writing, or set shared_mode = "read"',
        )
    if not shared.conditions:
        return warn(
            _SUBJECT,
            f"{name}: {shared.cause}; files and pages are shared, pins and lists of names are not",
            "Use a server that honours If-None-Match and If-Match",
        )
    return ok(_SUBJECT, f"{name} has passed the self-test")


CHECKS = (bucket,)
