"""TLS from files: what is wrong with which, and files that are replaced while connections come and go."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme

from service.tls import FollowingContext, TlsFault, TlsFiles, client_context, faults_of
from tests.support.secured_broker import KEY_PASSWORD, Certificates


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
def files(certificates: Certificates) -> TlsFiles:
    return TlsFiles(certificates.ca, certificates.client, certificates.client_key, KEY_PASSWORD)


def told(files: TlsFiles) -> list[tuple[str, str]]:
    return [(fault.which, str(fault)) for fault in faults_of(files)]


def test_files_that_belong_together_load(files: TlsFiles, certificates: Certificates) -> None:
    in_clear = replace(files, keyfile=certificates.client_key_in_clear, key_password=None)

    assert told(files) == told(in_clear) == told(TlsFiles()) == []
    context = client_context(files)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_every_file_that_is_missing_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert told(TlsFiles(missing, missing, missing)) == [
        (which, f"{missing} cannot be read: No such file or directory") for which in ("cafile", "certfile", "keyfile")
    ]


def test_files_that_hold_something_else_are_told(files: TlsFiles, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("something else")

    assert told(TlsFiles(other, other, other)) == [
        ("cafile", f"{other} holds no certificate in PEM form"),
        ("certfile", f"{other} holds no certificate in PEM form"),
        ("keyfile", f"{other} holds no private key in PEM form"),
    ]


def test_an_encrypted_key_needs_its_password_and_never_asks_for_it(files: TlsFiles) -> None:
    assert told(replace(files, key_password=None)) == [
        ("key_password", f"is needed: the key in {files.keyfile} is encrypted")
    ]
    assert told(replace(files, key_password="wrong")) == [("key_password", f"does not open the key in {files.keyfile}")]


def test_a_key_of_another_certificate_is_told(files: TlsFiles, certificates: Certificates) -> None:
    other = replace(files, keyfile=certificates.foreign_key, key_password=None)

    assert told(other) == [("keyfile", f"{other.keyfile} does not belong to the certificate in {other.certfile}")]


def test_a_key_that_is_cut_off_is_told(files: TlsFiles, tmp_path: Path, certificates: Certificates) -> None:
    cut = tmp_path / "cut.key"
    cut.write_bytes(certificates.client_key_in_clear.read_bytes()[:60])

    [(which, message)] = told(replace(files, keyfile=cut, key_password=None))

    assert which == "keyfile"
    assert message.startswith(f"{cut} cannot be used: ")


def test_the_first_fault_is_raised(files: TlsFiles, tmp_path: Path) -> None:
    with pytest.raises(TlsFault, match="cannot be read"):
        client_context(replace(files, cafile=tmp_path / "missing"))


def test_no_password_shows(files: TlsFiles) -> None:
    assert KEY_PASSWORD not in repr(files)


# ── files that are replaced ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Server:
    """A server that wants a certificate, and keeps the serial number of each that it was shown."""

    port: int
    shown: list[str]

    async def connect(self, context: ssl.SSLContext) -> str:
        """The serial number of the client's certificate, of a new connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        return self.shown[-1]


async def start(authority: trustme.CA) -> tuple[asyncio.Server, Server]:
    shown: list[str] = []

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown.append(writer.get_extra_info("peercert")["serialNumber"])
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    return server, Server(server.sockets[0].getsockname()[1], shown)


def write(certificate: trustme.LeafCert, files: TlsFiles) -> None:
    assert files.certfile is not None
    assert files.keyfile is not None
    files.certfile.write_bytes(certificate.cert_chain_pems[0].bytes())
    files.keyfile.write_bytes(certificate.private_key_pem.bytes())


async def test_a_certificate_that_was_replaced_is_shown_at_the_next_connection(tmp_path: Path) -> None:
    authority = trustme.CA()
    files = TlsFiles(tmp_path / "ca.pem", tmp_path / "own.pem", tmp_path / "own.key")
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    write(authority.issue_cert("relay.example"), files)
    heard: list[TlsFault] = []
    context = FollowingContext(files, heard.append)
    listening, server = await start(authority)

    async with listening:
        first, again = await server.connect(context), await server.connect(context)
        write(authority.issue_cert("relay.example"), files)
        replaced = await server.connect(context)
        (tmp_path / "own.key").write_text("half of a k")
        broken, still_broken = await server.connect(context), await server.connect(context)

    assert first == again != replaced
    assert broken == still_broken == replaced
    assert [fault.which for fault in heard] == ["keyfile"], "told once"
