"""The envelope of an event: CloudEvents 1.0, structured JSON; strict to write, tolerant to read."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""An open enumeration: writers use the documented words, readers accept any."""
Id = Annotated[str, Field(pattern=r"^[a-z]{2,4}_[0-9a-z]{1,48}$")]
Cents = Annotated[int, Field(ge=0)]
SignedCents = int


class Sealed(BaseModel):
    """Identity and clinical detail of an event; travels encrypted with the tenant's key, never in the open."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(BaseModel):
    """A fact that has happened, or the state of an aggregate; the fields are its open data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: ClassVar[str]
    producer: ClassVar[str]
    kind: ClassVar[Literal["state", "fact"]]
    key: ClassVar[str]
    """The data field that is the subject and the partition key."""
    version: ClassVar[int] = 1

    @classmethod
    def full_type(cls) -> str:
        return f"{cls.topic}.v{cls.version}"

    @classmethod
    def sealed_model(cls) -> "type[Sealed] | None":
        """The model of the sealed attribute, where the event has one."""
        field = cls.model_fields.get("sealed")
        if field is None:
            return None
        return next(
            a for a in getattr(field.annotation, "__args__", ()) if isinstance(a, type) and issubclass(a, Sealed)
        )

    def subject(self) -> str:
        value = getattr(self, self.key)
        assert isinstance(value, str), f"{self.topic} has no subject"
        return value


E_co = TypeVar("E_co", bound=Event, covariant=True)
Open = Callable[[str, str, str], bytes]
"""Opens a sealed text: (tenant, sealed, context) to plain bytes."""


class Envelope(BaseModel, Generic[E_co]):
    """An event as it stood in the log; `sequence` orders the events of one (source, subject)."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    id: str
    type: str
    source: str
    subject: str
    sequence: int
    time: datetime
    tenantid: str
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    data: E_co
    raw: bytes = b""
    """The record as it came."""

    @property
    def topic(self) -> str:
        return self.type.rpartition(".v")[0]


class UnreadableEvent(ValueError):
    """A record that is not an event this release can read; its key is parked."""


def write(attributes: dict[str, Any], data: Event, sealed: str | None) -> bytes:
    """The record's bytes: CloudEvents attributes, open data, and the sealed text where there is one."""
    body: dict[str, Any] = {
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "dataschema": f"urn:parity:event:{attributes['type']}",
        **{name: value for name, value in attributes.items() if value is not None},
        "data": data.model_dump(mode="json", exclude={"sealed"}),
    }
    if sealed is not None:
        body["sealed"] = sealed
    return orjson.dumps(body)


def read(raw: bytes, model: type[E_co], open_sealed: Open | None = None) -> Envelope[E_co]:
    """What any earlier or later release of this version wrote; sealed content only where `open_sealed` is given."""
    try:
        body = orjson.loads(raw)
        data = body["data"]
        sealed_model = model.sealed_model()
        if sealed_model is not None:
            data["sealed"] = None
            if open_sealed is not None and body.get("sealed"):
                plain = open_sealed(body["tenantid"], body["sealed"], body["type"])
                data["sealed"] = sealed_model.model_validate_json(plain, extra="ignore").model_dump()
        event = model.model_validate(data, extra="ignore")
        return Envelope[Any](
            **{n: body.get(n) for n in _ATTRIBUTES}, sequence=int(body["sequence"]), data=event, raw=raw
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(f"{model.topic}: {type(error).__name__}") from None


_ATTRIBUTES = ("id", "type", "source", "subject", "time", "tenantid", "correlationid", "causationid", "traceparent")
