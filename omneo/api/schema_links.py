"""Links: what can be done next with what an operation has made, as OpenAPI has it."""

from __future__ import annotations

from typing import Any

VERBS = {"get": "Read", "put": "Update", "patch": "Update", "delete": "Delete"}
KEY = "id"


def add_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Link each answer that tells of a new row to the operations on that row."""
    paths = result["paths"]
    for path, operations in paths.items():
        made = operations.get("post", {}).get("responses", {}).get("201")
        row = made and _path_of_the_row(path, paths)
        if row:
            made["links"] = {
                operation["operationId"]: {
                    "operationId": operation["operationId"],
                    "description": f"{VERBS[method]} what was made.",
                    "parameters": {
                        one["name"]: _source(one["name"])
                        for one in operation["parameters"]
                        if one["in"] == "path"
                    },
                }
                for method, operation in paths[row].items()
                if method in VERBS
            }
    return result


def _path_of_the_row(path: str, paths: dict[str, Any]) -> str | None:
    parent = path.rpartition("/")[0]
    candidates = [f"{path}/{{{KEY}}}", f"{path}/id/{{{KEY}}}", f"{parent}/{{{KEY}}}"]
    return next((one for one in candidates if one in paths), None)


def _source(parameter: str) -> str:
    return "$response.body#/data/id" if parameter == KEY else f"$request.path.{parameter}"
