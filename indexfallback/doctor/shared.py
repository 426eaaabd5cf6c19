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
    strict = "; with strict_pins, a file that has no pin there is answered with 503"
    strict = strict if shared.is_strict else ""
    login = next((what for key, what in _CREDENTIALS.items() if environ.get(key)), "")
    by = f"with {login or _NO_CREDENTIALS}"
    if not shared.reads:
        remedy = _remedy(shared, has_login=bool(login))
        alone = strict or "; the shim works without it"
        return fail(_SUBJECT, f"{name} cannot be used {by} ({shared.cause}){alone}", remedy)
    if not shared.is_for_writing:
        return ok(_SUBJECT, f"{name} is only read, by shared_mode{strict}")
    if not shared.writes:
        return warn(
            _SUBJECT,
            f"{name} is read only {by} ({shared.cause}){strict}",
            "See whether it is full"
            if shared.may_pass
            else 'Permit writing, or set shared_mode = "read"',
        )
    if not shared.conditions:
        return warn(
            _SUBJECT,
            f"{name}: {shared.cause}; files and pages are shared, pins and lists of names are not"
            + strict,
            "Use a server that honours If-None-Match and If-Match",
        )
    return ok(_SUBJECT, f"{name} has passed the self-test")


def _remedy(shared: SharedBucket, *, has_login: bool) -> str:
    """Return what most likely mends a bucket that cannot be read."""
    # Whoever shares nothing does not import it.
    from indexfallback.store.shared.causes import remedy_of  # noqa: PLC0415

    known = remedy_of(shared.cause)
    if known:
        return f"{known[0].upper()}{known[1:]}"
    if not has_login:
        return _SET_KEY
    if shared.cause.startswith(("401", "403")):
        rights = "read, list and write" if shared.is_for_writing else "read and list"
        return f"Permit these credentials to {rights} there"
    return "Correct cache.shared and cache.shared_endpoint, or see whether it runs"


CHECKS = (bucket,)
