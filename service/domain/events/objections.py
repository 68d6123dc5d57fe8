"""What the models object to beyond the shape of single fields, and how all objections to an event come out together.

Owns the wording of faults. Knows no event: every model brings its own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, islice
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

_UNTOLD_ERROR: Final = "untold"
"""Type of the error that carries how much is not told one by one."""

_TAG_MARK: Final = "\x1f"
FAULT_LIMIT: Final = 1000
"""Faults of one event that are named one by one."""

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

    For a pydantic wrap validator. Returns what `validate` returns; raises ValidationError with every fault, up to
    `FAULT_LIMIT` of them. Where both speak of one place, the rule's words stand, being the clearer.
    """
    objections = iter(rule(raw))
    first = next(objections, None)
    if first is None:
        return _validated_alone(raw, validate)
    gathered = Gathered(chain((first,), objections))
    try:
        validate(raw)
    except ValidationError as refused:
        gathered.add(refused)
    raise gathered.error()


def _validated_alone(raw: object, validate: Callable[[object], Validated]) -> Validated:
    try:
        return validate(raw)
    except ValidationError as refused:
        if refused.error_count() <= FAULT_LIMIT:
            raise
        gathered = Gathered()
        gathered.add(refused)
    raise gathered.error()


class Gathered:
    """Objections of one value from several hands. Keeps `FAULT_LIMIT` of them and counts the rest, so that no level of
    an event carries more up to the next."""

    def __init__(self, objections: Iterable[Objection] = ()) -> None:
        """Of `objections` no more are asked for than can be kept."""
        waiting = iter(objections)
        self.objections: Final = list(islice(waiting, FAULT_LIMIT))
        self._spoken_of: Final = {objection.where for objection in self.objections}
        self._faults_unnamed = sum(1 for _ in islice(waiting, 1))
        self._entries_unseen = 0

    @property
    def is_full(self) -> bool:
        """Whether any more would only be counted."""
        return len(self.objections) >= FAULT_LIMIT

    def add(self, refused: ValidationError, shift: int = 0) -> None:
        """What pydantic says, but for the places that were spoken of from the start; what cannot be kept is counted.
        `shift` is added to the index at the head of each location."""
        for error in refused.errors(include_url=False):
            if error["type"] == _UNTOLD_ERROR:
                self._faults_unnamed += error["ctx"]["faults"]
                self._entries_unseen += error["ctx"]["entries"]
                continue
            if self.is_full:
                self._faults_unnamed += 1
                continue
            objection = _objection(error)
            if shift and isinstance(first := objection.where[0], int):
                objection = Objection((first + shift, *objection.where[1:]), objection.message)
            if objection.where not in self._spoken_of:
                self.objections.append(objection)

    def leave_unseen(self, entries: int) -> None:
        """So many entries of a list were not looked at, because there were faults enough in those before them."""
        self._entries_unseen += entries

    def error(self) -> ValidationError:
        """All of it, for pydantic to carry on."""
        errors = [InitErrorDetails(type=_as_error(o.message), loc=o.where, input=None) for o in self.objections]
        if self._faults_unnamed or self._entries_unseen:
            context = {"faults": self._faults_unnamed, "entries": self._entries_unseen}
            untold = PydanticCustomError(_UNTOLD_ERROR, "more faults", context)
            errors.append(InitErrorDetails(type=untold, loc=(), input=None))
        return ValidationError.from_exception_data("event", errors)

    def faults(self, root: str) -> tuple[Fault, ...]:
        """In order of path, each path beginning with `root`; then, in one more fault, what is only counted."""
        faults = [Fault(path_of(root, o.where), o.message) for o in sorted(self.objections, key=_position)]
        rest = [f"at least {self._faults_unnamed} more faults"] if self._faults_unnamed else []
        if self._entries_unseen:
            rest.append(f"{self._entries_unseen} more entries of lists, which were not looked at")
        return (*faults, Fault(root, f"and {' and '.join(rest)}")) if rest else tuple(faults)


def faults_of(refused: ValidationError, root: str) -> tuple[Fault, ...]:
    """The faults in order of path, each path beginning with `root`. Past `FAULT_LIMIT` the rest is only counted, in one
    more fault: an event of a megabyte can have hundreds of thousands.
    """
    gathered = Gathered()
    gathered.add(refused)
    return gathered.faults(root)


def validated_in_slices(
    raw: object, validate: Callable[[object], list[Validated]], slice_entries: int
) -> list[Validated]:
    """Validates a list in slices, and no further once there are `FAULT_LIMIT` faults. For a pydantic wrap validator."""
    if not isinstance(raw, list) or len(raw) <= slice_entries:
        return validate(raw)
    validated: list[Validated] = []
    gathered: Gathered | None = None
    for start in range(0, len(raw), slice_entries):
        try:
            validated += validate(raw[start : start + slice_entries])
        except ValidationError as refused:
            gathered = gathered or Gathered()
            gathered.add(refused, shift=start)
            if gathered.is_full:
                gathered.leave_unseen(max(0, len(raw) - start - slice_entries))
                break
    if gathered is not None:
        raise gathered.error()
    return validated


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


def _objection(error: ErrorDetails) -> Objection:
    where = tuple(part for part in error["loc"] if not (isinstance(part, str) and part.startswith(_TAG_MARK)))
    if error["type"] == ACTION_ERROR and isinstance(error["input"], dict):
        where = (*where, "action")
    return Objection(where, _words(error))


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
