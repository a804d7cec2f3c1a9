"""What the OpenAPI document says of every operation: how a wrong request is refused, and what is wrong."""

from __future__ import annotations

from typing import Any

IMDB_ID_PATTERN = "^tt[0-9]{7,9}$"
INVALID = {
    "description": "A sentence (`detail`), or for each wrong parameter or field its messages.",
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {}}, {"type": "object", "additionalProperties": {}}]
    },
}
INVALID_RESPONSE = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Invalid"}}}}
CLOSED_SUFFIX, OTHER_CLOSED = "Write", frozenset({"Bulk", "Operation"})
"""Bodies in which an unknown field is an error: those of `WriteSerializer`."""


def describe_refusals(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular; each operation refuses unknown parameters and values with 400."""
    schemas = result["components"]["schemas"]
    schemas["Invalid"] = INVALID
    for name, schema in schemas.items():
        if name.endswith(CLOSED_SUFFIX) or name in OTHER_CLOSED:
            schema["additionalProperties"] = False
        else:
            _allow_empty_texts(schema)
    # drf-spectacular leaves out that a list of objects may not be empty.
    schemas["Bulk"]["properties"]["operations"]["minItems"] = 1
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["400"] = {**INVALID_RESPONSE, "description": ""}
            _describe_ids(operation.get("parameters", ()))
    return result


def _allow_empty_texts(schema: dict[str, Any]) -> None:
    """In responses: ENFORCE_NON_BLANK_FIELDS means what is written, but drf-spectacular says it of both."""
    for described in schema.get("properties", {}).values():
        for one in (described, described.get("items", {})):
            one.pop("minLength", None)


def _describe_ids(parameters: Any) -> None:
    for parameter in parameters:
        if parameter["name"] == "imdb_id":
            parameter["schema"]["pattern"] = IMDB_ID_PATTERN
