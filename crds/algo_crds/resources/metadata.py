"""What every resource has around its spec and status: names, versions, ownership."""

from typing import Final

from pydantic import AwareDatetime, Field

from algo_crds.contracts import ids
from algo_crds.resources.rules import Part, Rule, StatusPart

GROUP: Final = "algo.trading"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
USER_ANNOTATION: Final = f"{GROUP}/user"
"""Annotation: id of the user who owns the resource."""
TENANT_LABEL: Final = f"{GROUP}/tenant"
"""Label of a tenant's namespace: name of its Tenant."""
ABANDON_ANNOTATION: Final = f"{GROUP}/abandon-position"
"""Annotation: quantity that a person gives up when a resource is deleted with a position open."""
FORCE_SELL_ANNOTATION: Final = f"{GROUP}/force-second-sell"
"""Annotation: tag of a sell of unknown outcome that a person calls absent, at the risk of a second sell; the operator
takes it off once the runner has read it."""
SYSTEM_NAMESPACE: Final = "algo-system"


class ObjectMeta(StatusPart):
    """The part of Kubernetes metadata that this platform reads."""

    name: str = Field(default="", description="Name of the object.")
    namespace: str | None = Field(default=None, description="Namespace; none for a cluster-scoped object.")
    uid: str = Field(default="", description="Unique id, made by the API server.")
    generation: int = Field(default=0, description="Version of the spec.")
    resource_version: str = Field(default="", description="Version of the whole object.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations.")
    finalizers: tuple[str, ...] = Field(default=(), description="Who must agree before the object goes.")
    creation_timestamp: AwareDatetime | None = Field(default=None, description="When it was made.")
    deletion_timestamp: AwareDatetime | None = Field(default=None, description="When its deletion was asked for.")


class Resource(Part):
    """Base of the four kinds."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta, description="Standard metadata.")


def identifier(prefix: str, metadata: ObjectMeta) -> str:
    """The platform's id of a resource (see `contracts.ids`)."""
    return ids.id_of_resource(prefix, metadata.name, metadata.uid)


def short_name(limit: int, becomes: str) -> Rule:
    """A rule over a whole resource: its name also names other objects and must be short and without dots.

    `becomes` is the name that is made of it.
    """
    return Rule(
        cel=f"size(self.metadata.name) <= {limit} && !self.metadata.name.contains('.')",
        message=f"the name must have at most {limit} characters and no dots, because it becomes {becomes}",
        holds=lambda value: len(value.metadata.name) <= limit and "." not in value.metadata.name,
    )
