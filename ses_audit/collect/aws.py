"""The one place that talks to AWS: clients, the caller, roles, calls."""

from __future__ import annotations

# botocore has no annotations.
# mypy: allow-untyped-calls
import threading
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import botocore.handlers
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from ses_audit.collect.call import Call, answered, failed
from ses_audit.collect.credentials import Keys, lent, role_metadata
from ses_audit.collect.errors import UNPARSABLE, CollectFailure, Failure, failure, unparsable
from ses_audit.collect.reference import load_data, session_policy
from ses_audit.errors import TOOL_FAILURE, USAGE, UserError
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.plan import GLOBAL

if TYPE_CHECKING:
    from botocore.credentials import Credentials

    from ses_audit.collect.options import CollectOptions
    from ses_audit.snapshot.evidence import Record

__all__ = ["Aws", "Caller"]

_START = "us-east-1"
_OWN = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose credentials the run starts with."""

    account: str
    arn: str
    partition: str

    def as_manifest(self) -> dict[str, object]:
        """As the manifest names it."""
        return {"account": self.account, "arn": self.arn, "partition": self.partition}


class Aws:
    """AWS, as the credentials of `options` see it; safe from several threads.

    Parameters
    ----------
    options
        Of the run.
    caller, own
        In a worker process: the caller, who is known already, and its borrowed credentials.
    sts_region
        In a worker that may be of another machine: where the caller asks STS. What that machine
        has of credentials is never used.

    Raises
    ------
    UserError
        When there is no such profile, or no credentials.
    """

    def __init__(
        self,
        options: CollectOptions,
        caller: Caller | None = None,
        own: Credentials | None = None,
        sts_region: str = "",
    ) -> None:
        self._profile = options.profile
        self._session_name = options.session_name
        self._source_identity = options.source_identity
        self._role = options.role_name
        self._external_id = options.external_id
        self._elsewhere = bool(sts_region)
        self._keys = Keys()
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._config = Config(
            user_agent_extra=f"ses-audit/{version('ses-audit')}",
            # Retries are the scheduler's: a thread that sleeps here would block other work.
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=min(10.0, options.call_timeout),
            read_timeout=options.call_timeout,
            max_pool_connections=options.workers or 64,
        )
        try:
            if own is None:
                own = botocore.session.Session(profile=options.profile).get_credentials()
            self._session = botocore.session.Session(profile=options.profile)
            own_region = self._session.get_config_variable("region")
            self._sts_region = sts_region or own_region or _START
        except ProfileNotFound as error:
            named = str(error.kwargs.get("profile"))[:80]
            raise UserError(
                f"no AWS profile {named!r}: `aws configure list-profiles` lists those there are",
                USAGE,
            ) from error
        except BotoCoreError as error:
            said = " ".join(str(error).split())
            raise UserError(f"the AWS configuration cannot be used: {said}") from error
        if own is None:
            raise UserError(
                "no AWS credentials: name a --profile, log in (`aws sso login`), or set "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        self._keys.set(_OWN, own)
        # Regional endpoints give tokens that are valid in opt-in regions too.
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
        self._session.set_config_variable("sts_regional_endpoints", "regional")
        self._session.register_component("credential_provider", self._keys.resolver())
        self._home = self._sts_region
        self._caller: Caller | None = None
        if caller is not None:
            self._know(caller)

    def __repr__(self) -> str:
        return "Aws()"

    @property
    def caller(self) -> Caller:
        """The caller, asked once.

        Raises
        ------
        UserError
            When the credentials do not work.
        """
        if self._caller is None:
            try:
                answer = self._identity(_OWN)
                arn, account = str(answer["Arn"]), str(answer["Account"])
                partition = arn.split(":")[1]
            except (BotoCoreError, ClientError) as error:
                raise self._no_caller(failure(error)) from error
            except UNPARSABLE as error:
                raise self._no_caller(unparsable(error)) from error
            return self._know(Caller(account, arn, partition))
        return self._caller

    def _no_caller(self, found: Failure) -> UserError:
        """Why nothing can be asked, in one line, and what to do."""
        said = f"{found.code}: {found.message}"
        if "SSO" in found.code or found.code == "TokenRetrievalError":
            profile = self._session.profile or "default"
            line = (
                f"the SSO session of the profile {profile} has expired ({said}): "
                f"`aws sso login --profile {profile}`, then run this once more"
            )
        elif found.code == "CredentialRetrievalError":
            line = f"the AWS credentials cannot be had ({said}): see to the profile"
        elif found.state is State.EXPIRED:
            line = (
                f"the AWS credentials have expired ({said}): log in again, then run this once more"
            )
        elif found.state is State.DENIED:
            line = f"AWS does not accept the credentials ({said}): name another --profile"
        else:
            line = (
                f"AWS STS cannot be asked who the caller is ({said}): see to the network, or "
                "AWS_REGION"
            )
        return UserError(line, TOOL_FAILURE)

    def _know(self, caller: Caller) -> Caller:
        self._caller = caller
        homes = load_data("partitions.json")["home"]
        self._home = homes.get(caller.partition, self._sts_region)
        self._keys.set(caller.account, self._keys.of(_OWN))
        return caller

    def lend(self) -> dict[str, str]:
        """The caller's keys as they are now, for a worker process.

        Raises
        ------
        UserError
            When they expired, and there are no newer ones.
        """
        try:
            return lent(self._keys.of(_OWN))
        except (BotoCoreError, ClientError) as error:
            raise self._no_caller(failure(error)) from error

    @property
    def sts_region(self) -> str:
        """Where STS is asked."""
        return self._sts_region

    def sdk_regions(self, partition: str) -> list[str]:
        """The SES regions that the installed SDK knows of."""
        return list(self._session.get_available_regions("sesv2", partition))

    def client(self, service: str, region: str) -> Any:
        """The client of a service and region, made once; `global` is the partition's home."""
        if region == GLOBAL:
            # EC2 has no home: where the caller works, a region lock leaves it open more likely.
            region = self._sts_region if service in ("sts", "ec2") else self._home
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._session.create_client(service, region, config=self._config)
                if service == "iam":
                    # Documents are kept as their text: parsing would lose doubled keys.
                    client.meta.events.unregister(
                        "after-call.iam", botocore.handlers.json_decode_policies
                    )
                self._clients[service, region] = client
        return client

    def ask(self, call: Call) -> Record:
        """Send a call once; whatever happens is a record."""
        try:
            if call.cell.operation == "AssumeRole":
                return self._enter(call)
            client = self.client(call.cell.service, call.cell.region)
            method = getattr(client, xform_name(call.cell.operation))
            with self._keys.using(call.signer):
                response = method(**call.request)
        except ClientError as error:
            request_id = str(error.response.get("ResponseMetadata", {}).get("RequestId") or "")
            return failed(call, failure(error), request_id)
        except (BotoCoreError, CollectFailure) as error:
            return failed(call, failure(error))
        except UNPARSABLE as error:
            return failed(call, unparsable(error))
        return answered(call, response)

    def renew(self, account: str) -> bool:
        """Assume an account's role anew, or look for newer credentials of the caller's.

        False where there are none, or the role is refused.
        """
        if account == self.caller.account:
            return self._renew_own()
        try:
            self._keys.enter(account, self._assume(account), lambda: self._assume(account))
        except (BotoCoreError, ClientError, CollectFailure, *UNPARSABLE):
            return False
        return True

    def _renew_own(self) -> bool:
        """Read the configuration anew: a login elsewhere may have brought newer credentials."""
        if self._elsewhere:
            return False
        try:
            found = botocore.session.Session(profile=self._profile).get_credentials()
            if found is None:
                return False
            before, now = (
                self._keys.of(_OWN).get_frozen_credentials(),
                found.get_frozen_credentials(),
            )
        except BotoCoreError:
            return False
        if (before.access_key, before.token) == (now.access_key, now.token):
            return False
        self._keys.set(_OWN, found)
        self._keys.set(self.caller.account, found)
        return True

    def leave(self, account: str) -> None:
        """Forget the credentials of an account that is done."""
        if account != self.caller.account:
            self._keys.drop(account)

    def role_arn(self, account: str) -> str:
        """The audit role of an account."""
        return f"arn:{self.caller.partition}:iam::{account}:role/{self._role}"

    def _identity(self, account: str) -> dict[str, Any]:
        client = self.client("sts", GLOBAL)
        with self._keys.using(account):
            answer: dict[str, Any] = client.get_caller_identity()
        return answer

    def _send_assume(self, account: str) -> dict[str, Any]:
        request: dict[str, Any] = {
            "RoleArn": self.role_arn(account),
            "RoleSessionName": self._session_name,
            "Policy": session_policy(),
        }
        if self._source_identity is not None:
            request["SourceIdentity"] = self._source_identity
        if self._external_id is not None:
            request["ExternalId"] = self._external_id
        client = self.client("sts", GLOBAL)
        with self._keys.using(self.caller.account):
            answer: dict[str, Any] = client.assume_role(**request)
        return answer

    def _assume(self, account: str) -> dict[str, str]:
        """Fresh credentials of an account's role; any failure is `ASSUME_FAILED`."""
        try:
            return role_metadata(self._send_assume(account))
        except (BotoCoreError, ClientError) as error:
            found = failure(error)
            raise CollectFailure(Failure(State.ASSUME_FAILED, found.code, found.message)) from error
        except UNPARSABLE as error:
            found = unparsable(error)
            raise CollectFailure(Failure(State.ASSUME_FAILED, found.code, found.message)) from error

    def _enter(self, call: Call) -> Record:
        """Assume the role of the cell's account, and see that it is of that account."""
        account = call.cell.account
        answer = self._send_assume(account)
        self._keys.enter(account, role_metadata(answer), lambda: self._assume(account))
        found = str(self._identity(account)["Account"])
        if found != account:
            self._keys.drop(account)
            other = f"the role's session is of account {found}, not of {account}"
            return failed(call, Failure(State.ASSUME_FAILED, "OtherAccount", other))
        # Only who was assumed is evidence; the credentials never are.
        kept = {name: answer[name] for name in ("AssumedRoleUser",) if name in answer}
        return answered(call, {**kept, "ResponseMetadata": answer.get("ResponseMetadata", {})})
