"""Answers as AWS puts them on the wire: query XML, EC2's, JSON, REST-JSON, from botocore's models.

Source of the protocols: https://smithy.io/2.0/aws/protocols/index.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

__all__ = ["Wire", "error", "success"]

Wire = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


def success(model: Any, operation: Any, response: Mapping[str, object], request_id: str) -> Wire:
    """Serialize an answer.

    Parameters
    ----------
    model, operation
        botocore's `ServiceModel` and `OperationModel`.
    response
        As boto3 gives it, times as ISO 8601 text; members that the model lacks are left out.
    request_id
        Put where the protocol puts it.
    """
    shape = operation.output_shape
    headers = {"x-amzn-RequestId": request_id}
    if model.metadata["protocol"] == "ec2":
        inner = "" if shape is None else _xml_members(shape, response)
        body = (
            f'<{operation.name}Response xmlns="{model.metadata["xmlNamespace"]}/">'
            f"<requestId>{request_id}</requestId>{inner}</{operation.name}Response>"
        )
        return 200, {**headers, "Content-Type": "text/xml"}, body.encode("utf-8", "surrogatepass")
    if model.metadata["protocol"] == "query":
        inner = "" if shape is None else _xml_members(shape, response)
        wrapper = (shape.serialization.get("resultWrapper") if shape is not None else None) or (
            f"{operation.name}Result"
        )
        namespace = model.metadata.get("xmlNamespace", "")
        body = (
            f'<{operation.name}Response xmlns="{namespace}"><{wrapper}>{inner}</{wrapper}>'
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
            f"</{operation.name}Response>"
        )
        return 200, {**headers, "Content-Type": "text/xml"}, body.encode("utf-8", "surrogatepass")
    kind = "application/json"
    if model.metadata["protocol"] == "json":
        kind = f"application/x-amz-json-{model.metadata['jsonVersion']}"
    value = {} if shape is None else _json(shape, response)
    return 200, {**headers, "Content-Type": kind}, json.dumps(value).encode()


def error(model: Any, code: str, message: str, status: int, request_id: str) -> Wire:
    """Serialize an error in the service's protocol."""
    headers = {"x-amzn-RequestId": request_id}
    if model.metadata["protocol"] == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{escape(code)}</Code>"
            f"<Message>{escape(message)}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
        return status, {**headers, "Content-Type": "text/xml"}, body.encode()
    if model.metadata["protocol"] == "query":
        side = "Receiver" if status >= 500 else "Sender"
        body = (
            f'<ErrorResponse xmlns="{model.metadata.get("xmlNamespace", "")}"><Error>'
            f"<Type>{side}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
            f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return status, {**headers, "Content-Type": "text/xml"}, body.encode()
    headers["x-amzn-ErrorType"] = code
    headers["Content-Type"] = "application/json"
    if model.metadata["protocol"] == "json" and status < 500:
        status = 400
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


def _seconds(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _iso(value: object) -> str:
    if isinstance(value, int | float):
        value = datetime.fromtimestamp(value, UTC)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return text.replace("+00:00", "Z")


def _json(shape: Any, value: Any) -> Any:
    if value is None:
        return None
    if shape.type_name == "structure":
        return {
            member.serialization.get("name", name): _json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [_json(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {str(key): _json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _seconds(value)
    return value


# IAM sends policy documents percent-encoded (RFC 3986); evidence holds them decoded.
_DOCUMENTS = frozenset({"policyDocumentType"})


def _xml_members(shape: Any, value: Mapping[str, Any]) -> str:
    return "".join(
        _xml(member, value[name], member.serialization.get("name", name))
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _xml(shape: Any, value: Any, name: str) -> str:
    if shape.type_name == "structure":
        return f"<{name}>{_xml_members(shape, value)}</{name}>"
    if shape.type_name == "list":
        item = shape.member.serialization.get("name", "member")
        return f"<{name}>{''.join(_xml(shape.member, each, item) for each in value)}</{name}>"
    if shape.type_name == "map":
        entries = "".join(
            f"<entry>{_xml(shape.key, key, 'key')}{_xml(shape.value, each, 'value')}</entry>"
            for key, each in value.items()
        )
        return f"<{name}>{entries}</{name}>"
    if shape.type_name == "boolean":
        text = "true" if value else "false"
    elif shape.type_name == "timestamp":
        text = _iso(value)
    elif shape.name in _DOCUMENTS:
        text = quote(value if isinstance(value, str) else json.dumps(value), safe="-_.~")
    else:
        text = escape(str(value))
    return f"<{name}>{text}</{name}>"
