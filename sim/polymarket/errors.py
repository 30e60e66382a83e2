"""The one way this venue says no: an HTTP status, a message, optional extra fields."""


class ApiError(Exception):
    """A refusal on the wire: {"error": message, **extra} with `status` and `headers`."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: dict[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.body: dict[str, object] = {"error": message, **extra}


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized/Invalid api key")


def bad_l1() -> ApiError:
    return ApiError(401, "Invalid L1 Request headers")


def bad_payload() -> ApiError:
    return ApiError(400, "Invalid order payload")
