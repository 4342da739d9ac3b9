"""`heartline serve`'s options: flags, variables, which wins, and what a wrong one is told."""

import argparse
import logging
import socket

import pytest
from heartline.timing import Timing
from heartline_service import options
from heartline_service.retention import Retention
from heartline_service.settings import Settings

EVERY_OPTION = {
    "listen": "0.0.0.0:7000",
    "store": "redis://somewhere",
    "workers": "4",
    "heartbeat-interval": "2s",
    "heartbeat-timeout": "500ms",
    "grace": "0",
    "drain-timeout": "1m",
    "max-message-bytes": "1000",
    "name": "north-1",
    "log-level": "debug",
}


def made(*flags: str, **environment: str) -> tuple[Settings, int]:
    """The settings and the log level of a command line and an environment."""
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    return options.settings(vars(parser.parse_args(flags)), environment)


def settings(*flags: str, **environment: str) -> Settings:
    return made(*flags, **environment)[0]


def refusal(*flags: str, **environment: str) -> str:
    with pytest.raises(ValueError, match=r".") as refused:
        made(*flags, **environment)
    return str(refused.value)


def variable(name: str) -> str:
    return "HEARTLINE_" + name.upper().replace("-", "_")


def as_told(told: Settings) -> dict[str, object]:
    """The settings under the names of the options."""
    return {
        "listen": told.listen,
        "store": told.store,
        "workers": told.workers,
        "heartbeat": told.heartbeat,
        "grace": told.grace,
        "drain-timeout": told.drain_timeout,
        "max-message-bytes": told.max_message_bytes,
        "name": told.name,
    }


EVERY_SETTING = {
    "listen": "0.0.0.0:7000",
    "store": "redis://somewhere",
    "workers": 4,
    "heartbeat": Timing(2.0, 0.5),
    "grace": 0.0,
    "drain-timeout": 60.0,
    "max-message-bytes": 1000,
    "name": "north-1",
}


def test_nothing_is_needed() -> None:
    told, level = made()
    assert as_told(told) == {
        "listen": "127.0.0.1:50051",
        "store": "sqlite:data/heartline.db",
        "workers": 1,
        "heartbeat": Timing(15.0, 10.0),
        "grace": 5.0,
        "drain-timeout": 5.0,
        "max-message-bytes": 1024 * 1024,
        "name": socket.gethostname(),
    }
    assert told.retain("orders") == Retention(100_000, 7 * 86400.0)
    assert level == logging.INFO


def test_every_option_is_a_flag() -> None:
    told, level = made(*[f"--{name}={value}" for name, value in EVERY_OPTION.items()])
    assert as_told(told) == EVERY_SETTING
    assert level == logging.DEBUG


def test_every_option_is_a_variable() -> None:
    told, level = made(**{variable(name): value for name, value in EVERY_OPTION.items()})
    assert as_told(told) == EVERY_SETTING
    assert level == logging.DEBUG


def test_the_two_lists_here_have_all_options() -> None:
    assert {option.name for option in options.OPTIONS} == {*EVERY_OPTION, "retain"}


def test_a_flag_wins_over_its_variable() -> None:
    assert settings("--grace", "1s", HEARTLINE_GRACE="2s").grace == 1.0


def test_a_variable_that_a_flag_overrides_may_be_wrong() -> None:
    assert settings("--grace", "1s", HEARTLINE_GRACE="soon").grace == 1.0


def test_other_variables_are_nobodys_business() -> None:
    assert as_told(settings(HEARTLINE_SERVER="elsewhere:1", GRACE="soon")) == as_told(settings())


class TestRetain:
    def test_the_first_pattern_that_fits_decides(self) -> None:
        told = settings("--retain", "orders.*=count:10", "--retain", "*=age:1h").retain
        assert told("orders.eu") == Retention(10, 7 * 86400.0)
        assert told("orders") == Retention(100_000, 3600.0)

    def test_count_and_age_may_be_told_together(self) -> None:
        assert settings("--retain", "a=b=count:5,age:2d").retain("a=b") == Retention(5, 172800.0)

    def test_the_variable_holds_several_between_spaces(self) -> None:
        told = settings(HEARTLINE_RETAIN="a=count:1  b=count:2").retain
        assert (told("a").max_events, told("b").max_events) == (1, 2)

    @pytest.mark.parametrize("text", ["orders", "=count:1", "a=", "a=count:0", "a=count:x", "a=size:1", "a=count:1,"])
    def test_what_is_no_rule_is_refused_with_an_example(self, text: str) -> None:
        told = f"{text!r} is not PATTERN=count:N,age:TIME, such as orders.*=count:10000,age:7d"
        assert refusal("--retain", text) == f"--retain: {told}"

    def test_an_age_that_is_no_time_is_refused(self) -> None:
        assert refusal(HEARTLINE_RETAIN="a=age:long").startswith("HEARTLINE_RETAIN: 'long' is not a duration")


