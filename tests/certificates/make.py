"""Makes the certificates that tests use: `python3 tests/certificates/make.py` (needs `cryptography`).

Their dates are fixed and lie a century apart, so that no test depends on the day it runs. The private keys are thrown away:
the tests only verify. Running it again makes other keys, and with them other fingerprints.

    authorities.pem   what `authorities.file` names in most tests: roots of four key types and an intermediate
    strangers.pem     authorities that are not in that file, or that no file may have
    clients.pem       client certificates

Each certificate has a line before it that names it: `# partner-a`.
"""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.name import _ASN1Type as Asn1
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID as Oid

HERE = Path(__file__).resolve().parent
START, END = datetime.datetime(2020, 1, 1), datetime.datetime(2120, 1, 1)
PAST = datetime.datetime(2000, 1, 1), datetime.datetime(2010, 1, 1)
FUTURE = datetime.datetime(2110, 1, 1), datetime.datetime(2120, 1, 1)


def p256():
    return ec.generate_private_key(ec.SECP256R1())


def name(*rdns):
    """In the order of the certificate: `name(("O", "Example"), ("CN", "a"))` is `CN=a,O=Example` in RFC 4514's text."""
    oids = {"CN": Oid.COMMON_NAME, "O": Oid.ORGANIZATION_NAME, "OU": Oid.ORGANIZATIONAL_UNIT_NAME, "L": Oid.LOCALITY_NAME}

    def attribute(short, value, kind=Asn1.UTF8String):
        return x509.NameAttribute(oids[short], value, kind)

    return x509.Name([
        x509.RelativeDistinguishedName([attribute(*one) for one in (rdn if isinstance(rdn, list) else [rdn])]) for rdn in rdns
    ])


