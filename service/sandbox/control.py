"""The sandbox's control API, below `/_sandbox`: ledger, faults, state, reset, health.

Owns its paths and error texts. It must not disturb calls to the systems: no fault and no latency applies to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from service.sandbox.exchange import Call, JsonValue, Reply, SimulatedSystem, empty_reply, json_reply, text_reply
from service.sandbox.faults import Fault, FaultError, Faults
from service.sandbox.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Control:
    """Answers the calls whose path, below `/_sandbox`, is in its table; everything else is 404 as text.

    GET /health · GET /ledger?system=&after=SEQ&limit= · DELETE /ledger · GET /faults · POST /faults (one or a list) ·
    DELETE /faults · DELETE /faults/{name} · GET /state · PUT /state ({system: seed data}) · GET /state/{system} ·
    PUT /state/{system} · POST /reset. Bad input is 400 as text that names the field.
    """

    ledger: Ledger
    faults: Faults
    systems: Mapping[str, SimulatedSystem]

    def handle(self, call: Call) -> Reply:
        """Answers one control call; `call.path` is the path below `/_sandbox`."""
        head, _, name = call.path.strip("/").partition("/")
        handlers: dict[tuple[str, str], Callable[[Call, str], Reply]] = {
            ("GET", "health"): self._health,
            ("GET", "ledger"): self._read_ledger,
            ("DELETE", "ledger"): self._clear_ledger,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._remove_faults,
            ("GET", "state"): self._read_state,
            ("PUT", "state"): self._load_state,
            ("POST", "reset"): self._reset,
        }
        handler = handlers.get((call.method, head))
        if handler is None:
            return text_reply(404, f"The sandbox has no {call.method} /_sandbox{call.path}")
        try:
            return handler(call, name)
        except orjson.JSONDecodeError as error:
            return text_reply(400, f"The body is not JSON: {error}")
        except ValueError as error:
            return text_reply(400, str(error))

    def reset(self) -> None:
        """Every system back to its start, no faults, an empty ledger."""
        for system in self.systems.values():
            system.reset()
        self.faults.clear()
        self.ledger.clear()

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """Loads seed data by system. Raises ValueError that names the system and the field."""
        unknown = [name for name in state if name not in self.systems]
        if unknown:
            raise ValueError(f"{unknown[0]}: no such system; there are {', '.join(self.systems)}")
        for name, content in state.items():
            if not isinstance(content, dict):
                raise ValueError(f"{name}: must be an object")
            try:
                self.systems[name].load(content)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error

    def _health(self, _call: Call, _name: str) -> Reply:
        return json_reply(200, {"status": "up", "systems": list(self.systems)})

    def _read_ledger(self, call: Call, _name: str) -> Reply:
        limit = call.query.get("limit")
        entries = self.ledger.entries(
            call.query.get("system") or None,
            _whole_number("after", call.query.get("after") or "0"),
            None if limit is None else _whole_number("limit", limit),
        )
        content = {
            "entries": [entry.to_json() for entry in entries],
            "lastSeq": self.ledger.last_seq,
            "counts": self.ledger.counts,
        }
        return json_reply(200, content)

    def _clear_ledger(self, _call: Call, _name: str) -> Reply:
        self.ledger.clear()
        return empty_reply(204)

    def _list_faults(self, _call: Call, _name: str) -> Reply:
        return json_reply(200, {"faults": [armed.to_json() for armed in self.faults.armed()]})

    def _add_faults(self, call: Call, _name: str) -> Reply:
        content = orjson.loads(call.body)
        items: Sequence[object] = content if isinstance(content, list) else [content]
        faults = [Fault.from_json(item) for item in items]
        names = [fault.name for fault in faults if fault.name is not None]
        if len(set(names)) < len(names):
            raise FaultError("name: two faults of this request have the same name")
        for name in names:
            if self.faults.has(name):
                raise FaultError(f"name: there is a fault {name!r} already")
        return json_reply(201, {"names": [self.faults.add(fault) for fault in faults]})

    def _remove_faults(self, _call: Call, name: str) -> Reply:
        if not name:
            self.faults.clear()
        elif not self.faults.remove(name):
            return text_reply(404, f"There is no fault {name!r}")
        return empty_reply(204)

    def _read_state(self, _call: Call, name: str) -> Reply:
        if not name:
            return json_reply(200, {known: system.snapshot() for known, system in self.systems.items()})
        system = self.systems.get(name)
        return json_reply(200, system.snapshot()) if system else text_reply(404, f"There is no system {name!r}")

    def _load_state(self, call: Call, name: str) -> Reply:
        content = orjson.loads(call.body)
        if name:
            content = {name: content}
        if not isinstance(content, dict):
            raise ValueError("the state must be an object of systems")
        self.load(content)
        return empty_reply(204)

    def _reset(self, _call: Call, _name: str) -> Reply:
        self.reset()
        return empty_reply(204)


def _whole_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name}: must be a whole number, not {text!r}")
    return int(text)
