"""A small part of IAM: what an identity may do, and the denial in the service's words.

Without a policy everything is allowed. With one, an action is allowed if a statement allows it and none
denies it. Reported are the texts for both kinds of denial; AWS documents which action an operation needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from converse_emulator.http.refusals import ServiceError
from converse_emulator.models.model_ids import identify

CALL_WITH_API_KEY = "bedrock:CallWithBearerToken"

# The actions of operations that are not called like them.
_ACTIONS: Mapping[str, str] = {
    "Converse": "InvokeModel",
    "ConverseStream": "InvokeModelWithResponseStream",
    "StartAsyncInvoke": "InvokeModel",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed or denied: globs of actions, and of model ids or ARNs.

    Operations without a model have the empty id, which `*` fits.
    """

    effect: Literal["allow", "deny"]
    actions: tuple[str, ...]
    models: tuple[str, ...] = ("*",)

    def covers(self, action: str, names: Sequence[str]) -> bool:
        """Whether it is about this action, whatever its case, on a model with any of these names."""
        return any(fnmatchcase(action.lower(), glob.lower()) for glob in self.actions) and any(
            fnmatchcase(name, glob) for glob in self.models for name in names
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: an ARN, and what it may do; None: everything."""

    arn: str
    policy: tuple[Statement, ...] | None = None

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


def action_of(operation: str) -> str:
    """The action that an operation needs: `bedrock:InvokeModel`, for instance."""
    return f"bedrock:{_ACTIONS.get(operation, operation)}"


def authorize(identity: Identity, action: str, model_id: str, region: str) -> None:
    """Raise `ServiceError` unless the identity may do that with that model, `""` being none."""
    if identity.policy is None:
        return
    resource = resource_of(model_id, region, identity.account)
    about = [each for each in identity.policy if each.covers(action, (model_id, resource))]
    if any(statement.effect == "deny" for statement in about):
        why = "with an explicit deny in an identity-based policy"
    elif not about:
        why = f"because no identity-based policy allows the {action} action"
    else:
        return
    raise ServiceError(
        "IamAccessDenied",
        f"User: {identity.arn} is not authorized to perform: {action} on resource: {resource} {why}",
    )


def resource_of(model_id: str, region: str, account: str) -> str:
    """The ARN of a model; `*` without one."""
    if not model_id:
        return "*"
    if model_id.startswith("arn:"):
        return model_id
    named = identify(model_id)
    if named and named.kind == "inference profile":
        return f"arn:aws:bedrock:{region}:{account}:inference-profile/{model_id}"
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"
