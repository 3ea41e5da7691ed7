"""Every code can be looked up: what it means, and what to do about it."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Cli
from tribe_ws.capture.filter import FIELDS, FilterError, parse_filter
from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.close_codes import CLOSE_CODES, CloseCode
from tribe_ws_cli.commands.explain import TOPICS
from tribe_ws_cli.diagnostics import diagnose
from tribe_ws_cli.exit_codes import MEANINGS, ExitCode
from tribe_ws_cli.explanations import FILTER_EXAMPLES, SOCKET_ERRORS, all_explanations


@pytest.mark.parametrize("entry", CLOSE_CODES, ids=lambda entry: f"{entry.code}-{entry.reason}")
def test_every_close_code_is_explained_by_number_and_by_reason(cli: Cli, entry: CloseCode) -> None:
    for asked in filter(None, (str(entry.code), entry.reason)):
        text = cli("explain", asked).stdout
        assert f"close code {entry.code}" in text
        assert entry.meaning in text
        assert entry.advice.value in text


@pytest.mark.parametrize("code", ExitCode, ids=lambda code: code.name)
def test_every_exit_code_is_explained(cli: Cli, code: ExitCode) -> None:
    assert f"exit code {int(code)}: {MEANINGS[code]}" in cli("explain", str(int(code))).stdout
    assert MEANINGS[code] in cli("explain", "exit-codes").stdout


@pytest.mark.parametrize("code", re.findall(r"``([a-z]+_[a-z_]+)``", ProtocolViolation.__doc__ or ""))
def test_every_code_of_the_error_event_is_explained(cli: Cli, code: str) -> None:
    assert SOCKET_ERRORS[code][0] in cli("explain", code).stdout


def test_a_rejected_token_tells_the_exit_code_too(cli: Cli) -> None:
    assert "our commands end with exit code 4" in cli("explain", "4401").stdout
    assert "our commands end with exit code 6" in cli("explain", "4413").stdout


def test_a_code_with_two_meanings_tells_both(cli: Cli) -> None:
    text = cli("explain", "rate-limited").stdout
    assert "close code 4429 rate_limited" in text
    assert "socket error rate_limited" in text


def test_an_unknown_code_names_the_one_that_was_meant(cli: Cli) -> None:
    refused = cli("explain", "slow_consumr")
    assert refused.exit_code == 2
    assert 'no code "slow_consumr" is known' in refused.stderr
    assert "did you mean  tribe-ws explain slow_consumer?" in refused.stderr
    assert "did you mean" not in cli("explain", "9999999").stderr


def test_the_filter_language_is_explained_by_examples_that_parse(cli: Cli) -> None:
    text = cli("explain", "filter").stdout
    for field in FIELDS:
        assert re.search(rf"^  {field} ", text, re.MULTILINE)
    for example in FILTER_EXAMPLES:
        assert f"  {example}\n" in text
        parse_filter(example)
    assert json.loads(cli("explain", "filter", "--json").stdout)["text"] + "\n" == text


@pytest.mark.parametrize(("topic", "kind"), TOPICS.items())
def test_a_topic_lists_its_kind_and_no_other(cli: Cli, topic: str, kind: str) -> None:
    found = json.loads(cli("explain", topic, "--json").stdout)["explanations"]
    assert found
    assert {one["kind"] for one in found} == {kind}


def test_without_a_code_everything_is_listed(cli: Cli) -> None:
    listed = json.loads(cli("explain", "--json").stdout)["explanations"]
    assert listed == [one.as_json() for one in all_explanations()]
    text = cli("explain").stdout
    assert all(one["meaning"] in text for one in listed)


def test_a_bad_filter_leads_to_the_explanation() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("form:bob")
    assert diagnose(caught.value).hint.endswith("tribe-ws explain filter")
