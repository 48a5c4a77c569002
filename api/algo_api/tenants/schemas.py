"""Tenants on the wire."""

from pydantic import BaseModel, ConfigDict, Field


class TenantOut(BaseModel):
    """A customer of the platform."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description="Id of the tenant (tnt_...).")
    display_name: str = Field(description="Name for people.")
    owner_id: str = Field(description="Id of the user who owns it (usr_...).")
    resource: str = Field(description="Name of the Tenant resource.")
