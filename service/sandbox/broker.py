"""A real Kafka broker of one's own, for the demonstration, the tests and the benchmark.

Owns the life of one broker: folder, ports, start, readiness, stop. It must not speak to it beyond asking whether it
is ready.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.sandbox.broker_probe import is_ready
from service.sandbox.broker_process import GuardedProcess
from service.sandbox.broker_properties import Ports, free_ports, server_properties
from service.sandbox.kafka_distribution import Distribution, fetch_distribution
from service.sandbox.kafka_jars import BrokerError, Progress, ProgressListener

__all__ = ["BrokerError", "LocalBroker", "Progress", "Security", "prefetch"]

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05
_PORT_CHOICES = 5
_LOG_TAIL_LINES = 15
_JVM_OPTIONS = (
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a broker that lives for seconds gains nothing from the optimising compiler
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",  # otherwise the broker goes on without some of its threads and answers nobody
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    # Only what the broker says belongs in its log.
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",
)


def _ignore(_: Progress) -> None: ...


def prefetch(listener: ProgressListener = _ignore) -> None:
    """Makes everything ready that a `LocalBroker` needs, so that later starts take seconds and no network.

    Fetches Apache Kafka where it is missing, then starts a broker once, which proves that it works on this machine
    and lets the Java runtime record what makes later starts quicker. Blocks; returns at once when all that is done.
    Raises `BrokerError`.
    """
    distribution = fetch_distribution(listener)
    if distribution.startup_archive.exists():
        return
    listener(Progress("Starting Apache Kafka once, to record what makes later starts quick"))
    with tempfile.TemporaryDirectory(dir=distribution.startup_archive.parent) as folder:
        recording = Path(folder) / distribution.startup_archive.name
        broker = LocalBroker(jvm_options=(f"-XX:AOTCacheOutput={recording}",))

        async def rehearse() -> None:
            await broker.start()
            await broker.stop()

        asyncio.run(rehearse())
        if recording.exists():  # a Java runtime that cannot record leaves none, and the broker starts as before
            recording.replace(distribution.startup_archive)


@dataclass(frozen=True, slots=True)
class Security:
    """Further listeners of a broker; what they need beside this goes into the broker's `properties`."""

    protocols: Mapping[str, str] = field(default_factory=dict)
    """Security protocols of the listeners, by their names."""
    scram_users: tuple[str, ...] = ()
    """As Kafka's storage tool takes them: `SCRAM-SHA-512=[name=…,password=…]`."""
    system_properties: Mapping[str, str] = field(default_factory=dict)
    """Of the Java process."""


