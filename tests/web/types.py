"""Write web/js/types.d.ts, the types of what the page and the service exchange: `python -m tests.web.types`."""

import json
from typing import Any

from serving.api import messages
from serving.openapi import schemas
from tests.web.node import ROOT

FILE = ROOT / "web/js/types.d.ts"
HEADER = "// Made by `python -m tests.web.types` from serving/api/messages.py. Only the type checker reads this file.\n"
BASIC = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def types() -> str:
    """Return the content of the file."""
    return "\n".join([HEADER, *(interface(name, schema) for name, schema in schemas(messages).items())])


def interface(name: str, schema: dict[str, Any]) -> str:
    lines = [f"/** {schema['description']} */", f"interface {name} {{"]
    for field, its in schema["properties"].items():
        if "description" in its:
            lines.append(f"  /** {its['description']} */")
        # A field with a default is always sent.
        is_optional = field not in schema["required"] and "default" not in its
        lines.append(f"  {field}{'?' if is_optional else ''}: {type_of(its)};")
    return "\n".join([*lines, "}", ""])


def type_of(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(map(type_of, schema["anyOf"]))
    if "prefixItems" in schema:
        return f"[{', '.join(map(type_of, schema['prefixItems']))}]"
    if schema["type"] == "array":
        return f"{type_of(schema['items'])}[]"
    return BASIC.get(schema["type"], "Record<string, unknown>")


if __name__ == "__main__":
    FILE.write_text(types())
