"""Citations as Anthropic's format has them (of its documentation; none was recorded over InvokeModel)."""

from collections.abc import Mapping

from converse_emulator.language.scenario import Json


def citation(said: Mapping[str, Json]) -> dict[str, Json]:
    """A citation of Converse in Anthropic's words."""
    text = "".join(part.get("text", "") for part in said.get("sourceContent") or ())
    kind, where = _location(said.get("location") or {})
    return {"type": kind, "cited_text": text, **_source(kind, said, where), **where}


def _location(location: Mapping[str, Json]) -> tuple[str, dict[str, Json]]:
    match location:
        case {"documentPage": dict(place)}:
            return "page_location", _span(place, "page_number")
        case {"documentChunk": dict(place)}:
            return "content_block_location", _span(place, "block_index")
        case {"searchResultLocation": dict(place)}:
            return "search_result_location", _span(place, "block_index")
        case {"web": dict(place)}:
            return "web_search_result_location", {"url": place.get("url")}
        case {"documentChar": dict(place)}:
            return "char_location", _span(place, "char_index")
        case _:
            return "char_location", {}


def _span(place: Mapping[str, Json], unit: str) -> dict[str, Json]:
    index = place.get("documentIndex", place.get("searchResultIndex", 0))
    return {"document_index": index, f"start_{unit}": place.get("start"), f"end_{unit}": place.get("end")}


def _source(kind: str, said: Mapping[str, Json], where: dict[str, Json]) -> dict[str, Json]:
    """What a place is in; search results have an index of their own."""
    if kind == "search_result_location":
        return {
            "source": said.get("source"),
            "title": said.get("title"),
            "search_result_index": where.pop("document_index"),
        }
    if kind == "web_search_result_location":
        return {"title": said.get("title")}
    return {"document_index": where.pop("document_index", 0), "document_title": said.get("title")}
