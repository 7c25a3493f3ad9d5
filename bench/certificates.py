"""What TLS needs on both sides: an RSA-3072 certificate that the other one trusts, and TLS 1.3 alone."""

import datetime as dt
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def certify(folder: Path, name: str) -> None:
    """Make an RSA-3072 key and a certificate for it that it signs itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    private = folder / f"{name}.key"
    private.touch(0o600)
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))


def context(folder: Path, own: str, peer: str) -> ssl.SSLContext:
    """Return the settings of one side: TLS 1.3 alone, both certificates checked."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if own == "host" else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(folder / f"{own}.pem", folder / f"{own}.key")
    made.load_verify_locations(folder / f"{peer}.pem")
    return made
