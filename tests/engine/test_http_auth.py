"""Basic and Digest, by the examples of their standards."""

from __future__ import annotations

import pytest

from custom_components.tripod.engine.sources.http_auth import Challenge, Login, challenges

# RFC 7616, 3.9.1: one request answered by both algorithms
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
OFFERS = [
    f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    f'nonce="{NONCE}", opaque="{OPAQUE}"'
    for algorithm in ("SHA-256", "MD5")
]
MUFASA = ("Mufasa", "Circle of Life")


def login(username: str = "Mufasa", password: str = "Circle of Life") -> Login:
    return Login(username, password, nonce=lambda: CNONCE)


def fields(header: str) -> dict[str, str]:
    (challenge,) = challenges([header])
    assert challenge.scheme == "digest"
    return dict(challenge.parameters)


@pytest.mark.parametrize(
    ("offers", "algorithm", "response"),
    [
        (OFFERS, "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ([", ".join(reversed(OFFERS))], "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (OFFERS[1:], "MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (['Basic realm="x"', *OFFERS[1:]], "MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_the_example_of_the_standard(offers: list[str], algorithm: str, response: str) -> None:
    mufasa = login()
    assert mufasa.challenged(offers)
    assert fields(mufasa.header("GET", "/dir/index.html")["Authorization"]) == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": NONCE,
        "nc": "00000001",
        "cnonce": CNONCE,
        "qop": "auth",
        "response": response,
        "opaque": OPAQUE,
    }


def test_the_older_standard_without_qop() -> None:
    # RFC 2069's example, with the response as its erratum has it
    mufasa = login("Mufasa", "CircleOfLife")
    offer = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    assert mufasa.challenged([offer])
    answered = fields(mufasa.header("GET", "/dir/index.html")["Authorization"])
    assert answered["response"] == "1949323746fe6a43ef61f9606e7febea"
    assert not answered.keys() & {"qop", "nc", "cnonce", "algorithm"}


def test_a_nonce_is_counted_and_a_stale_one_replaced() -> None:
    mufasa = login()
    assert mufasa.challenged(OFFERS)
    assert [fields(mufasa.header("GET", "/")["Authorization"])["nc"] for _ in range(3)] == [
        "00000001",
        "00000002",
        "00000003",
    ]
    assert not mufasa.challenged(OFFERS), "the same question again: the password is wrong"
    assert mufasa.challenged([OFFERS[0].replace(NONCE, "another")])
    answered = fields(mufasa.header("GET", "/")["Authorization"])
    assert (answered["nonce"], answered["nc"]) == ("another", "00000001")


def test_a_session_hides_the_password_behind_its_first_nonces() -> None:
    mufasa, plain = login(), login()
    assert mufasa.challenged([OFFERS[0].replace("SHA-256", "SHA-256-sess")])
    assert plain.challenged(OFFERS[:1])
    answered = fields(mufasa.header("GET", "/")["Authorization"])
    assert answered["algorithm"] == "SHA-256-sess"
    assert answered["response"] != fields(plain.header("GET", "/")["Authorization"])["response"]


def test_the_name_is_hidden_where_that_is_asked_for() -> None:
    mufasa = login()
    assert mufasa.challenged([f"{OFFERS[0]}, userhash=true"])
    answered = fields(mufasa.header("GET", "/")["Authorization"])
    assert answered["userhash"] == "true"
    assert len(answered["username"]) == 64


def test_basic_is_sent_only_when_asked_for_and_tried_once() -> None:
    user = login("Aladdin", "open sesame")
    assert user.header("GET", "/") == {}
    assert user.challenged(['Basic realm="WallyWorld"'])
    assert user.header("GET", "/") == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}  # RFC 7617
    assert not user.challenged(['Basic realm="WallyWorld"'])


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "Bearer",
        "Digest",
        'Digest realm="x", nonce="1", algorithm=WHIRLPOOL',
        'Digest realm="x"',
        "=,,=" * 1000,
        '"' * 1000,
    ],
)
def test_what_is_no_way_in(offer: str) -> None:
    assert not login().challenged([offer])


def test_nothing_is_sent_without_a_password() -> None:
    assert not Login("", "").challenged(OFFERS)


def test_quotes_in_names_stay_where_they_are() -> None:
    offer = r'Digest realm="the \"old\" gate", nonce="a\\b"'
    assert challenges([offer]) == [Challenge("digest", {"realm": 'the "old" gate', "nonce": "a\\b"})]
    user = login('M"u\\f')
    assert user.challenged([offer])
    answered = fields(user.header("GET", "/")["Authorization"])
    assert (answered["username"], answered["realm"], answered["nonce"]) == ('M"u\\f', 'the "old" gate', "a\\b")
