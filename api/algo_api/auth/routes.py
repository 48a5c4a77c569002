"""Routes of registration and sign-in."""

from fastapi import APIRouter, status

from algo_api.auth.schemas import LoginIn, RefreshIn, RegisterIn, TokensOut, UserOut
from algo_api.deps import AuthDep, CallerDep, ClientDep
from algo_api.errors import ConflictError, RateLimitedError, UnauthenticatedError, UnavailableError, documented

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    responses=documented(ConflictError, RateLimitedError, UnavailableError),
)
async def register(new: RegisterIn, auth: AuthDep, client: ClientDep) -> UserOut:
    """Make a user and a tenant of their own; the tenant's namespace follows within seconds."""
    return await auth.register(new, client=client)


@router.post("/login", responses=documented(UnauthenticatedError, RateLimitedError, UnavailableError))
async def login(credentials: LoginIn, auth: AuthDep, client: ClientDep) -> TokensOut:
    """Tokens for a password."""
    return await auth.login(credentials, client=client)


@router.post("/refresh", responses=documented(UnauthenticatedError, UnavailableError))
async def refresh(token: RefreshIn, auth: AuthDep) -> TokensOut:
    """New tokens for a refresh token, which is used up; using one twice ends the whole sign-in."""
    return await auth.refresh(token)


@router.get("/me", responses=documented(UnauthenticatedError, UnavailableError))
async def me(caller: CallerDep, auth: AuthDep) -> UserOut:
    """The signed-in user."""
    return await auth.me(caller)
