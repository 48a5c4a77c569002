"""Probes on the wire."""

from pydantic import BaseModel, Field


class Health(BaseModel):
    """Whether the process is alive."""

    status: str = Field(description="ok.")


class Readiness(BaseModel):
    """Whether requests can be served, and what is missing."""

    status: str = Field(description="ok, or unavailable.")
    database: bool = Field(description="PostgreSQL answers.")
    redis: bool = Field(description="Redis answers; without it live data is missing and nobody can sign in.")
