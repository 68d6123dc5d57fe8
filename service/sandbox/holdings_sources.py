"""FOLIO /holdings-sources (mod-inventory-storage), simulated with its state.

Owns the sources of each tenant and what the API answers. Must not know holdings records: whoever stores them registers
with `watch_references`, so that a source in use cannot be deleted. The query language is in `cql`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from service.sandbox.cql import CqlError, Query
from service.sandbox.exchange import NO_ANSWER, Call, JsonValue, Reply, empty_reply, json_reply, text_reply
from service.sandbox.seeds import StateError, object_at, require_known, text_at
from service.sandbox.storage_text import UUID, UUID_PATTERN, fold, new_id

FOLIO_SOURCE_ID: Final = "f32d531e-df79-46b3-8932-cdd35f7a2264"
MARC_SOURCE_ID: Final = "036ee84a-6afd-4c3c-9ad3-4a12ab875f59"
DEFAULT_TENANT: Final = "diku"

_PATH: Final = "/holdings-sources"
_UNIQUE_NAME: Final = "lower(f_unaccent(jsonb ->> 'name'::text))"
_ORIGINS: Final = ("folio", "local", "consortium")
_MODEL: Final = "org.folio.rest.jaxrs.model.HoldingsRecordsSource"
_BAD_ID: Final = (
    "Invalid UUID format of id, should be xxxxxxxx-xxxx-Mxxx-Nxxx-xxxxxxxxxxxx where M is 1-5 and N is 8, 9, a, b, A "
    "or B and x is 0-9, a-f or A-F."
)
_SHIPPED: Final = ((FOLIO_SOURCE_ID, "FOLIO"), (MARC_SOURCE_ID, "MARC"))

Source = dict[str, JsonValue]


class _Refused(Exception):
    """The reply that ends the handling of a call."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class HoldingsSources:
    """The simulated API, name "holdings-sources"; every tenant starts with the two sources that FOLIO ships.

    `answers_unknown_delete` True answers the DELETE of an unknown id with 404, as newer versions do. False behaves like
    version 29.0.23, which never answers it: the reply then has status 0 and no body, and the server must leave the
    connection silent until the client gives up.

    State (`load`, `snapshot`): {"tenants": {tenant: {id: record}}, "answersUnknownDelete": bool}.
    """

    name = "holdings-sources"

    def __init__(self, *, answers_unknown_delete: bool = True) -> None:
        self.answers_unknown_delete = answers_unknown_delete
        self._answers_unknown_delete_at_start = answers_unknown_delete
        self._tenants: dict[str, dict[str, Source]] = {}
        self._watchers: list[Callable[[str, str], bool]] = []

    def watch_references(self, refers: Callable[[str, str], bool]) -> None:
        """Registers a question (tenant, source id); True protects the source from deletion. It outlives `reset`."""
        self._watchers.append(refers)

    def exists(self, tenant: str, source_id: str) -> bool:
        """Whether the tenant has a source of this id; for the foreign key of holdings records."""
        return source_id in self._sources(tenant)

    def serves(self, method: str, path: str) -> bool:
        """/holdings-sources and /holdings-sources/{id}."""
        if path == _PATH:
            return method in ("GET", "POST")
        return path.startswith(_PATH + "/") and path.count("/") == 2 and method in ("GET", "PUT", "DELETE")

    def handle(self, call: Call) -> Reply:
        """Answers one call; status 0 in the reply is a call that is never answered (see the class)."""
        sources = self._sources(call.tenant)
        source_id = call.path[len(_PATH) + 1 :]
        try:
            match (call.method, bool(source_id)):
                case ("GET", False):
                    return _list(call, sources)
                case ("POST", False):
                    return _create(call, sources)
                case ("GET", True):
                    return json_reply(200, _find(sources, source_id))
                case ("PUT", True):
                    return _replace(call, sources, source_id)
                case _:
                    return self._delete(call.tenant, sources, source_id)
        except _Refused as refused:
            return refused.reply

    def entities(self, call: Call) -> tuple[str, ...]:
        """The id in the path, or the name in the body of a POST."""
        source_id = call.path[len(_PATH) + 1 :]
        if source_id:
            return (source_id,)
        try:
            body = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            return ()
        name = body.get("name") if isinstance(body, dict) else None
        return (name,) if isinstance(name, str) else ()

    def snapshot(self) -> dict[str, JsonValue]:
        """The sources of every tenant that was touched."""
        tenants: dict[str, JsonValue] = {
            tenant: {source_id: dict(source) for source_id, source in sources.items()}
            for tenant, sources in self._tenants.items()
        }
        return {"tenants": tenants, "answersUnknownDelete": self.answers_unknown_delete}

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """Adds or replaces sources by id. Raises ValueError that names the field; nothing is loaded then."""
        require_known(state, ("tenants", "answersUnknownDelete"), "")
        answers = state.get("answersUnknownDelete", self.answers_unknown_delete)
        if not isinstance(answers, bool):
            raise StateError("answersUnknownDelete", "true or false")
        loaded: dict[str, dict[str, Source]] = {}
        for tenant, records in object_at(state.get("tenants", {}), "tenants").items():
            entries = object_at(records, f"tenants.{tenant}").items()
            loaded[tenant] = {key: _seed(key, record, f"tenants.{tenant}.{key}") for key, record in entries}
        for tenant, sources in loaded.items():
            self._sources(tenant).update(sources)
        self.answers_unknown_delete = answers

    def reset(self) -> None:
        """Only the shipped sources are left."""
        self._tenants.clear()
        self.answers_unknown_delete = self._answers_unknown_delete_at_start

    def _sources(self, tenant: str) -> dict[str, Source]:
        sources = self._tenants.get(tenant)
        if sources is None:
            stamp = _metadata()
            sources = {
                source_id: {"id": source_id, "name": name, "source": "folio", "metadata": stamp}
                for source_id, name in _SHIPPED
            }
            self._tenants[tenant] = sources
        return sources

    def _delete(self, tenant: str, sources: dict[str, Source], source_id: str) -> Reply:
        if not UUID.match(source_id):
            return text_reply(404, _BAD_ID)
        source = sources.get(source_id)
        if source is None:
            # Version 29.0.23 fails on the missing record before it has answered.
            if not self.answers_unknown_delete:
                return NO_ANSWER
            return text_reply(404, f"Entity with id '{source_id}' not found for deletion")
        if source.get("source") == "folio":
            return text_reply(400, "Holdings Records Sources with source of folio can not be deleted")
        if any(refers(tenant, source_id) for refers in self._watchers):
            reason = "because id is still referenced from table holdings_record."
            return text_reply(400, f"Cannot delete holdings_records_source.id = {source_id} {reason}")
        del sources[source_id]
        return empty_reply(204)


