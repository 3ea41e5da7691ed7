"""A crowd as files: a world of many users, and a scenario in which all of them talk at the same time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many people, in conversations of equal size; everybody sends once and gets what the others send."""

    actors: int = 200
    conversations: int = 50

    @property
    def groups(self) -> list[list[str]]:
        """Who talks with whom."""
        names = [f"user{number:03}" for number in range(1, self.actors + 1)]
        size = self.actors // self.conversations
        return [names[start : start + size] for start in range(0, size * self.conversations, size)]

    @property
    def deliveries(self) -> int:
        """How many messages are to arrive."""
        return sum(len(group) * (len(group) - 1) for group in self.groups)

    def world(self) -> str:
        """Write the world, for ``serve --fixtures``: its users have cheap passwords."""
        users = [
            f"  - {{username: {name}, full_name: {name.title()}}}" for one in self.groups for name in one
        ]
        return "\n".join(["users:", *users, "conversations: []", ""])

    def scenario(self) -> str:
        """Write the scenario."""
        people = ", ".join(name for group in self.groups for name in group)
        rooms = [f"  room{number}: [{', '.join(group)}]" for number, group in enumerate(self.groups, 1)]
        branches = [
            line for number, group in enumerate(self.groups, 1) for line in _branch(f"room{number}", group)
        ]
        head = ["name: A crowd", f"actors: [{people}]", "conversations:", *rooms, "within: 60s"]
        return "\n".join([*head, "timeout: 5m", "steps:", "  - parallel:", *branches, ""])


def _branch(room: str, group: list[str]) -> list[str]:
    """Write what one conversation does: all subscribe, all send, all get what the others have sent."""
    steps = [f"{{{name}: {{subscribe: {room}}}}}" for name in group]
    steps += [f"{{{name}: {{send: I am {name}, to: {room}}}}}" for name in group]
    for name in group:
        wanted = ", ".join(f"{{data: {{content: I am {other}}}}}" for other in group if other != name)
        steps.append(f"{{{name}: {{expect: [{wanted}], in: {room}}}}}")
    steps += [f"{{{name}: {{never: message.new, for: 100ms}}}}" for name in group[:1]]
    return [f"      - [{steps[0]},", *(f"         {step}," for step in steps[1:-1]), f"         {steps[-1]}]"]
