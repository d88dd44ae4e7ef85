"""Until when the certificate is good with which this program signs in to Entra ID."""

from __future__ import annotations

from datetime import datetime

from orosync.config import Config


def client_certificate_expires(config: Config) -> datetime | None:
    """None where there is none, or where it cannot be read: signing in then says so better."""
    from cryptography import x509

    if config.client_certificate is None:
        return None
    try:
        found = x509.load_pem_x509_certificates(config.client_certificate.read_bytes())
    except (OSError, ValueError):
        return None
    return min((each.not_valid_after_utc for each in found), default=None)
