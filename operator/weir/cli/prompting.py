"""Draws a form on a terminal and has it filled in, field by field."""

from __future__ import annotations

import getpass
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from weir.api.resource import JsonObject
from weir.cli.terminal import Terminal, one_line, safe, say
from weir_protocol.forms import Field, Form, ResponseError


class Abandoned(Exception):
    """The person left off: nothing is to be sent."""


def _read(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise Abandoned
    return line.rstrip("\r\n")


def _read_hidden(prompt: str) -> str:
    try:
        return getpass.getpass(prompt, stream=sys.stderr)
    except EOFError:
        raise Abandoned from None


@dataclass(frozen=True)
class Prompter:
    """How a person is asked."""

    terminal: Terminal
    read: Callable[[str], str] = _read
    read_hidden: Callable[[str], str] = _read_hidden

    def fill_in(self, form: Form, *, subject: str, text: str | None) -> JsonObject:
        """Return what a person answers. Raises Abandoned when they end the input."""
        say(self.terminal.paint(one_line(subject), "cyan"))
        if text:
            say(f"\n{safe(text).strip()}")
        with _interruptible():
            response: JsonObject = {}
            for field in form.fields:
                if field.element == "markdown":
                    say(f"\n{safe(field.description or str(field.default or field.label)).strip()}")
                elif field.takes_value:
                    response[field.name] = self._value(field)
            response |= self._pressed(form)
        return {name: value for name, value in response.items() if value is not None}

    def _value(self, field: Field) -> Any:
        say("")
        if field.description:
            say(self.terminal.paint(safe(field.description), "dim"))
        for number, choice in enumerate(field.choices, start=1):
            say(f"  {number}) {_shown(choice)}")
        prompt = f"{_label(field)}{_hint(field)}: "
        while True:
            text = (self.read_hidden if field.is_secret else self.read)(prompt)
            if not text and (field.default is not None or not field.required):
                return None
            try:
                value = _chosen(field, text)
                why = "is required" if value == "" else field.problem(value)
            except ResponseError as error:
                why = str(error).partition(": ")[2]
            if why is None:
                return value
            say(self.terminal.paint(f"  {why}", "red"))

    def _pressed(self, form: Form) -> JsonObject:
        buttons = form.buttons
        if len(buttons) < 2:
            label = one_line(buttons[0].label) if buttons else "OK"
            self.read(f"\n{label}: press Enter, or Ctrl-C to leave it: ")
            return {button.name: True for button in buttons}
        say("")
        for number, button in enumerate(buttons, start=1):
            about = f"  {one_line(button.description)}" if button.description else ""
            say(f"  {number}) {one_line(button.label)}{about}")
        while True:
            word = self.read("Which one? ").strip()
            for number, button in enumerate(buttons, start=1):
                if word.lower() in (str(number), button.name.lower(), button.label.lower()):
                    return {button.name: True}
            say(self.terminal.paint(f"  must be a number from 1 to {len(buttons)}", "red"))


def _chosen(field: Field, text: str) -> Any:
    """Return the value that a text means: of choices also the number of one."""
    if field.choices and text.strip().isdigit() and field.type == "string":
        number = int(text)
        if text not in field.choices and 1 <= number <= len(field.choices):
            return field.choices[number - 1]
    return field.value_of(text)


def _label(field: Field) -> str:
    return one_line(field.label) or field.name


def _hint(field: Field) -> str:
    hints = []
    if field.element == "toggle":
        hints.append("y/n")
    elif field.element == "time":
        hints.append(field.format)
    if field.example is not None:
        hints.append(f"such as {_shown(field.example)}")
    if not field.required and field.default is None and field.element != "toggle":
        hints.append("may be left out")
    hint = f" ({', '.join(hints)})" if hints else ""
    if field.default is None:
        return hint
    return f"{hint} [{'***' if field.is_secret else _shown(field.default)}]"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "y" if value else "n"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have Ctrl-C end a read: the event loop would only note it until the line is complete."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
