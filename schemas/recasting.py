"""How a value becomes one of another kind: what was validated once is not validated again.

Always holds: what comes of it is to the byte what validating the same fields would give. A field is
taken over as it is where the other kind asks nothing of it that its own kind has not asked; all
others are validated, and where that cannot be told from the two kinds, the whole is.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

M = TypeVar("M", bound=BaseModel)

_PLAIN = (type(None), str, int, float, bool, bytes)
"""What everybody can share as a default: nothing that is in it can change."""

Check = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    """`taken`: it is taken over unseen. `default` (as validated): the source has no such field."""

    name: str
    taken: bool
    given: bool
    check: Check
    default: Any


@dataclass(frozen=True, slots=True)
class _Plan:
    """`told`: the fields that the source gives."""

    fields: tuple[_Field, ...]
    told: frozenset[str]


def cast(kind: type[M], source: BaseModel, changes: Mapping[str, Any]) -> M:
    """A value of another kind with the fields that both have, and these changes."""
    given = source.__dict__
    if (plan := _plan(kind, type(source))) is None:
        return _validated(kind, given, changes)
    values: dict[str, Any] = {}
    try:
        for field in plan.fields:
            name = field.name
            if name in changes:
                values[name] = field.check(changes[name])
            elif field.taken:
                values[name] = given[name]
            elif field.given:
                values[name] = field.check(given[name])
            elif field.default is PydanticUndefined:
                return _validated(kind, given, changes)
            else:
                values[name] = field.default
    except ValidationError:
        return _validated(kind, given, changes)  # it says of which kind, and where
    told = plan.told.union(changes)
    if not values.keys() >= told:
        return _validated(kind, given, changes)
    return assembled(kind, values, set(told))


def changed(value: M, changes: Mapping[str, Any]) -> M:
    """The value with these changes, unvalidated; what is in it is frozen, and shared."""
    told = value.__pydantic_fields_set__
    return assembled(type(value), {**value.__dict__, **changes}, told.union(changes))


def assembled(kind: type[M], values: dict[str, Any], told: set[str]) -> M:
    """A value of these fields, as validation would have given it; `told`: those that were given."""
    made: M = kind.__new__(kind)
    # One by one: a loop over the four names takes nearly twice as long.
    _set(made, "__dict__", values)
    _set(made, "__pydantic_fields_set__", told)
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


_set = object.__setattr__


def _validated(kind: type[M], given: Mapping[str, Any], changes: Mapping[str, Any]) -> M:
    fields = {name: given[name] for name in kind.model_fields if name in given}
    return kind.model_validate({**fields, **changes})


@cache
def _plan(kind: type[BaseModel], source: type[BaseModel]) -> _Plan | None:
    """What becomes of each field; None where a kind looks at its fields together."""
    rules = kind.__pydantic_decorators__
    if rules.validators or rules.field_validators or rules.root_validators:
        return None
    if rules.model_validators or kind.__pydantic_post_init__ or kind.__private_attributes__:
        return None
    fields = []
    for name, field in kind.model_fields.items():
        if field.alias or field.validation_alias:
            return None
        check, before = _check_of(kind, name), source.model_fields.get(name)
        default: Any = PydanticUndefined
        if before is None and not field.is_required():
            if field.default_factory is not None or not _is_plain(field.default):
                return None
            default = check(field.default)
        taken = before is not None and asks_no_more(field, before)
        fields.append(_Field(name, taken, before is not None, check, default))
    return _Plan(tuple(fields), frozenset(field.name for field in fields if field.given))


def asks_no_more(field: FieldInfo, before: FieldInfo) -> bool:
    """Whether whatever is of the one field is of the other, as it is."""
    return field.annotation == before.annotation and all(
        rule in before.metadata and not _looks_round(rule) for rule in field.metadata
    )


def _looks_round(rule: Any) -> bool:
    """Whether a rule asks who validates, and when: it may not have asked the same before."""
    if not isinstance(rule, AfterValidator | BeforeValidator):
        return False
    return len(inspect.signature(rule.func).parameters) > 1


def _is_plain(value: Any) -> bool:
    return isinstance(value, _PLAIN) or (isinstance(value, tuple) and all(map(_is_plain, value)))


@cache
def _check_of(kind: type[BaseModel], name: str) -> Check:
    field = kind.model_fields[name]
    rules: Any = (
        Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    )
    try:
        config = ConfigDict(allow_inf_nan=kind.model_config.get("allow_inf_nan", True))
        return TypeAdapter(rules, config=config).validator.validate_python
    except PydanticUserError:  # of a model, which has a configuration of its own
        return TypeAdapter(rules).validator.validate_python
