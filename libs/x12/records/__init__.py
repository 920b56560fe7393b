"""Typed, frozen records: one for every loop that a biller names; money is whole cents, quantities Decimal."""

from libs.x12.records.acknowledgement import (
    ElementError,
    InterchangeAcknowledgement,
    SegmentError,
    SyntaxAcknowledgement,
    TransactionVerdict,
)
from libs.x12.records.claim import (
    Attachment,
    BillValue,
    Claim,
    ClaimFile,
    Condition,
    Diagnosis,
    LineAdjudication,
    Note,
    Occurrence,
    OccurrenceSpan,
    OtherPayer,
    Patient,
    Procedure,
    ServiceLine,
    Subscriber,
)
from libs.x12.records.common import (
    Address,
    Adjustment,
    Amount,
    Contact,
    Delimiters,
    Envelope,
    OtherTransaction,
    Party,
    Quantity,
    Reference,
    Rejection,
    Segment,
    Source,
    Trace,
    When,
)
from libs.x12.records.eligibility import (
    Benefit,
    Delivery,
    EligibilityAnswer,
    EligibilityInquiry,
    EligibilityQuestion,
    EligibilityResponse,
)
from libs.x12.records.payment import (
    Bank,
    ClaimPayment,
    Payment,
    ProviderAdjustment,
    ProviderSummary,
    Remittance,
    ServicePayment,
)
from libs.x12.records.review import Decision, Review, ReviewFile, ReviewService
from libs.x12.records.status import (
    AcknowledgedClaim,
    ClaimAcknowledgement,
    LineStatus,
    Status,
    StatusAnswer,
    StatusInquiry,
    StatusQuestion,
    StatusResponse,
    Tally,
)

#: What one transaction (ST to SE) reads as and is written from.
Record = (
    ClaimFile
    | Remittance
    | EligibilityInquiry
    | EligibilityResponse
    | StatusInquiry
    | StatusResponse
    | ClaimAcknowledgement
    | ReviewFile
    | SyntaxAcknowledgement
    | InterchangeAcknowledgement
    | OtherTransaction
)

__all__ = [
    "AcknowledgedClaim", "Address", "Adjustment", "Amount", "Attachment", "Bank", "Benefit", "BillValue", "Claim",
    "ClaimAcknowledgement", "ClaimFile", "ClaimPayment", "Condition", "Contact", "Decision", "Delimiters", "Delivery",
    "Diagnosis", "ElementError", "EligibilityAnswer", "EligibilityInquiry", "EligibilityQuestion",
    "EligibilityResponse",
    "Envelope", "InterchangeAcknowledgement", "LineAdjudication", "LineStatus", "Note", "Occurrence", "OccurrenceSpan",
    "OtherPayer", "OtherTransaction", "Party", "Patient", "Payment", "Procedure",
    "ProviderAdjustment", "ProviderSummary", "Quantity", "Record", "Reference",
    "Rejection", "Remittance", "Review", "ReviewFile", "ReviewService", "Segment", "SegmentError",
    "ServiceLine", "ServicePayment", "Source", "Status", "StatusAnswer", "StatusInquiry", "StatusQuestion",
    "StatusResponse", "Subscriber", "SyntaxAcknowledgement", "Tally", "Trace", "TransactionVerdict", "When",
]  # fmt: skip
