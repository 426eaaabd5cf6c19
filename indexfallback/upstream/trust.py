"""TLS contexts that verify servers by what the user trusts."""

import ssl
from pathlib import Path


def context_of(bundle: Path | None) -> ssl.SSLContext:
    """Return a context that trusts a file or directory of certificates; None: the system's."""
    if bundle is None:
        import truststore  # noqa: PLC0415 - for TLS without a bundle alone

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(
        cafile=None if bundle.is_dir() else str(bundle),
        capath=str(bundle) if bundle.is_dir() else None,
    )


def context_with(certificates: str) -> ssl.SSLContext:
    """Return a context that trusts the system's certificates and those of a PEM text."""
    import truststore  # noqa: PLC0415 - as above

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificates:
        context.load_verify_locations(cadata=certificates)
    return context