class Authority:
    def __init__(self, subject, key, by=None, dates=(START, END), path_length=None, is_ca=True, signs=True, constraints=None, hash=hashes.SHA256()):
        self.subject, self.key = subject, key
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(by.subject if by else subject)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(dates[0]).not_valid_after(dates[1])
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
        builder = builder.add_extension(key_usage(signs_certificates=signs), critical=True)
        if constraints:
            builder = builder.add_extension(constraints, critical=True)
        self.certificate = sign(builder, (by or self).key, hash)

    def issues(self, subject, key=None, dates=(START, END), usages=(Usage.CLIENT_AUTH,), uris=(), dns=(), keys_usage=None, is_ca=False, hash=hashes.SHA256(), odd=None):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.subject)
        builder = builder.public_key((key or p256()).public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(dates[0]).not_valid_after(dates[1])
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        if keys_usage is not None:
            builder = builder.add_extension(keys_usage, critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        names = [x509.UniformResourceIdentifier(uri) for uri in uris] + [x509.DNSName(one) for one in dns]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if odd:
            builder = builder.add_extension(odd, critical=True)
        return sign(builder, self.key, hash)


def sign(builder, key, hash):
    if not isinstance(hash, hashes.SHA1):
        return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hash)
    # The library makes no such certificates any more: signed anew, under the other algorithm's name.
    certificate = builder.sign(key, hashes.SHA256())
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    signed = certificate.tbs_certificate_bytes.replace(sha256, sha1)
    der = certificate.public_bytes(serialization.Encoding.DER).replace(sha256, sha1)
    der = der.replace(certificate.signature, key.sign(signed, padding.PKCS1v15(), hash))
    return x509.load_der_x509_certificate(der)


def key_usage(signs_certificates=False, signature=True, encipherment=False):
    return x509.KeyUsage(
        digital_signature=signature, content_commitment=False, key_encipherment=encipherment, data_encipherment=False, key_agreement=False,
        key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False, decipher_only=False,
    )


def write(file, certificates):
    text = ""
    for title, certificate in certificates.items():
        certificate = getattr(certificate, "certificate", certificate)
        text += f"# {title}\n" + certificate.public_bytes(serialization.Encoding.PEM).decode()
    (HERE / file).write_text(text)


ROOT_NAME = name(("O", "Example"), ("CN", "Example Root"))
root = Authority(ROOT_NAME, p256())
intermediate = Authority(name(("O", "Example"), ("CN", "Example Issuer")), p256(), by=root, path_length=0)
root_rsa = Authority(name(("O", "Example"), ("CN", "Example Root RSA")), rsa.generate_private_key(65537, 2048))
root_p384 = Authority(name(("O", "Example"), ("CN", "Example Root P-384")), ec.generate_private_key(ec.SECP384R1()), hash=hashes.SHA384())
root_ed25519 = Authority(name(("O", "Example"), ("CN", "Example Root Ed25519")), ed25519.Ed25519PrivateKey.generate())
write("authorities.pem", {
    "root": root, "intermediate": intermediate, "root-rsa": root_rsa, "root-p384": root_p384, "root-ed25519": root_ed25519,
})

other_root = Authority(name(("O", "Other"), ("CN", "Other Root")), p256())
namesake = Authority(ROOT_NAME, p256())
rollover = Authority(ROOT_NAME, p256(), by=root)
expired_root = Authority(name(("O", "Example"), ("CN", "Expired Root")), p256(), dates=PAST)
short_root = Authority(name(("O", "Example"), ("CN", "Short Root")), p256(), path_length=0)
below_short = Authority(name(("O", "Example"), ("CN", "Below Short Root")), p256(), by=short_root)
constrained = Authority(
    name(("O", "Example"), ("CN", "Constrained Root")), p256(),
    constraints=x509.NameConstraints([x509.DNSName("example.com")], None),
)
small_root = Authority(name(("O", "Example"), ("CN", "Small Root")), rsa.generate_private_key(65537, 1024))
sha1_root = Authority(name(("O", "Example"), ("CN", "SHA-1 Root")), rsa.generate_private_key(65537, 2048), hash=hashes.SHA1())
write("strangers.pem", {
    "other-root": other_root, "namesake": namesake, "rollover": rollover, "expired-root": expired_root, "short-root": short_root,
    "below-short-root": below_short, "constrained-root": constrained, "small-root": small_root, "sha1-root": sha1_root,
    "no-authority": Authority(name(("CN", "No Authority")), p256(), is_ca=False),
    "signs-nothing": Authority(name(("CN", "Signs Nothing")), p256(), signs=False),
})

EXAMPLE, A = ("O", "Example"), ("CN", "partner-a")
partner_a = name(EXAMPLE, A)


def client(*rdns, **more):
    return root.issues(name(*rdns), **more)


def uris(*uris, **more):
    return client(("CN", "workload"), uris=uris, **more)


SPIFFE = "spiffe://example.org"
write("clients.pem", {
    # Good ones.
    "partner-a": root.issues(partner_a),
    "partner-b": client(EXAMPLE, ("CN", "partner-b")),
    "rsa": root_rsa.issues(partner_a, key=rsa.generate_private_key(65537, 2048)),
    "p384": root_p384.issues(partner_a, key=ec.generate_private_key(ec.SECP384R1()), hash=hashes.SHA384()),
    "ed25519": root_ed25519.issues(partner_a, key=ed25519.Ed25519PrivateKey.generate()),
    "by-intermediate": intermediate.issues(partner_a),
    "printable-string": client(("O", "Example", Asn1.PrintableString), ("CN", "partner-a", Asn1.PrintableString)),
    "without-usage": root.issues(partner_a, usages=()),
    "with-key-usage": root.issues(partner_a, keys_usage=key_usage()),
    # Chain, dates, usage.
    "expired": root.issues(partner_a, dates=PAST),
    "not-yet-valid": root.issues(partner_a, dates=FUTURE),
    "for-servers": root.issues(partner_a, usages=(Usage.SERVER_AUTH,)),
    "for-encipherment": root.issues(partner_a, keys_usage=key_usage(signature=False, encipherment=True)),
    "an-authority": root.issues(partner_a, is_ca=True),
    "by-other-root": other_root.issues(partner_a),
    "by-namesake": namesake.issues(partner_a),
    "by-rollover": rollover.issues(partner_a),
    "by-expired-root": expired_root.issues(partner_a),
    "by-small-root": small_root.issues(partner_a),
    "by-sha1-root": sha1_root.issues(partner_a),
    "below-short-root": below_short.issues(partner_a),
    "by-itself": Authority(partner_a, p256(), is_ca=False),
    "small-key": root.issues(partner_a, key=rsa.generate_private_key(65537, 1024)),
    "p521-key": root.issues(partner_a, key=ec.generate_private_key(ec.SECP521R1())),
    "sha1-signature": root_rsa.issues(partner_a, hash=hashes.SHA1()),
    "within-constraints": constrained.issues(partner_a, dns=("a.example.com",)),
    "outside-constraints": constrained.issues(partner_a, dns=("a.example.net",)),
    "unknown-critical-extension": root.issues(partner_a, odd=x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")),
    # Subjects that are not `CN=partner-a,O=Example`.
    "subject-in-one-value": client(("CN", "partner-a,O=Example")),
    "subject-in-one-value-escaped": client(("CN", "partner-a\\,O=Example")),
    "subject-in-organization": client(("O", "Example"), ("CN", "partner-a,O=Example")),
    "longer-name": client(EXAMPLE, ("CN", "partner-a2")),
    "other-unit-too": client(EXAMPLE, ("OU", "Guests"), A),
    "without-organization": client(A),
    "name-elsewhere": client(EXAMPLE, ("L", "partner-a")),
    "order-reversed": client(A, EXAMPLE),
    "multi-valued": client([A, EXAMPLE]),
    "second-common-name": client(EXAMPLE, A, ("CN", "partner-b")),
    "first-common-name": client(EXAMPLE, ("CN", "partner-b"), A),
    "two-common-names-in-one": client(EXAMPLE, [A, ("CN", "partner-b")]),
    "upper-case": client(EXAMPLE, ("CN", "PARTNER-A")),
    "leading-blank": client(EXAMPLE, ("CN", " partner-a")),
    "trailing-blank": client(EXAMPLE, ("CN", "partner-a ")),
    "nul": client(EXAMPLE, ("CN", "partner-a\0")),
    "nul-inside": client(EXAMPLE, ("CN", "partner-a\0.example.net")),
    "line-break": client(EXAMPLE, ("CN", "partner-a\n")),
    "cyrillic": client(EXAMPLE, ("CN", "p\u0430rtner-a")),
    "full-width": client(EXAMPLE, ("CN", "\uff50artner-a")),
    "zero-width": client(EXAMPLE, ("CN", "partner\u200b-a")),
    "bmp-string": client(EXAMPLE, ("CN", "partner-a", Asn1.BMPString)),
    "teletex-string": client(EXAMPLE, ("CN", "partner-a", Asn1.T61String)),
    "no-subject": client(),
    # A subject with a comma, and one of several attributes in one RDN.
    "comma": client(("O", "Example, Inc."), ("CN", "partner+a")),
    "multi-valued-unit": client(EXAMPLE, [("OU", "Sales"), ("CN", "partner-c")]),
    # URIs.
    "uri": uris(f"{SPIFFE}/a"),
    "uri-deep": uris(f"{SPIFFE}/a/b/c"),
    "uri-root": uris(SPIFFE),
    "uri-slash": uris(f"{SPIFFE}/"),
    "uri-empty-segment": uris(f"{SPIFFE}/a//b"),
    "uri-trailing-slash": uris(f"{SPIFFE}/a/"),
    "uri-dots": uris(f"{SPIFFE}/a/../b"),
    "uri-dot": uris(f"{SPIFFE}/./a"),
    "uri-escape": uris(f"{SPIFFE}/a%2fb"),
    "uri-escaped-dots": uris(f"{SPIFFE}/%2e%2e/b"),
    "uri-query": uris(f"{SPIFFE}/a?b"),
    "uri-fragment": uris(f"{SPIFFE}/a#b"),
    "uri-backslash": uris(f"{SPIFFE}/a\\b"),
    "uri-longer-authority": uris("spiffe://example.org.example.net/a"),
    "uri-longer-label": uris("spiffe://example.organization/a"),
    "uri-user": uris("spiffe://example.org@example.net/a"),
    "uri-upper-case": uris("SPIFFE://example.org/a"),
    "uri-other-scheme": uris("https://example.org/a"),
    "uri-inside": uris(f"https://example.net/{SPIFFE}/a"),
    "uri-star": uris(f"{SPIFFE}/*"),
    "uri-as-dns": client(("CN", "workload"), dns=(f"{SPIFFE}/a",)),
    "uri-and-another": uris("https://example.net/a", f"{SPIFFE}/a"),
    "uri-twice": uris(f"{SPIFFE}/a", f"{SPIFFE}/b"),
    "uri-as-subject": client(("CN", f"{SPIFFE}/a")),
    "partner-a-with-uri": root.issues(partner_a, uris=(f"{SPIFFE}/a",)),
})
