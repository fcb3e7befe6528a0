"""A step as it is written: by the table, with what may stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from converse_emulator.errors import Mistake, ScenarioError, did_you_mean
from converse_emulator.language.faults import Place
from converse_emulator.language.forms import Form, Gather
from converse_emulator.language.grammar import MODIFIERS, STEPS
from converse_emulator.language.nodes import Members, Node, Scalar
from converse_emulator.language.place_form import PLACES, misplaced
from converse_emulator.language.records import Field
from converse_emulator.language.rules import Applied, Bare, Rule
from converse_emulator.language.scenario import Json, Placed, Step

# What a word alone means.
ALONE: Mapping[str, Step] = {
    name: step
    for name, rule in STEPS.items()
    if (step := rule.step if isinstance(rule, Bare) else rule.alone) is not None
}


def beside(rule: Rule) -> Mapping[str, Field]:
    """What may stand beside a step."""
    modifiers = MODIFIERS if isinstance(rule, Applied) and rule.modified else {}
    return {**modifiers, **(PLACES if rule.placed else {})}


@dataclass(frozen=True, slots=True)
class StepForm(Form[Step]):
    """A step, by the table."""

    @property
    def wants(self) -> str:
        return "a step: " + ", ".join(STEPS)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(STEPS)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Members) or (isinstance(node, Scalar) and node.value in ALONE)

    def read(self, node: Node) -> Step:
        match node:
            case Scalar(str() as word):
                return self._bare(word, node)
            case Members() if node.nodes:
                return self._applied(node)
            case _:
                raise self.refuse(node)

    def _bare(self, word: str, node: Scalar) -> Step:
        if word in ALONE:
            return ALONE[word]
        gather = Gather()
        rule = STEPS.get(word)
        if isinstance(rule, Applied):
            gather.add(node.place, f"{word!r} needs an argument", f"{{{word}: {rule.form.wants}}}")
        else:
            gather.add(
                node.place,
                f"{word!r} is no step without an argument{did_you_mean(word, STEPS)}; text is {{text: …}}",
                ", ".join(ALONE),
            )
        raise ScenarioError(gather.mistakes)

    def _applied(self, node: Members) -> Step:
        gather = Gather()
        name = self._name(node, gather)
        gather.settle()
        rule = STEPS[name]
        allowed = beside(rule)
        for other in (other for other in node.nodes if other != name and other not in allowed):
            gather.add(
                node.key_place(other),
                f"{other!r} cannot stand beside {name!r}{did_you_mean(other, allowed)}",
                ", ".join(allowed) or "nothing; each step is an item of its own",
            )
        step = self._argument(name, node, gather)
        members: dict[str, Any] = {
            other: gather.read(field.form, node.nodes[other])
            for other, field in allowed.items()
            if other in node.nodes
        }
        gather.settle()
        assert step is not None
        places = [members.pop(word) for word in PLACES if word in members]
        return self._placed(step, places, node) if places else replace(step, **members)

    def _argument(self, name: str, node: Members, gather: Gather) -> Step | None:
        """The step without what stands beside it; with a place, one without an argument is a mapping, too."""
        argument, rule = node.nodes[name], STEPS[name]
        empty = isinstance(argument, Scalar) and argument.value is None
        if empty and name in ALONE and any(word in node.nodes for word in PLACES):
            return ALONE[name]
        if isinstance(rule, Bare):
            gather.add(node.key_place(name), f"{name!r} takes no argument", f"the word alone: {name}")
            return None
        return gather.read(rule.form, argument)

    def _placed(self, step: Step, places: list[Place], node: Members) -> Step:
        word = next(word for word in PLACES if word in node.nodes)
        wrong = "`at` and `after` are two places" if len(places) > 1 else misplaced(step, places[0])
        if wrong:
            raise ScenarioError([Mistake(node.key_place(word), wrong)])
        return Placed(cast("Any", step), places[0])

    def _name(self, node: Members, gather: Gather) -> str:
        """Which of the keys names the step: the one that is not there as a modifier."""
        known = [name for name in node.nodes if name in STEPS]
        heads = [name for name in known if name not in MODIFIERS] or known
        if not heads:
            for name in node.nodes:
                gather.add(
                    node.key_place(name),
                    f"unknown step {name!r}{did_you_mean(name, STEPS)}",
                    ", ".join(STEPS),
                )
            return ""
        for name in heads[1:]:
            what = f"{name!r} is a second step in the mapping of {heads[0]!r}"
            gather.add(node.key_place(name), what, "each step is an item of its own")
        return heads[0]

    def schema(self) -> dict[str, Json]:
        return {"$ref": "#/$defs/step"}


STEP = StepForm()
