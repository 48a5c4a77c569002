"""Rules that the API server and Python enforce alike: each is written once, as CEL and predicate, with one message.

A rule travels two ways: the generator copies its CEL text into `x-kubernetes-validations`, and the models call its
predicate. So a trader reads the same sentence from kubectl, from the API and from a test.

Source of the format: Kubernetes, "CustomResourceDefinition: validation rules".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

RULE_ERROR: Final = "trading_rule"
"""Type of a pydantic error that breaks a rule (HTTP 400); all other types are malformed input (HTTP 422)."""

VALIDATIONS: Final = "x-kubernetes-validations"
REQUIRED_MESSAGE: Final = "x-required-message"
"""Marks a required field whose absence is refused by CEL with this message, not by the schema's bare "Required"."""

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule over one value (`self`)."""

    cel: str
    message: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRule:
    """A rule over an update (`oldSelf` to `self`); creation never breaks it."""

    cel: str
    message: str
    holds: Callable[[Any, Any], bool]
    """Called with the old and the new value."""


def rule_error(message: str) -> PydanticCustomError:
    """The error of a broken rule. The message is passed as data, so that braces in it stay as they are."""
    return PydanticCustomError(RULE_ERROR, "{rule}", {"rule": message})


class Checked:
    """Annotation of a value: its structural schema and its rules."""

    def __init__(self, schema: Schema, *rules: Rule) -> None:
        self.schema = schema
        self.rules = rules

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.schema | ({VALIDATIONS: cel_rules(self.rules)} if self.rules else {})

    def _check(self, value: Any) -> Any:
        for rule in self.rules:
            if not rule.holds(value):
                raise rule_error(rule.message)
        return value


def cel_rules(rules: tuple[Rule | TransitionRule, ...]) -> list[Schema]:
    """The rules as the CRD carries them."""
    return [{"rule": rule.cel, "message": rule.message} for rule in rules]


class Part(BaseModel):
    """Base of every part of a resource: camelCase outside, snake_case inside, immutable."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    rules: ClassVar[tuple[Rule, ...]] = ()
    transitions: ClassVar[tuple[TransitionRule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _explain_missing(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for name, message in required_messages(cls).items():
                if data.get(to_camel(name), data.get(name)) is None:
                    raise rule_error(message)
        return data

    @model_validator(mode="after")
    def _check_rules(self) -> "Part":
        for rule in self.rules:
            if not rule.holds(self):
                raise rule_error(rule.message)
        return self


class SpecPart(Part):
    """Base of what people write: a misspelt field is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")


class StatusPart(Part):
    """Base of what the operator writes: fields of a newer version are ignored."""

    model_config = ConfigDict(extra="ignore")


def required_messages(model: type[BaseModel]) -> dict[str, str]:
    """Fields whose absence has a message of its own, by Python name."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and REQUIRED_MESSAGE in extra:
            found[name] = str(extra[REQUIRED_MESSAGE])
    return found


def broken_transitions(old: Part, new: Part) -> list[str]:
    """Messages of the rules that an update of a whole resource would break; empty if it may pass."""
    return [rule.message for rule in new.transitions if not rule.holds(old, new)]
