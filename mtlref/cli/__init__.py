"""``mtlref compare | methods | cite | data | audit | verify | endure``: the command line.

Exit codes: 0 done, 1 failed, 2 asked for something that does not exist or makes no sense. Errors are one line on
stderr.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from typing import NoReturn

from mtlref._version import __version__
from mtlref.cli import audit, catalogue, compare, endure, verify
from mtlref.cli.arguments import FAILED, INTERRUPTED, OK, USAGE, UsageError
from mtlref.errors import MtlrefError, UnknownMethod
from mtlref.study.settings import BadSettings


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        self.exit(USAGE, f"{self.prog}: error: {message} (try {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    parser = build_parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    options.command_line = shlex.join(["mtlref", *arguments])
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except (UnknownMethod, UsageError, BadSettings) as error:
        return _say(options, error, USAGE)
    except MtlrefError as error:
        return _say(options, error, FAILED)
    except KeyboardInterrupt:
        return _say(
            options, "interrupted; what was finished is kept, --resume goes on from there", INTERRUPTED
        )
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _say(options: argparse.Namespace, error: object, code: int) -> int:
    print(f"mtlref {options.command}: error: {' '.join(str(error).split())}", file=sys.stderr)
    return code


def _nothing(_: argparse.ArgumentParser) -> None:
    """A command without options."""


COMMANDS = (
    ("compare", compare.SUMMARY, compare.EXAMPLE, compare.options, compare.run),
    ("methods", "list the methods", "mtlref methods", _nothing, catalogue.list_methods),
    ("cite", "print BibTeX of methods", "mtlref cite JointFeature TraceNorm", catalogue.cite_options, catalogue.cite),
    ("data", "list the data sets: what is here, what can be fetched, licences", "mtlref data", _nothing,
     catalogue.list_data),
    ("audit", audit.SUMMARY, audit.EXAMPLE, audit.options, audit.run),
    ("verify", verify.SUMMARY, verify.EXAMPLE, verify.options, verify.run),
    ("endure", endure.SUMMARY, endure.EXAMPLE, endure.options, endure.run),
)  # fmt: skip


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="mtlref",
        description="A reference library of multi-task learning: every answer carries a certificate.",
        epilog="example: mtlref compare digits",
    )
    parser.add_argument("--version", action="version", version=f"mtlref {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, summary, example, fill, run in COMMANDS:
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog="examples:\n" + "\n".join(f"  {line}" for line in example.splitlines()),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        fill(command)
        command.set_defaults(run=run)
    return parser
