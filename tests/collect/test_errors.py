"""From what AWS and the network say to a typed state; the codes are those of AWS's references."""

from __future__ import annotations

import socket

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from ses_audit.collect.errors import failure
from ses_audit.snapshot.coverage import State


def error(code: str, message: str = "", status: int = 400) -> ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "GetAccount")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("AccessDenied", State.DENIED),
        ("AccessDeniedException", State.DENIED),
        ("UnauthorizedOperation", State.DENIED),
        ("InvalidClientTokenId", State.DENIED),
        ("SignatureDoesNotMatch", State.DENIED),
        ("UnrecognizedClientException", State.DENIED),
        ("OptInRequired", State.DENIED),
        ("ExpiredToken", State.EXPIRED),
        ("ExpiredTokenException", State.EXPIRED),
        ("RequestExpired", State.EXPIRED),
        ("Throttling", State.THROTTLED),
        ("ThrottlingException", State.THROTTLED),
        ("TooManyRequestsException", State.THROTTLED),
        ("RequestLimitExceeded", State.THROTTLED),
        ("NotFoundException", State.EMPTY),
        ("NoSuchEntity", State.EMPTY),
        ("AWSOrganizationsNotInUseException", State.EMPTY),
        ("InternalFailure", State.SERVER_ERROR),
        ("ServiceUnavailable", State.SERVER_ERROR),
        ("NeverHeardOf", State.SERVER_ERROR),
    ],
)
def test_codes(code: str, state: State) -> None:
    found = failure(error(code, "said"))
    assert (found.state, found.code, found.message) == (state, code, "said")


@pytest.mark.parametrize(
    ("status", "state"),
    [(401, State.DENIED), (403, State.DENIED), (429, State.THROTTLED), (500, State.SERVER_ERROR),
     (400, State.SERVER_ERROR)],
)  # fmt: skip
def test_a_code_that_is_not_known_is_told_by_its_status(status: int, state: State) -> None:
    assert failure(error("NeverHeardOf", status=status)).state is state


def test_a_name_that_does_not_exist_is_no_endpoint_and_a_refused_connection_is_not() -> None:
    missing = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    away = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    url = "https://email.xx-none-1.example"
    states = [
        failure(EndpointConnectionError(endpoint_url=url, error=cause)).state
        for cause in (missing, away, ConnectionRefusedError(111, "refused"))
    ]
    assert states == [State.NO_ENDPOINT, State.TIMEOUT, State.TIMEOUT]
    assert failure(ConnectionClosedError(endpoint_url=url)).state is State.TIMEOUT


@pytest.mark.parametrize(
    ("message", "layer", "arn"),
    [
        ("with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-a/p",
         "service_control_policy", "arn:aws:organizations::1:policy/o-a/p"),
        ("with an explicit deny in a resource control policy", "resource_control_policy", ""),
        ("because no permissions boundary allows the ses:GetAccount action",
         "permissions_boundary", ""),
        ("with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/Deny.",
         "identity_policy", "arn:aws:iam::1:policy/Deny"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_denial_tells_its_layer(message: str, layer: str, arn: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    who = "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: ses:GetAccount"
    found = failure(error("AccessDeniedException", f"{who} {message}", 403))
    assert (found.layer, found.policy_arn) == (layer, arn)
    kept = found.as_error()
    assert ("layer" in kept, "policy_arn" in kept) == (bool(layer), bool(arn))
