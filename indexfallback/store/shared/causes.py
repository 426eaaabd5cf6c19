"""Why a request to a bucket failed, in a few words: obstore describes it on thirty lines; pure."""

import re

#: What its description has, and the cause, with the first group of the pattern; the first that is
#: found holds.
_CAUSES = (
    (re.compile("kind: Timeout|TimedOut"), "no answer in time"),
    # Of the operating system.
    (re.compile(r'message: "([^"]{1,200})"'), "{}"),
    (re.compile(r"InvalidCertificate\(\s*(\w+)"), "its certificate is not valid ({})"),
    (re.compile("InvalidMessage"), "it does not speak TLS"),
    (re.compile("BareRedirect"), "a redirect to another region"),
    # Of the resolver, or of TLS.
    (re.compile(r'error: "([^"]{1,200})"'), "{}"),
    (re.compile("IncompleteMessage"), "the connection was closed without an answer"),
)
_STATUS = re.compile(r"status code: (\d{3}[A-Za-z ]*)")
#: The code of S3.
_CODE = re.compile(r"<Code>(\w+)</Code>")


def cause_of(text: str) -> str:
    """Return the cause in a description of obstore."""
    status, code = _STATUS.search(text), _CODE.search(text)
    if status is not None:
        return status[1].strip() + (f" ({code[1]})" if code is not None else "")
    for pattern, cause in _CAUSES:
        found = pattern.search(text)
        if found is not None:
            return cause.format(*found.groups())
    return text.partition("\n")[0][:300]
