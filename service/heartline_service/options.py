"""The server's options: one table for the flags, the environment, the checks and the help of `heartline serve`."""

import argparse
import logging
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from heartline.durations import format_duration, parse_duration
from heartline.timing import Timing

from heartline_service.checks import MAX_NAME_BYTES
from heartline_service.retention import Retention, by_pattern
from heartline_service.settings import Settings
from heartline_service.stores import SHARED

LARGEST_MESSAGE = 3 * 1024 * 1024
"""With its attributes and the rest of an answer, a message must stay under 4 MiB."""
MOST_WORKERS = 256
LEVELS = ("debug", "info", "warning", "error")


def _listen(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:50051 or [::1]:50051")
    return text


def _store(text: str) -> str:
    if not re.match(r"[a-z][a-z0-9+]*:", text):
        raise ValueError(f"{text!r} is not a store: write memory:, sqlite:PATH or redis://HOST:PORT")
    return text


def _retain(text: str) -> tuple[str, Retention]:
    pattern, separator, rules = text.rpartition("=")
    kept: dict[str, Any] = {}
    for rule in rules.split(",") if separator and pattern else ():
        name, _, value = rule.partition(":")
        if name == "count" and value.isascii() and value.isdigit() and int(value) > 0:
            kept["max_events"] = int(value)
        elif name == "age" and parse_duration(value) > 0:
            kept["max_age"] = parse_duration(value)
        else:
            kept.clear()
            break
    if not kept:
        raise ValueError(f"{text!r} is not PATTERN=count:N,age:TIME, such as orders.*=count:10000,age:7d")
    return pattern, Retention(**kept)


def _at_most(most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        seconds = parse_duration(text)
        if seconds > most:
            raise ValueError(f"{text!r} is too long: at most {format_duration(most)}")
        return seconds

    return parse


def _message_bytes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_MESSAGE:
        raise ValueError(f"{text!r} is not a number of bytes from 1 to {LARGEST_MESSAGE}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_WORKERS:
        raise ValueError(f"{text!r} is not a number of processes from 1 to {MOST_WORKERS}")
    return int(text)


def _name(text: str) -> str:
    if not text or len(text.encode()) > MAX_NAME_BYTES or not text.isprintable():
        raise ValueError(f"a name is 1 to {MAX_NAME_BYTES} bytes of printable text")
    return text


def _level(text: str) -> str:
    if text not in LEVELS:
        raise ValueError(f"{text!r} is not one of {', '.join(LEVELS)}")
    return text


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `--name VALUE`, or HEARTLINE_NAME in the environment."""

    name: str
    metavar: str
    default: str
    help: str
    parse: Callable[[str], Any]

    @property
    def variable(self) -> str:
        """The environment variable that stands for the flag."""
        return "HEARTLINE_" + self.name.upper().replace("-", "_")


OPTIONS = [
    Option(
        "listen",
        "HOST:PORT",
        "127.0.0.1:50051",
        "where to listen, without authentication or TLS; port 0 takes a free one",
        _listen,
    ),
    Option(
        "store",
        "URL",
        "sqlite:data/heartline.db",
        "where state lives: sqlite:PATH, redis://HOST:PORT (rediss:// for TLS; may be shared), or memory: to forget",
        _store,
    ),
    Option(
        "retain",
        "PATTERN=RULES",
        "",
        "what channels keep, such as orders.*=count:10000,age:7d; may be given more than once (in the environment: "
        "separated by spaces), the first pattern that fits decides; what is not said is count:100000,age:7d",
        _retain,
    ),
    Option(
        "heartbeat-interval",
        "TIME",
        "15s",
        "silence before a heartbeat, unless the client asks otherwise",
        parse_duration,
    ),
    Option("heartbeat-timeout", "TIME", "10s", "silence after it before the client counts as dead", parse_duration),
    Option("grace", "TIME", "5s", "how long a client whose connection was lost stays online", _at_most(3600)),
    Option("drain-timeout", "TIME", "5s", "how long sessions have to go elsewhere at SIGTERM", _at_most(3600)),
    Option("max-message-bytes", "BYTES", "1048576", "the most data in one message", _message_bytes),
    Option("workers", "N", "1", "how many processes serve on the one port; more than 1 need redis:", _workers),
    Option(
        "name",
        "NAME",
        socket.gethostname() or "heartline",
        "what the server calls itself [the name of this host]",
        _name,
    ),
    Option("log-level", "LEVEL", "info", f"how much to log: {', '.join(LEVELS)}", _level),
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Gives the parser all flags. Their values stay text until `settings` checks them."""
    for option in OPTIONS:
        default = f" [{option.default}]" if option.default and option.name != "name" else ""
        parser.add_argument(
            f"--{option.name}",
            metavar=option.metavar,
            action="append" if option.name == "retain" else "store",
            help=f"{option.help}{default}".replace("%", "%%"),
        )


def flags(given: Mapping[str, Any]) -> list[str]:
    """The flags as they were given, for another process."""
    words = []
    for option in OPTIONS:
        value = given.get(option.name.replace("-", "_"))
        texts = value if isinstance(value, list) else [] if value is None else [value]
        words += [f"--{option.name}={text}" for text in texts]
    return words


def settings(flags: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[Settings, int]:
    """The settings and the log level: a flag wins over its variable. Raises ValueError that names what is wrong."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in OPTIONS:
        flag = flags.get(option.name.replace("-", "_"))
        given = flag if flag is not None else environment.get(option.variable)
        source = sources[option.name] = f"--{option.name}" if flag is not None or given is None else option.variable
        if option.name == "retain":
            texts = given.split() if isinstance(given, str) else given or []
            values[option.name] = [_parsed(option, source, text) for text in texts]
        else:
            values[option.name] = _parsed(option, source, option.default if given is None else given)
    try:
        heartbeat = Timing(values["heartbeat-interval"], values["heartbeat-timeout"])
    except ValueError as error:
        told = f"{sources['heartbeat-interval']}, {sources['heartbeat-timeout']}"
        raise ValueError(f"{told}: {error}") from None
    if values["workers"] > 1 and values["store"].partition(":")[0] not in SHARED:
        raise ValueError(
            f"{sources['workers']}: {values['workers']} processes need a store that they can share: write --store"
            " redis://HOST:PORT, or leave --workers at 1"
        )
    made = Settings(
        listen=values["listen"],
        store=values["store"],
        retain=by_pattern(values["retain"]),
        heartbeat=heartbeat,
        grace=values["grace"],
        drain_timeout=values["drain-timeout"],
        max_message_bytes=values["max-message-bytes"],
        workers=values["workers"],
        name=values["name"],
    )
    return made, getattr(logging, values["log-level"].upper())


def _parsed(option: Option, source: str, text: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
