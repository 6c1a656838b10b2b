"""What CloudFormation makes of the transformed template for given parameters: conditions decided, `Fn::If` resolved.

References to what is only known in an account (names, ARNs) stay as they are; each must lead to something that is made.
"""

import re
from dataclasses import dataclass, field

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/authorizer/0e3d1f40-aaaa-bbbb-cccc-1234567890ab",
    "AWS::StackName": "authorizer",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()
NAMED = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


@dataclass
class Made:
    """`resources` and `outputs` as they are made; `references` lists who refers to which resource."""

    resources: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)
    references: dict[str, set[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


class Evaluation:
    def __init__(self, template: dict, resources: dict, given: dict[str, str], pseudo: dict | None = None):
        self.template, self.resources = template, resources
        defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
        self.values = {name: str(value) for name, value in (defaults | given).items()} | PSEUDO | (pseudo or {})
        self.conditions = {name: self.decide(each) for name, each in template["Conditions"].items()}

    def decide(self, condition) -> bool:
        [(function, argument)] = condition.items()
        match function:
            case "Fn::Equals":
                one, other = map(self.known, argument)
                return one == other
            case "Fn::Not":
                return not self.decide(argument[0])
            case "Fn::And":
                return all(map(self.decide, argument))
            case "Fn::Or":
                return any(map(self.decide, argument))
            case "Condition":
                return self.decide(self.template["Conditions"][argument])
        raise AssertionError(f"a condition of {function}")

    def known(self, value) -> str:
        """A value that is made of parameters alone."""
        match value:
            case {"Ref": name}:
                return self.values[name]
            case {"Fn::Sub": text}:
                return NAMED.sub(lambda found: self.values[found[1]], text)
            case {"Fn::Split": [separator, text]}:
                return self.known(text).split(separator)
            case {"Fn::Select": [index, values]}:
                return self.known(values)[int(index)]
        return str(value)

    def made(self) -> Made:
        made = Made()
        for name, resource in self.resources.items():
            if self.conditions.get(resource.get("Condition"), True):
                self.refer(made, name, resource.get("DependsOn", []))
                made.resources[name] = self.resolve(made, name, resource)
        for name, output in self.template["Outputs"].items():
            if self.conditions.get(output.get("Condition"), True):
                made.outputs[name] = self.resolve(made, f"output {name}", output)
        for referrer, names in made.references.items():
            made.unknown += [f"{referrer} refers to {name}" for name in sorted(names - set(made.resources))]
        return made

    def refer(self, made: Made, referrer: str, names) -> None:
        names = {names} if isinstance(names, str) else set(names)
        made.references.setdefault(referrer, set()).update(names - set(self.values))

    def resolve(self, made: Made, referrer: str, value):
        match value:
            case {"Fn::If": [condition, then, otherwise]}:
                return self.resolve(made, referrer, then if self.conditions[condition] else otherwise)
            case {"Ref": "AWS::NoValue"}:
                return NO_VALUE
            case {"Ref": name}:
                self.refer(made, referrer, name)
                return self.values.get(name, value)
            case {"Fn::GetAtt": [name, *_]}:
                self.refer(made, referrer, name)
                return value
            case {"Fn::Select": _} | {"Fn::Split": _}:
                try:
                    return self.known(value)
                except (KeyError, TypeError):
                    return value
            case {"Fn::Sub": [text, names]}:
                names = {name: self.resolve(made, referrer, each) for name, each in names.items()}
                return self.substituted(made, referrer, text, names)
            case {"Fn::Sub": text}:
                return self.substituted(made, referrer, text, {})
            case dict():
                resolved = {name: self.resolve(made, referrer, each) for name, each in value.items()}
                return {name: each for name, each in resolved.items() if each is not NO_VALUE}
            case list():
                resolved = [self.resolve(made, referrer, each) for each in value]
                return [each for each in resolved if each is not NO_VALUE]
        return value

    def substituted(self, made: Made, referrer: str, text: str, names: dict) -> str:
        def one(found):
            name = found[1]
            if name in names or name in self.values:
                return str((self.values | names)[name])
            self.refer(made, referrer, name.split(".")[0])
            return found[0]

        return NAMED.sub(one, text)


def circle(references: dict[str, set[str]]) -> list[str]:
    """Resources that wait for one another; empty if none do."""
    waiting = {name: set(names) for name, names in references.items() if not name.startswith("output ")}
    while ready := [name for name, names in waiting.items() if not names & set(waiting)]:
        for name in ready:
            del waiting[name]
    return sorted(waiting)
