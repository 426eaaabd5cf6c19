"""Why a request to a bucket failed, in a few words, and what mends it; pure.

obstore describes a failure on thirty lines.
"""

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
#: What a cause has, most of it codes of S3, and what mends it; the first that is found holds.
#: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_REMEDIES = (
    (("NoSuchBucket",), "create the bucket, or correct its name"),
    (("not an object store",), "correct the address of the endpoint"),
    (("InvalidAccessKeyId", "SignatureDoesNotMatch"),
     "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    (("ExpiredToken", "InvalidToken"), "renew AWS_SESSION_TOKEN and the keys that belong to it"),
    (("RequestTimeTooSkewed",), "set the clock of this machine"),
    (("region", "AuthorizationHeaderMalformed"), "set AWS_REGION to the region of the bucket"),
    (("certificate",),
     "set SSL_CERT_FILE to a file with the certificates of the authorities that you trust"),
    (("speak TLS",), "correct the endpoint: it is http, or at another port"),
)  # fmt: skip


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


def remedy_of(cause: str) -> str:
    """Return what mends a cause for certain; empty if it does not tell."""
    for parts, remedy in _REMEDIES:
        if any(part in cause for part in parts):
            return remedy
    return ""
