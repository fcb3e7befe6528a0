"""The control plane's lists of models and inference profiles, answered from the model catalogue.

The shapes are those of the service model; which profiles there are depends on the region, as it does really.
Names and descriptions of profiles follow those that users report. Texts of errors are inferred.
"""

from collections.abc import Iterator, Mapping, Sequence

from converse_emulator.http.refusals import ServiceError
from converse_emulator.language.scenario import Json
from converse_emulator.models.catalogue import Catalogue, Model
from converse_emulator.models.model_ids import GEOGRAPHIES, identify
from converse_emulator.side.pages import page

ACCOUNT = "123456789012"
SINCE = "2025-01-01T00:00:00Z"  # when all profiles were created; the real dates are not known

Members = Mapping[str, Json]


def list_foundation_models(members: Members, catalogue: Catalogue, region: str) -> Json:
    """All models, or those that the filters let through."""
    found = (_summary(model, region) for model in catalogue.models.values())
    return {"modelSummaries": [summary for summary in found if _passes(summary, members)]}


def get_foundation_model(members: Members, catalogue: Catalogue, region: str) -> Json:
    """One model by its id or ARN."""
    wanted = members["modelIdentifier"]
    named = identify(wanted)
    base = named.base if named and named.kind == "foundation model" else wanted
    if base not in catalogue.models:
        raise ServiceError(
            "ResourceNotFoundException",
            "Could not resolve the foundation model from the provided model identifier.",
        )
    return {"modelDetails": _summary(catalogue.models[base], region)}


def list_inference_profiles(members: Members, catalogue: Catalogue, region: str) -> Json:
    """A page of the profiles that can be called in the region."""
    wanted = members.get("typeEquals")
    profiles = [*_system_defined(catalogue, region), *_application(catalogue, region)]
    return page(
        "inferenceProfileSummaries",
        [each for each in profiles if wanted in (None, each["type"])],
        members,
    )


def get_inference_profile(members: Members, catalogue: Catalogue, region: str) -> Json:
    """One profile by its id or ARN, of whatever region; application profiles are aliases of the catalogue."""
    wanted = str(members["inferenceProfileIdentifier"])
    for alias in catalogue.aliases:
        if wanted in (alias, alias.rpartition("/")[2]) and _is_application(alias):
            return _application_profile(alias, catalogue, region)
    named = identify(wanted)
    model = catalogue.models.get(named.base) if named else None
    if named is None or model is None or named.geography not in model.profiles:
        raise ServiceError(
            "ResourceNotFoundException", "The provided inference profile identifier could not be found."
        )
    return _profile(model, named.geography, region)


# --------------------------------------------------------------------------------------------- models


def _summary(model: Model, region: str) -> dict[str, Json]:
    on_demand = ["ON_DEMAND"] if model.on_demand else []
    by_profile = ["INFERENCE_PROFILE"] if model.profiles else []
    return {
        "modelArn": _model_arn(model.id, region),
        "modelId": model.id,
        "modelName": model.name,
        "providerName": model.provider,
        "inputModalities": list(model.input),
        "outputModalities": list(model.output),
        "responseStreamingSupported": "streaming" in model.supports,
        "customizationsSupported": [],
        "inferenceTypesSupported": on_demand + by_profile,
        "modelLifecycle": {"status": "LEGACY" if model.legacy else "ACTIVE"},
    }


def _passes(summary: Members, filters: Members) -> bool:
    provider = filters.get("byProvider")
    if provider is not None and provider.lower() != summary["providerName"].lower():
        return False
    among = {
        "byOutputModality": "outputModalities",
        "byInferenceType": "inferenceTypesSupported",
        "byCustomizationType": "customizationsSupported",
    }
    return all(filters[name] in summary[member] for name, member in among.items() if name in filters)


def _model_arn(model_id: str, region: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"


# ------------------------------------------------------------------------------------------- profiles


def _system_defined(catalogue: Catalogue, region: str) -> Iterator[Json]:
    for model in catalogue.models.values():
        for geography in model.profiles:
            if geography == "global" or region in GEOGRAPHIES[geography]:
                yield _profile(model, geography, region)


def _profile(model: Model, geography: str, region: str) -> Json:
    regions = GEOGRAPHIES[geography]
    label = "Global" if geography == "global" else geography.upper()
    profile_id = f"{geography}.{model.id}"
    return {
        "inferenceProfileName": f"{label} {model.provider} {model.name}",
        "description": f"Routes requests to {model.provider} {model.name} {_where(regions)}.",
        "createdAt": SINCE,
        "updatedAt": SINCE,
        "inferenceProfileArn": f"arn:aws:bedrock:{region}:{ACCOUNT}:inference-profile/{profile_id}",
        "models": [{"modelArn": _model_arn(model.id, each)} for each in regions],
        "inferenceProfileId": profile_id,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }


def _where(regions: Sequence[str]) -> str:
    if not regions[0]:
        return "globally across all supported AWS Regions"
    *most, last = regions
    return f"in {', '.join(most)} and {last}" if most else f"in {last}"


def _is_application(alias: str) -> bool:
    named = identify(alias)
    return named is not None and named.kind == "application inference profile"


def _application(catalogue: Catalogue, region: str) -> Iterator[Json]:
    for alias in filter(_is_application, catalogue.aliases):
        yield _application_profile(alias, catalogue, region)


def _application_profile(alias: str, catalogue: Catalogue, region: str) -> Json:
    """A profile of the user's. It has the models of what it was made from."""
    target = catalogue.resolve(alias)
    named = identify(target)
    base = named.base if named and named.base else target
    regions = GEOGRAPHIES[named.geography] if named and named.geography else (region,)
    profile_id = alias.rpartition("/")[2]
    return {
        "inferenceProfileName": profile_id,
        "createdAt": SINCE,
        "updatedAt": SINCE,
        "inferenceProfileArn": alias,
        "models": [{"modelArn": _model_arn(base, each)} for each in regions],
        "inferenceProfileId": profile_id,
        "status": "ACTIVE",
        "type": "APPLICATION",
    }
