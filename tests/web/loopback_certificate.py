"""The certificate of every service on loopback that the tests' browser visits, and the key that the browser is told to
trust, since nobody it knows vouches for it."""

from __future__ import annotations

import base64
import hashlib
import ssl
from functools import cache

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.web.sign_in_world import certificate_authority


@cache
def loopback_certificate() -> trustme.LeafCert:
    return certificate_authority().issue_cert("127.0.0.1", "localhost")


@cache
def server_side() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    loopback_certificate().configure_cert(context)
    return context


def trusted_key() -> str:
    """As Chromium wants it: Base64 of the SHA-256 of the key's SubjectPublicKeyInfo."""
    certificate = x509.load_pem_x509_certificate(loopback_certificate().cert_chain_pems[0].bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
