from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.config.document import configuration_markdown, env_example, written
from mailstead.foundation.config.load import Option, SettingsError, load_settings, options, read_env_file
from mailstead.foundation.config.settings import Settings

ROOT = Path(__file__).parents[4]


def test_defaults_are_what_an_empty_environment_gives() -> None:
    assert load_settings({}) == Settings()


def test_every_default_written_out_reads_back_as_itself() -> None:
    environment = {option.environment: written(option, option.default) for option in options()}
    assert load_settings(environment) == Settings()


def test_names_are_unique_and_sentences_end_without_a_stop() -> None:
    names = [option.environment for option in options()]
    assert len(names) == len(set(names))
    for option in options():
        assert option.sentence
        assert not option.sentence.endswith("."), option.environment


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"MAILSTEAD_NO_SUCH": "1"}, "MAILSTEAD_NO_SUCH: no such setting"),
        ({"MAILSTEAD_LOG_LEVEL": "loud"}, "MAILSTEAD_LOG_LEVEL: 'loud' is not allowed; allowed: debug or"),
        ({"MAILSTEAD_PORT_MX": "65536"}, "MAILSTEAD_PORT_MX: '65536' is not allowed; allowed: 0 to 65535, or off"),
        ({"MAILSTEAD_PORT_MX": ""}, "MAILSTEAD_PORT_MX: '' is not allowed"),
        ({"MAILSTEAD_MESSAGE_SIZE_LIMIT": "-1"}, "MAILSTEAD_MESSAGE_SIZE_LIMIT"),
        ({"MAILSTEAD_MESSAGE_SIZE_LIMIT": "1K"}, "MAILSTEAD_MESSAGE_SIZE_LIMIT"),
        (
            {"MAILSTEAD_INSECURE_AUTH": "maybe"},
            "MAILSTEAD_INSECURE_AUTH: 'maybe' is not allowed; allowed: true or false",
        ),
    ],
)
def test_refusals_are_one_line_that_names_the_setting(environment: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(environment)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_a_bad_secret_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"MAILSTEAD_RELAY_URL": "hunter2"})
    assert str(refused.value).startswith("MAILSTEAD_RELAY_URL: the value is not allowed; allowed: smtp[s]://")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("MAILSTEAD_BIND", ("::1", "0.0.0.0", "*", "localhost"), ("nonsense", "")),
        ("MAILSTEAD_HOSTNAME", ("", "mail.example.org"), ("two words", "a..b")),
        ("MAILSTEAD_DOCUMENTS_URL", ("sqlite:", "mongodb://one,two/mail?replicaSet=rs0"), ("foo:", "mongodb://")),
        (
            "MAILSTEAD_BUS_URL",
            ("memory:", "unix:", "rediss://u:p@host:1/0", "redis+sentinel://a,b/mail"),
            ("foo:", "redis:"),
        ),
        ("MAILSTEAD_AUTHENTICATION_ARC_TRUSTED", ("list.example, bücher.example", ""), ("a..b", "a b")),
        ("MAILSTEAD_DNS_SERVERS", ("127.0.0.1:5353", "[::1]:53, 192.0.2.1", ""), ("dns.example", "127.0.0.1:0")),
        ("MAILSTEAD_RELAY_URL", ("smtps://me:secret@relay.example:465", ""), ("relay.example",)),
        ("MAILSTEAD_NETWORK_EXEMPT", ("10.0.0.0/8, ::1", ""), ("10.0.0.0/33",)),
    ],
)
def test_what_is_allowed_is_looked_at_before_the_start(name: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for text in good:
        load_settings({name: text})
    for text in bad:
        with pytest.raises(SettingsError, match=rf"^{name}: .* is not allowed; allowed: "):
            load_settings({name: text})


def test_suffixes() -> None:
    settings = load_settings(
        {
            "MAILSTEAD_MAILBOX_QUOTA": "5GiB",
            "MAILSTEAD_DRAIN_TIMEOUT": "1500ms",
            "MAILSTEAD_DNS_SERVERS": "::1, 1.2.3.4:53",
        }
    )
    assert settings.mailbox.quota == 5 * 1024**3
    assert settings.server.drain_timeout == 1.5
    assert settings.server.dns_servers == ("::1", "1.2.3.4:53")


def test_environment_wins_over_env_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('# a comment\n\nexport MAILSTEAD_BIND="::1"\nMAILSTEAD_PORT_MX=25\nOTHER=1\n')
    settings = load_settings({"MAILSTEAD_PORT_MX": "26"}, file)
    assert settings.server.bind == "::1"
    assert settings.port.mx == 26


def test_a_line_that_is_no_assignment_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("MAILSTEAD_BIND\n")
    with pytest.raises(SettingsError, match="line 1: not of the form"):
        read_env_file(file)


@given(st.sampled_from(list(options())), st.text(max_size=40).filter(lambda text: "\0" not in text))
def test_any_text_is_taken_or_refused_in_one_line(option: Option, text: str) -> None:
    try:
        load_settings({option.environment: text})
    except SettingsError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 both outcomes are right


def test_configuration_page_and_env_example_are_what_the_code_says() -> None:
    assert (ROOT / "docs/configuration.md").read_text("utf-8") == configuration_markdown()
    assert (ROOT / ".env.example").read_text("utf-8") == env_example()
