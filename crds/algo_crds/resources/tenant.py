"""Tenant: a customer of the platform, with a namespace, a quota and a kill switch of its own."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from algo_crds.resources.conditions import Conditions
from algo_crds.resources.metadata import Resource, short_name
from algo_crds.resources.rules import Rule, SpecPart, StatusPart, TransitionRule
from algo_crds.resources.values import Amount, Halt, Text, Word

Cpu = Annotated[str, Field(max_length=16, pattern="^[0-9]+(\\.[0-9]+)?m?$")]
Memory = Annotated[str, Field(max_length=16, pattern="^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$")]


class Quota(SpecPart):
    """What the tenant may use of the cluster."""

    max_strategies: int = Field(default=20, ge=0, le=10_000, description="How many strategies may exist.")
    cpu: Cpu = Field(default="4", description="CPU that all pods together may request, as a Kubernetes quantity.")
    memory: Memory = Field(
        default="4Gi", description="Memory that all pods together may request, as a Kubernetes quantity."
    )


class Risk(SpecPart):
    """Limits over all strategies of the tenant."""

    max_loss_per_day: Amount | None = Field(
        default=None,
        description="Loss of a day in rupees over all strategies at which all of them exit for that day; paper and "
        "real money are counted apart.",
    )


class TenantSpec(SpecPart):
    """Who the tenant is and what it may do."""

    display_name: Annotated[str, Field(min_length=1, max_length=128)] = Field(description="Name for people.")
    owner: Annotated[str, Field(max_length=30, pattern="^usr_[0-9a-hjkmnp-tv-z]{26}$")] = Field(
        description="Id of the user who owns the tenant (usr_...); it cannot change."
    )
    quota: Quota = Field(default=Quota(), description="What the tenant may use of the cluster.")
    risk: Risk | None = Field(default=None, description="Limits over all strategies of the tenant.")
    halt: Halt | None = Field(
        default=None,
        description="Kill switch of the tenant: no entry, all positions are closed, until a person removes this field.",
    )


class TenantStatus(StatusPart):
    """State of the tenant; written by the operator only."""

    conditions: Conditions = Field(
        default=(),
        description="Ready: the namespace and what belongs to it exist. DayLossLimit: whether the loss of a day over "
        "all strategies has reached the limit. Deleting.",
    )
    tenant_id: Word | None = Field(default=None, description="The platform's id of the tenant (tnt_...).")
    namespace: Word | None = Field(default=None, description="Namespace of the tenant's resources and pods.")
    observed_generation: int | None = Field(default=None, ge=0, description="Generation of the spec in force.")
    halted: bool | None = Field(default=None, description="Whether the kill switch is on.")
    strategies: int | None = Field(default=None, ge=0, description="How many strategies exist.")
    message: Text | None = Field(default=None, description="What a person should know or do next.")


class Tenant(Resource):
    """A customer of the platform: a namespace, a quota, risk limits and a kill switch."""

    rules: ClassVar[tuple[Rule, ...]] = (short_name(58, "the namespace algo-<name>"),)
    transitions: ClassVar[tuple[TransitionRule, ...]] = (
        TransitionRule(
            cel="self.spec.owner == oldSelf.spec.owner",
            message="owner cannot change; make another Tenant",
            holds=lambda old, new: old.spec.owner == new.spec.owner,
        ),
    )

    api_version: Literal["algo.trading/v1alpha1"] = Field(default="algo.trading/v1alpha1", description="API version.")
    kind: Literal["Tenant"] = Field(default="Tenant", description="Kind.")
    spec: TenantSpec = Field(description="Who the tenant is and what it may do.")
    status: TenantStatus | None = Field(default=None, description="State of the tenant; the operator writes it.")


TENANT_PREFIX: Final = "algo-"


def tenant_namespace(tenant: str) -> str:
    """Namespace of a tenant's resources and pods."""
    return f"{TENANT_PREFIX}{tenant}"