def _list(call: Call, sources: dict[str, Source]) -> Reply:
    limit, offset = _number(call, "limit", 10), _number(call, "offset", 0)
    try:
        query = Query.parse(call.query.get("query", ""))
    except CqlError as error:
        return text_reply(400, str(error))
    found = query.select(sources.values())
    return json_reply(200, {"holdingsRecordsSources": found[offset : offset + limit], "totalRecords": len(found)})


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        number = int(text)
    except ValueError:
        raise _Refused(text_reply(400, f'For input string: "{text}"')) from None
    if not 0 <= number <= 2147483647:
        complaint = f"parameter value {{{text}}} is not valid: must be greater than or equal to 0"
        raise _Refused(text_reply(400, f"'{name}' parameter is incorrect. {complaint}"))
    return number


def _find(sources: dict[str, Source], source_id: str) -> Source:
    if not UUID.match(source_id):
        raise _Refused(text_reply(404, _BAD_ID))
    source = sources.get(source_id)
    if source is None:
        raise _Refused(text_reply(404, "Not found"))
    return source


def _create(call: Call, sources: dict[str, Source]) -> Reply:
    record = _read_record(call)
    if record.get("id") is None:
        record["id"] = new_id()
    source_id = str(record["id"])
    if source_id in sources:
        return _invalid(f"id value already exists in table holdings_records_source: {source_id}", "-1", "id", source_id)
    duplicate = _duplicate_name(record, sources)
    if duplicate is not None:
        folded = fold(str(record["name"]))
        return _invalid(duplicate, "-1", _UNIQUE_NAME, folded)
    stored = _stored(record, _metadata())
    sources[source_id] = stored
    reply = json_reply(201, stored)
    return Reply(reply.status, reply.body, reply.content_type, (("Location", f"{_PATH}/{source_id}"),))


