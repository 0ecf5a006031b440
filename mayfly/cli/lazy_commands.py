"""Commands that are imported when they run, so that `mayfly --help` imports none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class LazyCommand(TyperCommand):
    """A command that is listed by its name and summary, and imported once its arguments are parsed.

    Shapes: `function` is `module:name` in this package; `arguments` come before those of the user, which makes the
    command an alias.
    """

    def __init__(
        self,
        name: str,
        function: str,
        section: str,
        summary: str,
        *,
        settings: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        super().__init__(name, help=summary, rich_help_panel=section, rich_markup_mode=None)
        self._function = function
        self._settings = dict(settings or {})
        self._arguments = arguments

    def load(self) -> Any:
        """Import the function and return its command. An alias shows its own summary as its help."""
        module, _, name = self._function.partition(":")
        function = getattr(import_module(f"mayfly.cli.{module}"), name)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        help_text = self.help if self._arguments else None
        single.command(self.name, help=help_text, context_settings=self._settings)(function)
        return typer.main.get_command(single)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the arguments; the context that is returned belongs to the imported command, which it runs."""
        return self.load().make_context(info_name, [*self._arguments, *args], parent, **extra)


class SectionedGroup(TyperGroup):
    """A group whose help lists its commands by section."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is Typer's
        """Write each section with the name and summary of its commands."""
        commands = [command for command in self.commands.values() if isinstance(command, LazyCommand)]
        for section in dict.fromkeys(str(command.rich_help_panel) for command in commands):
            rows = [(str(one.name), str(one.help)) for one in commands if one.rich_help_panel == section]
            with formatter.section(section):
                formatter.write_dl(rows)