WRONG = [
    ("listen", "50051", "'50051' is not HOST:PORT"),
    ("listen", ":50051", "':50051' is not HOST:PORT"),
    ("listen", "localhost:65536", "is not HOST:PORT"),
    ("listen", "localhost:-1", "is not HOST:PORT"),
    ("listen", "", "is not HOST:PORT"),
    ("store", "data/heartline.db", "is not a store: write memory:, sqlite:PATH or redis://HOST:PORT"),
    ("heartbeat-interval", "often", "'often' is not a duration"),
    ("heartbeat-timeout", "-1s", "'-1s' is not a duration"),
    ("grace", "2h", "'2h' is too long: at most 1h"),
    ("drain-timeout", "3601s", "is too long: at most 1h"),
    ("max-message-bytes", "0", "'0' is not a number of bytes from 1 to 3145728"),
    ("max-message-bytes", "3145729", "is not a number of bytes"),
    ("max-message-bytes", "1M", "is not a number of bytes"),
    ("workers", "0", "'0' is not a number of processes from 1 to 256"),
    ("workers", "many", "is not a number of processes"),
    ("name", "", "a name is 1 to 255 bytes of printable text"),
    ("name", "x" * 256, "a name is 1 to 255 bytes"),
    ("name", "a\nb", "a name is 1 to 255 bytes"),
    ("log-level", "loud", "'loud' is not one of debug, info, warning, error"),
]


class TestRefusals:
    @pytest.mark.parametrize(("name", "value", "told"), WRONG)
    def test_a_wrong_flag_is_named_with_what_to_write(self, name: str, value: str, told: str) -> None:
        message = refusal(f"--{name}={value}")
        assert message.startswith(f"--{name}: ")
        assert told in message

    @pytest.mark.parametrize(("name", "value", "told"), WRONG)
    def test_a_wrong_variable_is_named_with_what_to_write(self, name: str, value: str, told: str) -> None:
        message = refusal(**{variable(name): value})
        assert message.startswith(f"{variable(name)}: ")
        assert told in message

    def test_heartbeat_times_out_of_bounds_are_told_with_where_they_came_from(self) -> None:
        message = refusal("--heartbeat-interval=1ms", HEARTLINE_HEARTBEAT_TIMEOUT="5s")
        assert message.startswith("--heartbeat-interval, HEARTLINE_HEARTBEAT_TIMEOUT: ")
        assert "heartbeat_interval must be from 0.1 s to 10 minutes" in message

    @pytest.mark.parametrize("store", ["memory:", "sqlite:data/heartline.db"])
    def test_several_workers_on_a_store_that_one_process_holds_are_refused(self, store: str) -> None:
        assert refusal("--workers=4", HEARTLINE_STORE=store) == (
            "--workers: 4 processes need a store that they can share: write --store redis://HOST:PORT, or leave"
            " --workers at 1"
        )

    def test_heartbeat_times_that_cannot_work_together_are_refused(self) -> None:
        assert "must leave" in refusal("--heartbeat-interval=0.1", "--heartbeat-timeout=0.1")


def test_the_help_shows_each_flag_with_its_default() -> None:
    parser = argparse.ArgumentParser(formatter_class=lambda prog: argparse.HelpFormatter(prog, width=500))
    options.add_arguments(parser)
    shown = parser.format_help()
    for option in options.OPTIONS:
        assert f"--{option.name} {option.metavar}" in shown
        assert not option.default or option.name == "name" or f"[{option.default}]" in shown


def test_addresses_of_all_kinds_are_taken() -> None:
    for address in ("127.0.0.1:0", "[::1]:50051", "heartline.example:65535"):
        assert settings("--listen", address).listen == address
