"""Certificate authorities of our own, for tests of TLS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)

HERE = x509.IPAddress(IPv4Address("127.0.0.1"))

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Certificates:
    """PEM files."""

    authority: Path
    server: Path
    """For localhost and 127.0.0.1, with its key."""
    other: Path
    """For another name, with its key."""


@dataclass(frozen=True)
class Pair:
    """A certificate with its chain, and its key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Chain:
    """PEM files of a household that has an authority, and one below it that signs."""

    root: Path
    authorities: Path
    """Both."""
    server: Pair
    """For localhost and 127.0.0.1."""
    elsewhere: Pair
    """For another name."""
    outdated: Pair
    """For localhost, expired."""
    node: Pair
    """A client, and another one."""
    home: Pair
    expired: Pair
    """A client whose certificate is not valid any more."""
    stranger: Pair
    """A client whose certificate somebody else signed."""


class Authority:
    """What signs certificates."""

    def __init__(self, folder: Path, name: str, issuer: Authority | None = None) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = _name(name)
        signer = issuer or self
        builder = (
            _builder(signer.subject, self.subject, self.key, days=30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(_SIGNS, critical=True)
        )
        if issuer:
            builder = builder.add_extension(issuer.identifier, critical=False)
        self.certificate = builder.sign(signer.key, hashes.SHA256()).public_bytes(_PEM)
        self.chain: bytes = self.certificate + issuer.chain if issuer else b""
        """What goes with the certificates that it signs: all but the root."""

    @property
    def identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())

    def server(self, name: str, *names: x509.GeneralName, days: int = 30, file: str = "") -> Pair:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name), *names])
        return self._sign(file or name, _name(name), days, purpose, alternatives)

    def client(self, name: str, *, days: int = 30, file: str = "") -> Pair:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._sign(file or name, _name(name), days, purpose)

    def _sign(self, file: str, subject: x509.Name, days: int, *extensions: x509.ExtensionType) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self.subject, subject, key, days=days).add_extension(self.identifier, critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        pair = Pair(self.folder / f"{file}.pem", self.folder / f"{file}.key")
        pair.certificate.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(_PEM) + self.chain)
        pkcs8, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pair.key.write_bytes(key.private_bytes(_PEM, pkcs8, clear))
        return pair


def write_certificates(folder: Path) -> Certificates:
    """Write an authority's certificate, and those of servers, into `folder`."""
    authority = Authority(folder, "Test authority")
    path = folder / "authority.pem"
    path.write_bytes(authority.certificate)

    def server(name: str, *names: x509.GeneralName) -> Path:
        pair = authority.server(name, *names)
        pair.certificate.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
        return pair.certificate

    return Certificates(path, server("localhost", HERE), server("camera.example"))


def write_chain(folder: Path, *addresses: str) -> Chain:
    """Write the certificates of a household into `folder`; its server has these addresses, too."""
    root = Authority(folder, "Household")
    signer = Authority(folder, "Household devices", root)
    above, both = folder / "root.pem", folder / "authorities.pem"
    above.write_bytes(root.certificate)
    both.write_bytes(signer.certificate + root.certificate)
    return Chain(
        root=above,
        authorities=both,
        server=signer.server("localhost", HERE, *(x509.IPAddress(IPv4Address(address)) for address in addresses)),
        elsewhere=signer.server("elsewhere.example"),
        outdated=signer.server("localhost", HERE, days=-1, file="outdated"),
        node=signer.client("node"),
        home=signer.client("home"),
        expired=signer.client("node", days=-1, file="expired"),
        stranger=Authority(folder, "Somebody else").client("node", file="stranger"),
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    """Return a certificate to be signed, valid for so many days from now, or until so many days ago."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer_name=issuer, subject_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(now + days * DAY)
    )


_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