def _replace(call: Call, sources: dict[str, Source], source_id: str) -> Reply:
    record = _read_record(call)
    previous = _find(sources, source_id)
    record["id"] = source_id
    duplicate = _duplicate_name(record, sources)
    if duplicate is not None:
        return text_reply(400, duplicate)
    metadata = dict(_metadata())
    old = previous.get("metadata")
    if isinstance(old, dict):
        metadata["createdDate"] = old.get("createdDate")
    sources[source_id] = _stored(record, metadata)
    return empty_reply(204)


def _read_record(call: Call) -> Source:
    content_type = call.header("Content-Type")
    if content_type is None or content_type.partition(";")[0].strip().lower() != "application/json":
        raise _Refused(
            text_reply(400, f'Content-type header must be ["application/json"] but it is "{content_type or ""}"')
        )
    try:
        record = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise _Refused(text_reply(400, f"Unexpected end-of-input or character: the body is not a {_MODEL}")) from None
    if not isinstance(record, dict):
        raise _Refused(text_reply(400, f"Cannot deserialize value of type `{_MODEL}` from Array value"))
    origin = record.get("source")
    if origin is not None and origin not in _ORIGINS:
        raise _Refused(
            text_reply(
                400,
                f"Cannot construct instance of `{_MODEL}$Source`, problem: {origin}\n at [Source: REDACTED "
                "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1] "
                f'(through reference chain: {_MODEL}["source"])',
            )
        )
    if record.get("name") is None:
        raise _Refused(_invalid("must not be null", "jakarta.validation.constraints.NotNull.message", "name", "null"))
    record_id = record.get("id")
    if record_id is not None and not UUID.match(str(record_id)):
        code = "jakarta.validation.constraints.Pattern.message"
        raise _Refused(_invalid(f'must match "{UUID_PATTERN}"', code, "id", str(record_id)))
    return record


def _stored(record: Source, metadata: dict[str, JsonValue]) -> Source:
    kept: Source = {name: record[name] for name in ("id", "name", "source") if record.get(name) is not None}
    kept["metadata"] = metadata
    return kept


def _duplicate_name(record: Source, sources: dict[str, Source]) -> str | None:
    folded = fold(str(record["name"]))
    for source in sources.values():
        if source["id"] != record["id"] and fold(str(source["name"])) == folded:
            return f"{_UNIQUE_NAME} value already exists in table holdings_records_source: {folded}"
    return None


def _seed(source_id: str, entry: JsonValue, where: str) -> Source:
    record = object_at(entry, where)
    if not UUID.match(source_id) or record.get("id", source_id) != source_id:
        raise StateError(f"{where}.id", "the UUID that the record is filed under")
    text_at(record.get("name"), f"{where}.name")
    if record.get("source") not in (None, *_ORIGINS):
        raise StateError(f"{where}.source", f"one of {', '.join(_ORIGINS)}")
    metadata = record.get("metadata")
    return _stored({**record, "id": source_id}, metadata if isinstance(metadata, dict) else _metadata())


def _metadata() -> dict[str, JsonValue]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"createdDate": now, "updatedDate": now}


def _invalid(message: str, code: str, key: str, value: str) -> Reply:
    parameters = [{"key": key, "value": value}]
    return json_reply(422, {"errors": [{"message": message, "type": "1", "code": code, "parameters": parameters}]})
