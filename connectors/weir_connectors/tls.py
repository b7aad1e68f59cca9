"""Whose certificates a connection trusts."""

from __future__ import annotations

import ssl

from weir_connectors.errors import InvalidInputError


def client_context(type_name: str, cacert: str | None, verify: bool) -> ssl.SSLContext:
    """Return the settings of TLS for a client.

    Parameters:
        type_name: The connection type, for the error's text.
        cacert: Certificates as PEM to trust instead of the system's.
        verify: Whether to check whom we talk to.

    Raises:
        InvalidInputError: cacert holds what is no certificate.
    """
    if not verify:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context = ssl.create_default_context(cadata=cacert)
    except (ssl.SSLError, ValueError):
        raise InvalidInputError(
            f"{type_name}: invalid input cacert: expected certificates as PEM text, unharmed"
        ) from None
    if cacert is None and not _has_system_authorities():
        import certifi  # which comes with httpx

        context.load_verify_locations(cafile=certifi.where())
    # Python 3.13 is stricter than other clients: authorities that companies made for themselves
    # often lack the extensions that it asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _has_system_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or paths.capath is not None
