"""Users and tokens on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, EmailStr, Field, SecretStr
from pydantic import BaseModel as Response

from algo_api.identity import Role
from algo_api.inputs import CleanText, Request

Email = Annotated[EmailStr, AfterValidator(str.lower), Field(max_length=254)]
NewPassword = Annotated[SecretStr, Field(min_length=12, max_length=128)]


def _encodable(secret: SecretStr) -> SecretStr:
    secret.get_secret_value().encode()
    return secret


class RegisterIn(Request):
    """A new trader."""

    email: Email = Field(description="E-mail address; it identifies the user.")
    password: Annotated[NewPassword, AfterValidator(_encodable)] = Field(description="At least 12 characters.")
    name: Annotated[CleanText, Field(min_length=1, max_length=128)] = Field(description="Name for people.")


class LoginIn(Request):
    """A sign-in."""

    email: Email = Field(description="E-mail address.")
    password: Annotated[SecretStr, Field(min_length=1, max_length=128), AfterValidator(_encodable)] = Field(
        description="Password."
    )


class RefreshIn(Request):
    """A refresh token; it can be used once."""

    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=256), AfterValidator(_encodable)] = Field(
        description="The newest refresh token of the sign-in."
    )


class UserOut(Response):
    """A user."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description="Id of the user (usr_...).")
    email: str = Field(description="E-mail address.")
    name: str = Field(description="Name for people.")
    role: Role = Field(description="Admin, User or Broker.")
    tenant_id: str = Field(description="Id of the user's tenant (tnt_...).")
    created_at: datetime = Field(description="When the user was made.")


class TokensOut(Response):
    """What a sign-in or a refresh yields."""

    access_token: str = Field(description="Send it as `Authorization: Bearer ...`.")
    refresh_token: str = Field(description="Exchange it once at /auth/refresh; using it twice ends the sign-in.")
    token_type: Literal["bearer"] = Field(default="bearer", description="Always bearer.")
    expires_in: int = Field(description="Seconds until the access token ends.")
