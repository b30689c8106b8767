"""What the OpenAPI document cannot say, for schemathesis."""

import itertools
import json
import re

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Reports of one time are applied in any order, while random times would nearly all be stale or in the future.
REPORTED_AT = "2026-01-31T09:30:00Z"


@schemathesis.hook
def map_body(context, body):
    """Keeps the times of reports from deciding whether anything else of them is tested."""
    stamp = body.get("sync_timestamp") if isinstance(body, dict) else None
    if isinstance(stamp, str) and re.match(r"\d{4}-\d\d-\d\d[Tt ]", stamp):
        body["sync_timestamp"] = REPORTED_AT
    return body


ADDRESSES = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives every request an address of its own, so that those without a valid key are not limited as one client's."""
    number = next(ADDRESSES)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    case.headers = {**(case.headers or {}), "X-Forwarded-For": address}


def is_beyond_schemas(error):
    """Whether no schema can tell that a value is wrong in this way."""
    pointer, code, detail = error["pointer"], error["code"], error["detail"]
    if pointer == "/query/cursor":
        return True  # Only an answer makes a cursor.
    if pointer in ("/expires_at", "/until"):
        return True  # It must be in the future.
    if pointer in ("/query/include_disabled", "/query/status") and code == "unknown-parameter":
        return True  # With fixed=true there are no such parameters.
    if pointer == "/versions/to" and "lower bound" in detail:
        return True  # It depends on the other bound.
    if pointer in ("/query/below", "/query/from", "/query/to", "/query/branch"):
        return True  # Bounds depend on each other, and what they bound has versions of two kinds.
    if pointer.endswith("/version") and "code is missing" in detail:
        return True  # It depends on the field `missing`.
    if pointer == "/site_id" and code == "unknown-site":
        return True  # What is in the database decides.
    # To JSON Schema 17.0 is an integer, to the server it is a sign of a client that computes with fractions.
    return "whole number" in detail and "found the number" in detail or "invalid type: floating point" in detail


@schemathesis.check
def valid_data_is_accepted(ctx, response, case):
    """`positive_data_acceptance`, but for values that are wrong in a way no schema can tell."""
    if response.status_code == 422:
        problem = json.loads(response.content)
        errors = problem.get("errors", [])
        if problem.get("code") == "idempotency-key-reused":
            return None  # What came before decides.
        if errors and all(is_beyond_schemas(error) for error in errors):
            return None
    return positive_data_acceptance(ctx, response, case)
