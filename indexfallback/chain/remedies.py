"""What to do about an index that could not be asked, for each kind of failure."""

from indexfallback.config import Index
from indexfallback.outcome import Kind

_REMEDIES = {
    Kind.DENIED: "Check the user name and password of {index}.",
    Kind.NO_LOGIN: "Give {index} a login: username and password_env, or an entry in netrc.",
    Kind.OTHER_LOGIN: (
        "Put a login for that host into netrc, or tell whoever runs {index} if the login in its "
        "links is refused."
    ),
    Kind.REFUSED: "Ask whoever runs {index} for access.",
    Kind.FAILED: "The fault is at {index}: run again later, or tell whoever runs it.",
    Kind.WRONG: "Tell whoever runs {index}, or choose another version.",
    Kind.CLOSED: "Start {index}, or correct the port in its url: nothing listens there.",
    Kind.NO_HOST: (
        "Correct the host in the url of {index}, or connect to the network (VPN) that knows it."
    ),
    Kind.PROXY: "Check the proxy that HTTPS_PROXY or HTTP_PROXY names, and its login.",
    Kind.INSECURE: "Check the certificate of {index}, and the host and port in its url.",
    Kind.EXPIRED: (
        "Check the certificate of {index}: whoever runs it must renew it. If it is valid, correct "
        "the clock of this machine."
    ),
    Kind.UNTRUSTED: "Check the certificate of {index}, and name its CA in pip's cert setting.",
    Kind.NOT_AN_INDEX: "Check the address of {index}, or log in to the network.",
    Kind.LIMITED: "Wait a little and run again.",
    Kind.LOCAL: "Run again.",  # the fault itself is told with its remedy (`process.machine`)
    Kind.PAUSED: "Run again.",
    Kind.NOT_ALLOWED: "Add the host to allow-hosts, or leave {index} out.",
    Kind.FORBIDDEN: "Log in to the network, or make {index} private if it is one of yours.",
    Kind.OFFLINE: "Connect and run again; what is in the cache is served meanwhile.",
}
_RUN_AGAIN = (
    "Make {index} reachable (VPN, network) and run again, or use --offline for what is cached."
)


def remedy_for(kind: Kind, index: Index) -> str:
    """Return what to do about an index that could not be asked."""
    if index.is_directory and kind is Kind.LOCAL:
        return (
            f"Put a whole file under its own name into the directory of {index.name}, or wait "
            "until it is written."
        )
    if index.is_directory and kind is Kind.NOT_AN_INDEX:
        return (
            "Write that page again, or remove it if it is none; the url of "
            f"{index.name} must be the directory with the pages or the distributions."
        )
    if index.is_bucket and kind in (Kind.DENIED, Kind.NOT_AN_INDEX):
        return (
            f"Give the credentials of this process the rights to read and list {index.url}, or "
            "correct the url or the endpoint."
        )
    if index.is_directory:
        return f"Make the directory of {index.name} readable, or correct its url."
    remedy = _REMEDIES.get(kind, _RUN_AGAIN).format(index=index.name)
    if kind is Kind.REFUSED and index.is_private and not index.has_login:
        remedy = (
            f"If {index.name} wants a login, give it one: username and password_env, or an entry "
            f"in netrc. Otherwise, ask whoever runs {index.name} for access."
        )
    if kind is Kind.REFUSED and index.forbidden != "absent":
        remedy += (
            f" If {index.name} answers 403 for what it does not have (S3, CloudFront), set "
            'forbidden = "absent" for it.'
        )
    return remedy
