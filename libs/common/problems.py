"""Refusals as exceptions: each has a status, a stable code and plain words, and is rendered once (RFC 9457).

A problem never repeats what was sent: not in its detail, not in its pointers, not in its messages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE: Final = "application/problem+json"
Place = Literal["body", "query", "path", "header"]
PRACTICE_FORBIDDEN: Final = "practice_forbidden"
"""The code of a refusal to change what is of another practice, or of all, for somebody who may see some only."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: where (a JSON pointer), a stable code, and words that do not quote it."""

    pointer: str
    code: str
    message: str
    place: Place = "body"
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members of our own making, e.g. {"rule_id": …, "suggestion": …}."""

    def view(self) -> dict[str, Any]:
        return {
            "pointer": self.pointer,
            "in": self.place,
            "code": self.code,
            "message": self.message,
            **self.more,
        }


class Problem(Exception):
    """A refusal that the caller can understand and act on."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str | None = None,
        errors: Iterable[FieldError] = (),
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def view(self, request_id: str | None) -> dict[str, Any]:
        """The document that answers the caller."""
        found: dict[str, Any] = {
            "type": f"urn:parity:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "retryable": self.status in (429, 502, 503, 504) or "Retry-After" in self.headers,
            **self.more,
        }
        if self.detail is not None:
            found["detail"] = self.detail
        if request_id is not None:
            found["request_id"] = request_id
        if self.errors:
            found["errors"] = [error.view() for error in self.errors]
        return found


class Malformed(Problem):
    def __init__(self, detail: str, code: str = "malformed", errors: Iterable[FieldError] = ()) -> None:
        super().__init__(400, code, "The request cannot be read", detail, errors)


class Unauthorized(Problem):
    def __init__(self, detail: str, error: str | None = "invalid_token") -> None:
        challenge = f'Bearer realm="parity", error="{error}"' if error else 'Bearer realm="parity"'
        super().__init__(
            401, "unauthorized", "Who you are is not proven", detail, headers={"WWW-Authenticate": challenge}
        )


class Forbidden(Problem):
    def __init__(self, detail: str, code: str = "forbidden", scope: str | None = None) -> None:
        headers = (
            {"WWW-Authenticate": f'Bearer realm="parity", error="insufficient_scope", scope="{scope}"'} if scope else {}
        )
        super().__init__(403, code, "You may not do this", detail, headers=headers)


class NotFound(Problem):
    """There is none, or none that this caller may know of."""

    def __init__(self, detail: str = "There is nothing here by this id.") -> None:
        super().__init__(404, "not_found", "Not found", detail)


class Conflict(Problem):
    """The request is understood and does not fit what is so: an illegal step, a second of what may be once."""

    def __init__(
        self, code: str = "state_conflict", detail: str | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(409, code, "This does not fit the present state", detail, more=more)


class InFlight(Problem):
    def __init__(self, detail: str, code: str = "in_flight", retry_after_seconds: int = 1) -> None:
        super().__init__(
            409, code, "The same is being done right now", detail, headers={"Retry-After": str(retry_after_seconds)}
        )


class PreconditionFailed(Problem):
    def __init__(self, detail: str = "It has changed since you read it; read it again.") -> None:
        super().__init__(412, "precondition_failed", "Somebody was there before you", detail)


class TooLarge(Problem):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            413,
            "too_large",
            "The body is too large",
            f"At most {limit_bytes} bytes are taken here.",
            headers={"Connection": "close"},
        )


class UnsupportedMediaType(Problem):
    def __init__(self, accepted: Sequence[str]) -> None:
        super().__init__(
            415,
            "unsupported_media_type",
            "The body is of another type than this takes",
            f"Send {' or '.join(accepted)}, not compressed.",
            headers={"Accept": ", ".join(accepted)},
        )


class Invalid(Problem):
    """The request is read and its content is not right; `errors` say where."""

    def __init__(
        self,
        errors: Iterable[FieldError] = (),
        *,
        code: str = "validation_failed",
        title: str = "The content is not valid",
        detail: str | None = None,
    ) -> None:
        super().__init__(422, code, title, detail, errors)


class PreconditionRequired(Problem):
    def __init__(self, detail: str = "Send If-Match with the ETag of what you read.") -> None:
        super().__init__(428, "precondition_required", "Say which version you mean", detail)


class Unavailable(Problem):
    def __init__(self, detail: str, code: str = "unavailable", retry_after_seconds: int = 2) -> None:
        super().__init__(503, code, "Not possible just now", detail, headers={"Retry-After": str(retry_after_seconds)})


class Unexpected(Problem):
    """A fault of ours; what it was is in our log under the request id, and nowhere else."""

    def __init__(self) -> None:
        super().__init__(500, "internal", "Something went wrong on our side", "Tell us the request id.")


class FieldErrorView(BaseModel):
    """Where and why one field was refused."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    pointer: str = Field(description="JSON pointer (RFC 6901) to the field; empty for the whole.")
    place: Place = Field(alias="in", description="What the pointer points into.")
    code: str = Field(description="Stable code.")
    message: str = Field(description="Plain words; never repeats what was sent.")


class ProblemView(BaseModel):
    """A refusal (RFC 9457). `code` is stable; `detail` is for people and may change."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:parity:problem:validation_failed",
                    "title": "The content is not valid",
                    "status": 422,
                    "code": "validation_failed",
                    "retryable": False,
                    "request_id": "req_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
                    "errors": [
                        {
                            "pointer": "/lines/0/units",
                            "in": "body",
                            "code": "greater_than",
                            "message": "Input should be greater than 0",
                        }
                    ],
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    code: str
    retryable: bool
    detail: str | None = None
    request_id: str | None = None
    errors: list[FieldErrorView] | None = None


_PLACES: Final[Mapping[str, Place]] = {"body": "body", "query": "query", "path": "path", "header": "header"}
_SEGMENT: Final = re.compile(r"[a-z][A-Za-z_]{0,39}[0-9]{0,2}|[0-9]{1,6}")
_QUOTING: Final = frozenset({"union_tag_invalid", "uuid_parsing", "uuid_type", "url_parsing", "json_invalid"})
"""Kinds of pydantic error whose words repeat a part of the input."""


def field_errors(found: Iterable[Any]) -> tuple[FieldError, ...]:
    """pydantic's list of errors as ours: pointers made of `loc`, and no word of the input."""
    return tuple(_field_error(error) for error in found)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    loc = list(error.get("loc", ()))
    place = _PLACES.get(str(loc[0]) if loc else "", "body")
    if loc and str(loc[0]) in _PLACES:
        loc = loc[1:]
    at = pointer(loc) if place == "body" else "".join(f"/{part}" for part in loc[:1])
    return FieldError(at, str(error["type"]), _words(error), place)


def pointer(parts: Iterable[Any]) -> str:
    """The JSON pointer of these parts; a part that does not look like a name of ours may be content and becomes `*`."""
    return "".join(f"/{part if _SEGMENT.fullmatch(str(part)) else '*'}" for part in parts)


def _words(error: Mapping[str, Any]) -> str:
    message = str(error.get("msg", "")).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if error["type"] in _QUOTING or _quotes(message, error.get("input")):
        return "The value is not valid."
    return message


def _quotes(message: str, value: Any) -> bool:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return len(str(value)) > 2 and str(value) in message
    return False
