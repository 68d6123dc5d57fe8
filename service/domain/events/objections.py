"""What the models object to beyond the shape of single fields, and how all objections to an event come out together.

Owns the wording of faults. Knows no event: every model brings its own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, TypeAlias, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from service.domain.events.patterns import WORDS
from service.domain.outcomes import Fault

Location: TypeAlias = tuple[str | int, ...]
Validated = TypeVar("Validated")


class Objection(NamedTuple):
    """One thing wrong; `where` is relative to the value that the rule was given."""

    where: Location
    message: str


Rule: TypeAlias = Callable[[object], Iterable[Objection]]
"""Looks at raw JSON of any shape and yields what is wrong with it beyond the shape; passes over what it cannot read,
because the model itself objects to that. Never raises.
"""

ACTION_ERROR: Final = "action"
"""Type of the error of a union that finds no member for the `action` given."""

_TAG_MARK: Final = "\x1f"
FAULT_LIMIT: Final = 200
_SHOWN_CHARACTERS: Final = 100

_KINDS: Final = (
    ("string_type", "a string"),
    ("bool_type", "true or false"),
    ("int_type", "a whole number"),
    ("list_type", "a list"),
    ("dict_type", "an object"),
    ("model_type", "an object"),
    ("model_attributes_type", "an object"),
)
_WANTED: Final = dict(_KINDS)


def tag(action: str) -> str:
    """The name of a union's member inside locations, unlike anything that a field is called, so that it can be told
    and left out.
    """
    return _TAG_MARK + action


def refuse_together(raw: object, validate: Callable[[object], Validated], rule: Rule) -> Validated:
    """Validates and applies the rule, so that the faults of both are reported at once.

    For a pydantic wrap validator. Returns what `validate` returns; raises ValidationError with every fault. Where
    both speak of one place, the rule's words stand, being the clearer.
    """
    objections = list(rule(raw))
    try:
        validated = validate(raw)
    except ValidationError as refused:
        if not objections:
            raise
        spoken_of = {objection.where for objection in objections}
        objections += (o for o in _objections_in(refused) if o.where not in spoken_of)
    else:
        if not objections:
            return validated
    raise ValidationError.from_exception_data(
        "event",
        [InitErrorDetails(type=_as_error(o.message), loc=o.where, input=None) for o in objections],
    )


def faults_of(refused: ValidationError, root: str) -> tuple[Fault, ...]:
    """The faults in order of path, each path beginning with `root`. Past `FAULT_LIMIT` the rest is only counted, in one
    more fault: an event of a megabyte can have hundreds of thousands.
    """
    objections = sorted(islice(_objections_in(refused), FAULT_LIMIT), key=_position)
    faults = [Fault(path_of(root, o.where), o.message) for o in objections]
    if refused.error_count() > FAULT_LIMIT:
        faults.append(Fault(root, f"and {refused.error_count() - FAULT_LIMIT} more faults"))
    return tuple(faults)


def path_of(root: str, where: Location) -> str:
    """A location as people read it: `data.eholdings.attributes.customCoverages[0].beginCoverage`."""
    return root + "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in where)


def shown(text: str) -> str:
    """A text that a sender chose, for a path or a message: cut where it is so long that it would crowd out the rest."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def kind_of(value: object) -> str:
    """What JSON calls such a value, with its article; for messages, which never quote the value itself."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return "a number"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _objections_in(refused: ValidationError) -> Iterator[Objection]:
    for error in refused.errors(include_url=False):
        where = tuple(part for part in error["loc"] if not (isinstance(part, str) and part.startswith(_TAG_MARK)))
        if error["type"] == ACTION_ERROR and isinstance(error["input"], dict):
            where = (*where, "action")
        yield Objection(where, _words(error))


def _words(error: ErrorDetails) -> str:
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {kind_of(value)}"
    match kind:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a known field"
        case "string_pattern_mismatch":
            return WORDS[context["pattern"]]
        case "literal_error":
            return f"must be {context['expected']}"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters"
        case "greater_than":
            return f"must be greater than {context['gt']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case _ if kind == ACTION_ERROR and not isinstance(value, dict):
            return f"must be an object, not {kind_of(value)}"
        case _:
            return error["msg"]


def _as_error(message: str) -> PydanticCustomError:
    return PydanticCustomError("objection", "{message}", {"message": message})


def _position(objection: Objection) -> tuple[tuple[bool, int, str], ...]:
    return tuple((True, part, "") if isinstance(part, int) else (False, 0, part) for part in objection.where)
