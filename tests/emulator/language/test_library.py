"""The packaged scenarios and the user's folders, by name; nothing is read before it is asked for."""

from pathlib import Path

import pytest
from converse_emulator.errors import ScenarioError, UnknownScenario
from converse_emulator.language.library import Library
from converse_emulator.language.scenario import Match, Text
from converse_fixtures import names as packaged


def write(folder: Path, name: str, text: str = "Hi") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


MATCHING = "title: T\nhandlers: H\nmatch: {prompt: refund}\nreply: Hi\n"


def test_the_packaged_scenarios_are_there() -> None:
    library = Library()
    assert library.names() == tuple(packaged())
    name = library.names()[0]
    assert library.get(name).name == name
    assert library.get(name) is library.get(name)


def test_the_users_folders_are_there_too(tmp_path: Path) -> None:
    write(tmp_path, "a/one.yaml", "One")
    write(tmp_path, "two.yml", "Two")
    write(tmp_path, "a/b/three.yaml")
    write(tmp_path, "a/notes.md")
    write(tmp_path, ".hidden/four.yaml")
    library = Library([tmp_path])
    assert set(library.names()) - set(packaged()) == {"a/one", "two", "a/b/three"}
    assert library.get("a/one").replies == ((Text("One"),),)
    assert library.names() == tuple(sorted(library.names()))


def test_names_cost_no_reading(tmp_path: Path) -> None:
    write(tmp_path, "a/broken.yaml", "titel: x")
    library = Library([tmp_path])
    assert "a/broken" in library.names()
    with pytest.raises(ScenarioError, match=r"a/broken\.yaml:1:1: unknown member 'titel'"):
        library.get("a/broken")


def test_a_name_in_two_places_names_both(tmp_path: Path) -> None:
    one, two = write(tmp_path, "x/a/one.yaml"), write(tmp_path, "y/a/one.yml")
    library = Library([tmp_path / "x", tmp_path / "y"])
    with pytest.raises(ScenarioError) as error:
        library.names()
    assert str(error.value) == f"{two}: its name 'a/one' is also that of {one}"
    write(tmp_path, f"z/{packaged()[0]}.yaml")
    with pytest.raises(
        ScenarioError, match=f"its name {packaged()[0]!r} is also that of .*converse_fixtures"
    ):
        Library([tmp_path / "z"]).names()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="nowhere: no such folder"):
        Library([tmp_path / "nowhere"]).names()
    with pytest.raises(ScenarioError, match="nowhere: no such folder"):
        Library([tmp_path / "nowhere"]).matching()


def test_links_that_go_round_come_to_an_end(tmp_path: Path) -> None:
    write(tmp_path, "a/one.yaml")
    (tmp_path / "a" / "round").symlink_to(tmp_path, target_is_directory=True)
    assert "a/one" in Library([tmp_path]).names()


def test_an_unknown_name_tells_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "billing/refund-denied.yaml")
    library = Library([tmp_path])
    for wrong in ("billing/refund-deneid", "refund-denied", "biling/refund-denied"):
        assert library.nearest(wrong)[0] == "billing/refund-denied"
        with pytest.raises(
            UnknownScenario, match=rf"No scenario is called '{wrong}'\. Nearest: billing/refund-denied"
        ):
            library.get(wrong)
    assert library.nearest("qqqqqqqq") == ()
    assert len(library.nearest(packaged()[0])) <= 3


def test_scenarios_with_a_match_are_those_of_the_user(tmp_path: Path) -> None:
    write(tmp_path, "b.yaml", MATCHING)
    write(tmp_path, "a.yaml", MATCHING)
    write(tmp_path, "c.yaml", "No match here.")
    matching = Library([tmp_path]).matching()
    assert [(each.name, each.match) for each in matching] == [
        ("a", Match(prompt="refund")),
        ("b", Match(prompt="refund")),
    ]
    assert Library().matching() == ()


def test_the_mistakes_of_all_the_users_files_are_told(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "titel: x")
    write(tmp_path, "b.yaml", "12")
    with pytest.raises(ScenarioError) as error:
        Library([tmp_path]).matching()
    assert {mistake.place for mistake in error.value.mistakes} == {
        f"{tmp_path / 'a.yaml'}:1:1",
        f"{tmp_path / 'b.yaml'}:1:1",
    }
