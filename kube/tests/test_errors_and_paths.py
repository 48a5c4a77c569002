"""Pure parts of the client: paths and the table of errors."""

import pytest
from algo_kube import errors, resources


def test_paths() -> None:
    assert resources.POD.path("a", "b", "log") == "/api/v1/namespaces/a/pods/b/log"
    assert resources.STRATEGY.path() == "/apis/algo.trading/v1alpha1/strategies"
    assert resources.TENANT.path(None, "t") == "/apis/algo.trading/v1alpha1/tenants/t"
    assert resources.SECRET.path("a", "x/y") == "/api/v1/namespaces/a/secrets/x%2Fy"


def test_one_object_of_a_namespaced_kind_needs_its_namespace() -> None:
    with pytest.raises(ValueError, match="needs a namespace"):
        resources.POD.path(None, "b")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {}, errors.BadRequestError),
        (401, {}, errors.UnauthorizedError),
        (403, {}, errors.ForbiddenError),
        (404, {}, errors.NotFoundError),
        (409, {}, errors.ConflictError),
        (409, {"reason": "AlreadyExists"}, errors.AlreadyExistsError),
        (410, {}, errors.GoneError),
        (422, {}, errors.InvalidError),
        (429, {}, errors.TooManyRequestsError),
        (500, {}, errors.UnavailableError),
        (503, {}, errors.UnavailableError),
    ],
)
def test_each_status_has_its_error(status: int, body: dict[str, str], kind: type[errors.KubeError]) -> None:
    error = errors.error_of(status, body)
    assert type(error) is kind
    assert error.status == status


def test_retry_after_comes_from_header_or_body() -> None:
    assert errors.error_of(429, {}, 3.0).retry_after == 3.0
    assert errors.error_of(503, {"details": {"retryAfterSeconds": 7}}).retry_after == 7.0


def test_an_apply_that_does_not_fit_the_schema_is_invalid_not_unavailable() -> None:
    message = "failed to create typed patch object (default/a; algo.trading/v1alpha1, Kind=Strategy): .spec.foo: ..."
    assert type(errors.error_of(500, {"message": message})) is errors.InvalidError
