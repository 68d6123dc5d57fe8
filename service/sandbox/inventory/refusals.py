"""What mod-inventory-storage answers when it refuses a write, in the shape mod-inventory-update hands on to its client.

Owns the wording of storage's errors. Must not decide when they occur.
"""

from __future__ import annotations

from service.sandbox.exchange import JsonValue
from service.sandbox.inventory.shapes import JsonObject, objects_of

UNIQUE_HRID = "lower(f_unaccent(jsonb ->> 'hrid'::text))"
UNIQUE_BARCODE = "lower(f_unaccent(jsonb ->> 'barcode'::text))"
NOT_NULL = "jakarta.validation.constraints.NotNull.message"
PATTERN = "jakarta.validation.constraints.Pattern.message"
CONNECTION_CLOSED = "io.vertx.core.http.HttpClosedException: Connection was closed"


class Refusal(Exception):
    """Storage refused a write; nothing of that write is stored.

    `status` is storage's HTTP status, 0 for a dropped connection. `message` is the object of an error report's
    `message`.
    """

    def __init__(self, status: int, message: JsonObject) -> None:
        super().__init__(status)
        self.status = status
        self.message = message

    @property
    def short_message(self) -> str:
        """First error's message, with the key of its first parameter behind a colon (mod-inventory-update:
        findShortMessage).
        """
        errors = objects_of(self.message.get("errors"))
        first = errors[0] if errors else {}
        parameters = objects_of(first.get("parameters"))
        message = str(first.get("message", ""))
        return f"{message}: {parameters[0].get('key')}" if parameters else message


class NoAnswer(Exception):
    """The module never answers this request: storage dropped a write, or the module failed in a place that has no
    failure branch.
    """


class LookupFailure(Exception):
    """A look-up before a write failed: `status` is storage's (0 for a dropped connection), `text` is what the module
    makes of it.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def error_entry(message: str, code: str = "-1", key: str | None = None, value: JsonValue = None) -> JsonObject:
    """One entry of storage's `errors`. Without `key` it has no parameters; null values are spelt "null"."""
    parameters: list[JsonValue] = [] if key is None else [{"key": key, "value": "null" if value is None else value}]
    return {"message": message, "type": "1", "code": code, "parameters": parameters}


def invalid(*entries: JsonObject) -> Refusal:
    """422 with storage's errors as JSON."""
    return Refusal(422, {"errors": list(entries)})


def plain(status: int, text: str) -> Refusal:
    """A refusal in plain text, which the module wraps."""
    return Refusal(status, {"errors": [{"message": text}]})


def already_exists(table: str, folded_hrid: str) -> Refusal:
    """An HRID that differs from a stored one at most in case and accents."""
    # The batch API of instances alone keeps the database's words for the column.
    words = UNIQUE_HRID if table == "instance" else "HRID"
    return invalid(
        error_entry(f"{words} value already exists in table {table}: {folded_hrid}", key=UNIQUE_HRID, value=folded_hrid)
    )


def missing_reference(table: str, column: str, value: str, referenced: str) -> Refusal:
    """A foreign key that points nowhere."""
    key = f"{table}.{column.lower()}"
    message = f"Cannot set {key} = {value} because it does not exist in {referenced}.id."
    return invalid(error_entry(message, key=key, value=value))


def malformed_uuid(value: str) -> Refusal:
    """A key that only the database checks."""
    return plain(400, f'invalid input syntax for type uuid: "{value}"')


def no_such_holdings(holdings_id: str) -> Refusal:
    """An item whose holdings record is not there (storage checks it before the database does)."""
    return invalid(error_entry("Holdings record does not exist", key="holdingsRecordId", value=holdings_id))


def conflict(record_id: str, stored: int, requested: JsonValue) -> Refusal:
    """Optimistic locking: the record has changed since it was looked up."""
    sent = "<NULL>" if requested is None else requested
    return plain(
        409,
        f"ERROR: Cannot update record {record_id} because it has been changed (optimistic locking): "
        f"Stored _version is {stored}, _version of request is {sent} (23F09)",
    )
