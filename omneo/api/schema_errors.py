"""What may go wrong in any operation, as OpenAPI has it."""

from __future__ import annotations

from typing import Any

REF = {"$ref": "#/components/schemas/Error"}
RETRY_AFTER = {
    "description": "After how many seconds to ask again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
}


def _error(description: str, message: str, **more: Any) -> dict[str, Any]:
    example = {"message": message, **more}
    content = {"application/json": {"schema": REF, "example": example}}
    return {"description": description, "content": content}


ERRORS = {
    "BadRequest": _error(
        "The body cannot be read.", "JSON parse error - Expecting value: line 1 column 1 (char 0)"
    ),
    "Unauthenticated": _error("The token is missing, unknown or expired.", "Unauthenticated."),
    "Forbidden": _error(
        "The token lacks the scope.", "The token lacks the scope transactions:write."
    ),
    "NotFound": _error("It is not there.", "There is no such profile."),
    "MethodNotAllowed": _error("The path has no such method.", 'Method "PUT" not allowed.'),
    "NotAcceptable": _error(
        "The answer has no such form.", "Could not satisfy the request Accept header."
    ),
    "Conflict": _error(
        "It would be right, were it not for what else there is.",
        "It is in use by transactions (3).",
    ),
    "TooLarge": _error("The body is too large.", "The body is larger than 10485760 bytes."),
    "UnsupportedMediaType": _error(
        "The body is no JSON.", 'Unsupported media type "text/plain" in request.'
    ),
    "Invalid": _error(
        "The body or the query does not validate.",
        "The given data was invalid.",
        errors={"total": ["A valid number is required."]},
    ),
    "TooManyRequests": _error(
        "The token has asked too often.", "Request was throttled. Expected available in 12 seconds."
    )
    | {"headers": {"Retry-After": RETRY_AFTER}},
    "FarBehind": _error(
        "The clock has overtaken too many rows, which are being brought up to date.",
        "More than 30,000 rows were overtaken by the clock and are being brought up to date. "
        "Try again.",
    )
    | {"headers": {"Retry-After": RETRY_AFTER}},
}
ALWAYS = {
    "401": "Unauthenticated",
    "403": "Forbidden",
    "405": "MethodNotAllowed",
    "406": "NotAcceptable",
    "422": "Invalid",
    "429": "TooManyRequests",
}
WITH_BODY = {"400": "BadRequest", "413": "TooLarge", "415": "UnsupportedMediaType"}


def errors_of(
    *, has_body: bool, may_be_missing: bool, may_be_behind: bool, writes: bool
) -> dict[str, Any]:
    """Return the errors of an operation.

    `may_be_missing`: it names something; `may_be_behind`: it waits for the clock to be caught up.
    """
    names = {
        **ALWAYS,
        **(WITH_BODY if has_body else {}),
        **({"404": "NotFound"} if may_be_missing else {}),
        **({"409": "Conflict"} if writes else {}),
        **({"503": "FarBehind"} if may_be_behind else {}),
    }
    return {
        code: {"$ref": f"#/components/responses/{name}"} for code, name in sorted(names.items())
    }


def _count(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description}


def _age(description: str) -> dict[str, Any]:
    return {"type": "number", "minimum": 0, "description": description}


_STATE = {"enum": ["up", "down"]}
_HEALTH = {
    "type": "object",
    "required": ["status", "statusText", "broker", "database"],
    "properties": {
        "status": {"type": "integer"},
        "statusText": {"type": "string"},
        "broker": _STATE,
        "database": _STATE,
        "queue": {
            "type": "object",
            "description": "How far recalculation is behind.",
            "required": [
                "depth",
                "oldest_seconds",
                "failing",
                "due",
                "oldest_due_seconds",
                "recalculations_per_second",
            ],
            "properties": {
                "depth": _count("Requests for recalculation that wait."),
                "oldest_seconds": _age("Age of the oldest that was not tried yet, 0 for none."),
                "failing": _count("Requests among them that failed and will be tried again."),
                "due": _count("Rows that the clock has overtaken and nobody has stored anew."),
                "oldest_due_seconds": _age("For how long the first of them is due, 0 for none."),
                "recalculations_per_second": {
                    "type": "number",
                    "minimum": 0,
                    "description": "Profiles, by all processes, over the last minute.",
                },
            },
        },
    },
}


def _state(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _HEALTH}}}


HEALTH = {
    "get": {
        "operationId": "health",
        "summary": "Whether all parts are up",
        "tags": ["health"],
        "security": [],
        "responses": {
            "200": _state("All are up."),
            "405": {"$ref": "#/components/responses/MethodNotAllowed"},
            "503": _state("One is down."),
        },
    }
}