class LocalBroker:
    """One broker on 127.0.0.1, in a process that dies with this one.

    Not bound to an event loop: started under one loop, it may be stopped under another. Its data lie in a temporary
    folder that `stop` removes, or in `folder`, which stays, and which is formatted when it holds no data yet.
    `properties` override those of `server.properties`; `jvm_options` take the place of the recorded start. `listener`
    hears of a download, should one be needed. `security` adds listeners that are not open to everybody.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        properties: Mapping[str, str] | None = None,
        jvm_options: tuple[str, ...] = (),
        security: Security | None = None,
        listener: ProgressListener = _ignore,
    ) -> None:
        self._given_folder = folder
        self._properties = dict(properties or {})
        self._jvm_options = jvm_options
        self._security = security or Security()
        self._listener = listener
        self._folder: Path | None = None
        self._ports: Ports | None = None
        self._process: GuardedProcess | None = None

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:<port>`; the same before and after a restart. Raises `BrokerError` before the first start."""
        if self._ports is None:
            raise BrokerError("the local broker has not been started")
        return f"127.0.0.1:{self._ports.broker}"

    def servers_of(self, listener: str) -> str:
        """`127.0.0.1:<port>` of one of the further listeners. Raises `BrokerError` before the first start."""
        if self._ports is None:
            raise BrokerError("the local broker has not been started")
        return f"127.0.0.1:{self._ports.others[listener]}"

    @property
    def log_file(self) -> Path:
        """The broker's own log, warnings and errors; removed with a temporary folder."""
        if self._folder is None:
            raise BrokerError("the local broker has not been started")
        return self._folder / "broker.log"

    @property
    def process_id(self) -> int | None:
        """The broker's process while it runs, else None."""
        return self._process.id if self._process is not None and self._process.exit_code is None else None

    async def start(self) -> str:
        """Starts the broker, waits until it serves, and returns the bootstrap servers.

        Raises `BrokerError`, with the end of the broker's log, when it does not come up; nothing is left behind then.
        """
        if self._process is not None:
            raise BrokerError("the local broker has been started already")
        distribution = await asyncio.to_thread(fetch_distribution, self._listener)
        self._folder = self._make_folder()
        try:
            for _ in range(_PORT_CHOICES):
                self._ports = free_ports(tuple(self._security.protocols))
                self._write_properties(self._ports)
                if not (self._folder / "data" / "meta.properties").exists():
                    await self._format(distribution)
                if await self._launch(distribution):
                    return self.bootstrap_servers
            raise BrokerError(f"the local broker found its ports taken {_PORT_CHOICES} times in a row")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stops the broker in good order and removes its temporary folder. Harmless when it does not run."""
        await self.halt()
        if self._folder is not None and self._given_folder is None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        self._folder = None
        self._ports = None

    async def halt(self) -> None:
        """Stops the broker in good order and keeps its data and ports for `restart`. Harmless when it does not run."""
        if self._process is not None:
            await asyncio.to_thread(self._process.terminate, _STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """Ends the broker as a crash would. Data and ports are kept for `restart`. Harmless when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    async def restart(self) -> str:
        """Starts the broker again on the same ports and data, after stopping it where it runs; returns its servers."""
        await self.halt()
        if not await self._launch(await asyncio.to_thread(fetch_distribution, self._listener)):
            raise BrokerError(f"the local broker's port was taken meanwhile: {self.bootstrap_servers}")
        return self.bootstrap_servers

    def _make_folder(self) -> Path:
        if self._given_folder is None:
            return Path(tempfile.mkdtemp(prefix="holdings-relay-broker-"))
        self._given_folder.mkdir(parents=True, exist_ok=True)
        return self._given_folder

    @property
    def _properties_file(self) -> Path:
        return self.log_file.with_name("server.properties")

    def _write_properties(self, ports: Ports) -> None:
        data = self.log_file.with_name("data")
        text = server_properties(ports, data, self._properties, self._security.protocols)
        self._properties_file.write_text(text, "utf-8")

    async def _format(self, distribution: Distribution) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = await asyncio.create_subprocess_exec(
            *self._java(distribution, _archived(distribution)),
            *("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(self._properties_file)),
            *(word for user in self._security.scram_users for word in ("--add-scram", user)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await tool.communicate()
        if tool.returncode != 0:
            raise BrokerError(
                f"the local broker's folder could not be formatted:\n{_tail(output.decode(errors='replace'))}"
            )

    async def _launch(self, distribution: Distribution) -> bool:
        """Whether the broker runs and serves; False when a port was taken between its choice and its use."""
        command = [
            *self._java(distribution, self._jvm_options or _archived(distribution)),
            "kafka.Kafka",
            str(self._properties_file),
        ]
        with self.log_file.open("wb") as log:
            temporary = self._folder if self._given_folder is None else None
            self._process = GuardedProcess.start(command, log, temporary=temporary)
        port = int(self.bootstrap_servers.rpartition(":")[2])
        deadline = time.monotonic() + _START_SECONDS
        while not await is_ready("127.0.0.1", port):
            if self._process.exit_code is not None:
                if "Address already in use" in self._log_text():
                    self.kill()
                    return False
                raise self._failure(f"ended with exit code {self._process.exit_code}")
            if time.monotonic() > deadline:
                raise self._failure(f"did not serve within {_START_SECONDS:.0f} seconds")
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def _java(self, distribution: Distribution, options: tuple[str, ...]) -> list[str]:
        temporary = f"-Djava.io.tmpdir={self.log_file.parent}"
        further = [f"-D{name}={value}" for name, value in self._security.system_properties.items()]
        return [str(distribution.java), *_JVM_OPTIONS, temporary, *further, *options, "-cp", distribution.class_path]

    def _log_text(self) -> str:
        return self.log_file.read_text("utf-8", errors="replace")

    def _failure(self, what: str) -> BrokerError:
        self.kill()
        return BrokerError(f"the local Kafka broker {what}. The end of its log:\n{_tail(self._log_text())}")


def _archived(distribution: Distribution) -> tuple[str, ...]:
    return (f"-XX:AOTCache={distribution.startup_archive}",) if distribution.startup_archive.exists() else ()


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:]) or "(empty)"
