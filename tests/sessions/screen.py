"""What a browser has on screen: the elements that Streamlit's messages draw and remove."""

from __future__ import annotations

import json
from typing import NamedTuple

from google.protobuf.message import Message
from google.protobuf.text_format import MessageToString
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class Element(NamedTuple):
    """An element on screen: its protobuf, and the run and the fragment that drew it."""

    kind: str
    proto: Message
    run: str
    fragment: str


class Screen:
    """``elements`` has what is on screen, by path in the page.

    ``errors`` has the text of each exception and each error box that was ever on screen, also of
    those that a rerun replaced.
    """

    def __init__(self) -> None:
        self.elements: dict[tuple[int, ...], Element] = {}
        self.errors: list[str] = []

    def widget(self, key: str) -> Message:
        """The widget with this ``key=``, such as a ``Slider``; LookupError if there is none."""
        protos = [element.proto for element in self.elements.values()]
        widgets = {getattr(proto, "id", ""): proto for proto in protos}
        for identifier, proto in widgets.items():
            if identifier.endswith(f"-{key}"):
                return proto
        raise LookupError(f"no widget {key!r} on the page; there are {sorted(widgets)}")

    def of_kind(self, kind: str) -> list[Message]:
        """The elements of one kind, in the order of the page."""
        elements = [self.elements[path] for path in sorted(self.elements)]
        return [element.proto for element in elements if element.kind == kind]

    @property
    def text(self) -> str:
        """All that is on screen, as the server sent it."""
        protos = (element.proto for element in self.elements.values())
        return "\n".join(MessageToString(proto, as_utf8=True) for proto in protos)

    def draw(self, message: ForwardMsg, run: str) -> None:
        """Draw or replace the element of a ``delta`` message of this run."""
        path = tuple(message.metadata.delta_path)
        if message.delta.WhichOneof("type") != "new_element":
            self.elements.pop(path, None)  # a container takes the place of an element
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        proto = getattr(element, kind)
        self.elements[path] = Element(kind, proto, run, message.delta.fragment_id)
        if kind == "exception":
            self.errors.append(f"{proto.type}: {proto.message}\n" + "\n".join(proto.stack_trace))
        elif kind == "alert" and proto.format == Alert.ERROR:
            self.errors.append(proto.body)

    def remove_old(self, run: str, fragments: set[str]) -> None:
        """Remove what an earlier run drew and this one didn't, as the browser does."""
        self.elements = {
            path: element
            for path, element in self.elements.items()
            if element.run == run or (fragments and element.fragment not in fragments)
        }


def mark(screen: Screen) -> str:
    """The outcome that the first triptych shows."""
    for component in screen.of_kind("bidi_component"):
        if getattr(component, "component_name", "") == "explorer.triptych":
            (data,) = json.loads(component.json)
            return str(data["mark"]["word"])
    raise LookupError("there is no triptych on the page")
