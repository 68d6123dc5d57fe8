"""What the module itself checks: ids, and the attributes of a PUT, POST or tags request. The first failure answers.

Must not look at state beyond what is handed in, nor at what the RM API will say.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from service.sandbox.eholdings.answers import PATTERN, SIZE, failure, internal_error, violations
from service.sandbox.eholdings.bodies import JsonObject, object_in, text_in
from service.sandbox.eholdings.shapes import USER_DEFINED_FIELDS
from service.sandbox.exchange import JsonValue

MAX_STATEMENT: Final = 250
MAX_USER_DEFINED: Final = 500
MAX_URL: Final = 600
MAX_TAG_NAME: Final = 200
MAX_BULK_IDS: Final = 20

UUID_PATTERN: Final = "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$"
_UUID: Final = re.compile(UUID_PATTERN)
_LONG: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_BULK_ID: Final = re.compile(r"\d+-\d+-\d+", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
_JAVA_PROTOCOLS: Final = frozenset({"http", "https", "ftp", "file", "jar", "mailto"})


def parse_resource_id(text: str) -> str:
    """ "provider-package-title" in its plain form; 400 when it is none."""
    return _joined(text, 3, f"Resource id is invalid - {text}", f"Resource id is invalid - {text}")


def parse_package_id(text: str) -> str:
    """ "provider-package" in its plain form; 400 when it is none."""
    return _joined(text, 2, "Package and provider id are required", "Package or provider id are invalid")


def parse_title_id(text: str) -> str:
    """A title id in its plain form; 400 when it is none."""
    return _joined(text, 1, f"Title id is invalid - {text}", f"Title id is invalid - {text}")


def check_access_type_id(attributes: JsonObject) -> None:
    """RMB: the id must look like a UUID."""
    value = text_in(attributes, "accessTypeId")
    if value is not None and not _UUID.match(value):
        raise violations([(f'must match "{UUID_PATTERN}"', PATTERN, "data.attributes.accessTypeId", value)])


def check_bulk_ids(ids: list[str]) -> None:
    """RMB: at most 20 ids, each of three numbers."""
    shown = f"[{', '.join(ids)}]"
    if len(ids) > MAX_BULK_IDS:
        raise violations([(f"size must be between 0 and {MAX_BULK_IDS}", SIZE, "resources", shown)])
    if not all(_BULK_ID.fullmatch(identifier) for identifier in ids):
        message = "elements in list must match pattern"
        raise violations([(message, message, "resources", shown)])


def check_put(attributes: JsonObject, *, is_title_custom: bool) -> None:
    """mod-kb-ebsco-java, ResourcePutBodyValidator: lengths and dates of a selected title, or that a managed title being
    deselected carries nothing. Dates are not compared here: that is left to the RM API.
    """
    if attributes["isSelected"] is False:
        if not is_title_custom and _carries_something(attributes):
            raise failure(
                422,
                "Resource cannot be updated unless added to holdings",
                "Resource must be added to holdings to be able to update",
            )
        return
    url = text_in(attributes, "url")
    if is_title_custom and url is not None and url.strip():
        _check_length("url", url, MAX_URL)
        _check_url(url)
    _check_length("coverageStatement", text_in(attributes, "coverageStatement"), MAX_STATEMENT)
    coverages = attributes["customCoverages"]
    if not isinstance(coverages, list) or not all(isinstance(coverage, dict) for coverage in coverages):
        raise internal_error()
    for coverage in coverages:
        if isinstance(coverage, dict):
            _check_date("beginCoverage", text_in(coverage, "beginCoverage"))
            _check_date("endCoverage", text_in(coverage, "endCoverage"))
    for name in USER_DEFINED_FIELDS:
        _check_length(name, text_in(attributes, name), MAX_USER_DEFINED)


def check_post(attributes: JsonObject) -> None:
    """mod-kb-ebsco-java, ResourcePostValidator: the URL's form, and that both ids are there."""
    url = text_in(attributes, "url")
    if url:
        _check_url(url)
    for name, value in (("Package Id", attributes["packageId"]), ("Title Id", attributes["titleId"])):
        if not value:
            raise failure(422, f"Invalid {name}", f"{name} must not be empty")


def check_tags(attributes: JsonObject) -> None:
    """mod-kb-ebsco-java, ResourceTagsPutBodyValidator: the record's name is needed, of at most 200 characters."""
    name = text_in(attributes, "name")
    if not name:
        raise failure(422, "Invalid name", "name must not be empty")
    _check_length("name", name, MAX_TAG_NAME)


def _carries_something(attributes: JsonObject) -> bool:
    texts = ("coverageStatement", *USER_DEFINED_FIELDS)
    return (
        any(text_in(attributes, name) for name in texts)
        or object_in(attributes, "customEmbargoPeriod").get("embargoUnit") is not None
        or object_in(attributes, "visibilityData").get("isHidden") is True
        or bool(attributes["customCoverages"])
    )


def _check_length(name: str, value: str | None, maximum: int) -> None:
    if value is not None and len(value) > maximum:
        raise failure(422, f"Invalid {name}", f"{name} is too long (maximum is {maximum} characters)")


def _check_url(url: str) -> None:
    # Java's URL class decides: any protocol it has a handler for is let through, ftp too.
    scheme, _, rest = url.partition(":")
    if scheme.lower() not in _JAVA_PROTOCOLS or not rest or not urlsplit(url).scheme:
        raise failure(422, "Invalid url", "url has invalid format. Should start with https:// or http://")


def _check_date(name: str, value: str | None) -> None:
    # Java's lenient parsing takes 2020-02-30 for the last day of February.
    if value and not _DATE.fullmatch(value):
        raise failure(422, f"Invalid {name}", f"{name} has invalid format. Should be YYYY-MM-DD")


def _joined(text: str, count: int, wrong_count: str, not_numbers: str) -> str:
    parts = text.rstrip("-").split("-")
    if len(parts) != count:
        raise failure(400, wrong_count)
    if not all(_LONG.fullmatch(part) for part in parts):
        raise failure(400, not_numbers)
    return "-".join(str(int(part)) for part in parts)


def texts_in(value: JsonValue) -> list[str]:
    """The texts of a list, nulls left out."""
    return [element for element in value if isinstance(element, str)] if isinstance(value, list) else []
