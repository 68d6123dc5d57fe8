"""TLS for a client from files of certificates and keys: what loads, and what is wrong with which file.

Reads files. It must not know the name of a setting, or who connects where.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

Which: TypeAlias = Literal["cafile", "certfile", "keyfile", "key_password"]


class TlsFault(Exception):
    """Something about `which` of the files, or about the password, does not hold. Never repeats what a file holds."""

    def __init__(self, which: Which, message: str) -> None:
        super().__init__(message)
        self.which: Which = which


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a client is known by and whom it trusts, in PEM form. Without `cafile`, the system's own authorities."""

    cafile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    key_password: str | None = field(default=None, repr=False)

    @property
    def stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Differs once a file has been replaced or written to."""
        return tuple(_stamp_of(path) for path in (self.cafile, self.certfile, self.keyfile))


def faults_of(files: TlsFiles) -> list[TlsFault]:
    """Everything that is wrong, one fault for each file."""
    faults = list(_faults_alone(files))
    if not faults and files.certfile is not None and files.keyfile is not None:
        try:
            _load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), files.certfile, files.keyfile, files.key_password)
        except TlsFault as fault:
            faults.append(fault)
    return faults


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """A context that verifies whom it connects to, by name. Raises `TlsFault`, the first of all."""
    if faults := faults_of(files):
        raise faults[0]
    context = ssl.create_default_context(cafile=files.cafile)
    if files.certfile is not None and files.keyfile is not None:
        _load_chain(context, files.certfile, files.keyfile, files.key_password)
    return context


class FollowingContext(ssl.SSLContext):
    """A context that takes up files which have been replaced since, at the next connection.

    Files that do not load, as in the middle of being replaced, leave it as it was; `told` hears of it, once for each
    state of the files.
    """

    _files: TlsFiles
    _told: Callable[[TlsFault], None]
    _stamp: object
    _loaded: ssl.SSLContext

    def __new__(cls, files: TlsFiles, told: Callable[[TlsFault], None]) -> FollowingContext:
        """Raises `TlsFault`."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made._files, made._told = files, told
        made._stamp, made._loaded = files.stamp, client_context(files)
        return made

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Where asyncio and uvloop begin each connection."""
        stamp = self._files.stamp
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._loaded = client_context(self._files)
            except TlsFault as fault:
                self._told(fault)
        return self._loaded.wrap_bio(*arguments, **options)


def _faults_alone(files: TlsFiles) -> Iterator[TlsFault]:
    """Of each file by itself."""
    if files.cafile is not None:
        yield from _certificates_fault("cafile", files.cafile)
    if files.certfile is not None:
        yield from _certificates_fault("certfile", files.certfile)
    if files.keyfile is not None:
        yield from _key_faults(files.keyfile, files.key_password)


def _certificates_fault(which: Which, path: Path) -> Iterator[TlsFault]:
    try:
        path.read_bytes()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        yield TlsFault(which, f"{path} holds no certificate in PEM form")
    except OSError as error:
        yield TlsFault(which, f"{path} cannot be read: {error.strerror}")


def _key_faults(path: Path, password: str | None) -> Iterator[TlsFault]:
    try:
        content = path.read_bytes()
    except OSError as error:
        yield TlsFault("keyfile", f"{path} cannot be read: {error.strerror}")
        return
    if b"PRIVATE KEY-----" not in content:
        yield TlsFault("keyfile", f"{path} holds no private key in PEM form")
    elif b"ENCRYPTED" in content and not password:
        yield TlsFault("key_password", f"is needed: the key in {path} is encrypted")


def _load_chain(context: ssl.SSLContext, certfile: Path, keyfile: Path, password: str | None) -> None:
    """A password is always given: without one, OpenSSL would ask for it on the terminal."""
    try:
        context.load_cert_chain(certfile, keyfile, lambda: password or "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsFault("keyfile", f"{keyfile} does not belong to the certificate in {certfile}") from None
        if password:
            raise TlsFault("key_password", f"does not open the key in {keyfile}") from None
        raise TlsFault("keyfile", f"{keyfile} cannot be used: {error.reason or 'not a key'}") from None
    except OSError as error:
        raise TlsFault("keyfile", f"{keyfile} or {certfile} cannot be read: {error.strerror}") from None


def _stamp_of(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
