"""The simulated FOLIO gateway and its login: tenants, tokens, permissions, refresh."""

from __future__ import annotations

from http.cookies import SimpleCookie

import orjson
import pytest

from service.sandbox.accounts import Accounts
from service.sandbox.exchange import Call, Reply
from service.sandbox.gateway import Gateway, required_permission
from service.sandbox.login import Login

RESOURCE = "/eholdings/resources/1-2-3"
READ = "kb-ebsco.resources.item.get"


class Clock:
    """Epoch seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Folio:
    """Gateway and login over one set of accounts."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.accounts = Accounts(access_token_seconds=600, refresh_token_seconds=3600, clock=self.clock)
        self.gateway = Gateway(self.accounts)
        self.login = Login(self.accounts)

    def log_in(self, username: str = "relay", password: str = "relay-password", tenant: str = "diku") -> Reply:
        body = orjson.dumps({"username": username, "password": password})
        headers = (("Content-Type", "application/json"),)
        return self.login.handle(Call("POST", "/authn/login-with-expiry", {}, headers, body, tenant))

    def refresh(self, token: str | None, tenant: str = "diku") -> Reply:
        headers = () if token is None else (("Cookie", f"folioRefreshToken={token}"),)
        return self.login.handle(Call("POST", "/authn/refresh", {}, headers, b"", tenant))

    def refusal(self, *headers: tuple[str, str], tenant: str = "diku", path: str = RESOURCE) -> Reply | None:
        return self.gateway.refusal(Call("GET", path, {}, headers, b"", tenant))


@pytest.fixture
def folio() -> Folio:
    return Folio()


def cookies(reply: Reply) -> SimpleCookie:
    found = SimpleCookie()
    for name, value in reply.headers:
        assert name == "Set-Cookie"
        found.load(value)
    return found


def access_token(reply: Reply) -> str:
    return cookies(reply)["folioAccessToken"].value


def refresh_token(reply: Reply) -> str:
    return cookies(reply)["folioRefreshToken"].value


def error_code(reply: Reply) -> object:
    return orjson.loads(reply.body)["errors"][0]["code"]


def test_a_login_answers_with_times_in_the_body_and_tokens_in_secure_cookies_alone(folio: Folio) -> None:
    reply = folio.log_in()

    assert (reply.status, reply.content_type) == (201, "application/json")
    assert orjson.loads(reply.body) == {
        "accessTokenExpiration": "2023-11-14T22:23:20.000Z",
        "refreshTokenExpiration": "2023-11-14T23:13:20.000Z",
    }
    access, refresh = cookies(reply)["folioAccessToken"], cookies(reply)["folioRefreshToken"]
    assert (access["path"], refresh["path"]) == ("/", "/authn")
    assert (access["max-age"], refresh["max-age"]) == ("600", "3600")
    assert access["secure"] is refresh["secure"] is access["httponly"] is refresh["httponly"] is True


@pytest.mark.parametrize("header", ["X-Okapi-Token", "Authorization", "Cookie"])
def test_a_token_lets_through_in_any_of_three_headers(folio: Folio, header: str) -> None:
    token = access_token(folio.log_in())
    value = {"X-Okapi-Token": token, "Authorization": f"Bearer {token}", "Cookie": f"folioAccessToken={token}"}[header]

    assert folio.refusal((header, value)) is None


def test_two_different_tokens_are_400(folio: Folio) -> None:
    reply = folio.refusal(("X-Okapi-Token", "a"), ("Authorization", "Bearer b"))

    assert reply is not None
    assert reply.status == 400


def test_a_missing_token_is_400_and_names_the_permission(folio: Folio) -> None:
    reply = folio.refusal()

    assert reply == Reply(400, f"Token missing, access requires permission: {READ}".encode(), "text/plain")


def test_an_unknown_token_is_401(folio: Folio) -> None:
    assert folio.refusal(("X-Okapi-Token", "made up")) == Reply(401, b"Invalid token", "text/plain")


def test_a_token_is_401_once_its_time_is_over(folio: Folio) -> None:
    token = access_token(folio.log_in())
    folio.clock.now += 599
    assert folio.refusal(("X-Okapi-Token", token)) is None

    folio.clock.now += 1

    reply = folio.refusal(("X-Okapi-Token", token))
    assert reply is not None
    assert (reply.status, reply.body[:13]) == (401, b"Invalid token")


def test_a_bad_token_is_refused_on_the_way_to_the_login_too(folio: Folio) -> None:
    reply = folio.refusal(("X-Okapi-Token", "made up"), path="/authn/login-with-expiry")

    assert reply is not None
    assert reply.status == 401


def test_the_login_needs_no_token(folio: Folio) -> None:
    assert folio.refusal(path="/authn/login-with-expiry") is None


@pytest.mark.parametrize(("tenant", "text"), [("", b"Missing header: X-Okapi-Tenant"), ("no", b"No such Tenant no")])
def test_a_missing_or_unknown_tenant_is_400(folio: Folio, tenant: str, text: bytes) -> None:
    assert folio.refusal(tenant=tenant) == Reply(400, text, "text/plain")


def test_a_token_of_another_tenant_is_403(folio: Folio) -> None:
    folio.accounts.add_user("other", "someone", "password")

    reply = folio.refusal(("X-Okapi-Token", access_token(folio.log_in())), tenant="other")

    assert reply is not None
    assert reply.status == 403


def test_a_missing_permission_is_403_and_names_user_and_permission(folio: Folio) -> None:
    folio.accounts.add_user("diku", "reader", "password", frozenset({"other.permission"}), "the-id")

    reply = folio.refusal(("X-Okapi-Token", access_token(folio.log_in("reader", "password"))))

    text = f"Access for user 'reader' (the-id) requires permission: {READ}"
    assert reply == Reply(403, text.encode(), "text/plain")


def test_a_permission_that_is_held_lets_through(folio: Folio) -> None:
    folio.accounts.add_user("diku", "reader", "password", frozenset({READ}))

    assert folio.refusal(("X-Okapi-Token", access_token(folio.log_in("reader", "password")))) is None


def test_a_static_token_never_expires(folio: Folio) -> None:
    folio.accounts.add_static_token("for ever", "diku", "relay")
    folio.clock.now += 10 * 365 * 86_400

    assert folio.refusal(("X-Okapi-Token", "for ever")) is None


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("PUT", "/eholdings/resources/1-2-3", "kb-ebsco.resources.item.put"),
        ("PUT", "/eholdings/resources/1-2-3/tags", "kb-ebsco.resource-tags.put"),
        ("POST", "/eholdings/resources/bulk/fetch", "kb-ebsco.resources-bulk.collection.get"),
        ("PUT", "/inventory-batch-upsert-hrid", "inventory-update.batch-by-hrid.collection.put"),
        ("POST", "/holdings-sources", "inventory-storage.holdings-sources.item.post"),
        ("POST", "/authn/refresh", None),
    ],
)
def test_permissions_follow_method_and_path(method: str, path: str, permission: str | None) -> None:
    assert required_permission(method, path) == permission


@pytest.mark.parametrize(("username", "password"), [("relay", "wrong"), ("nobody", "relay-password")])
def test_wrong_credentials_are_422(folio: Folio, username: str, password: str) -> None:
    reply = folio.log_in(username, password)

    assert (reply.status, reply.content_type) == (422, "application/json")
    assert error_code(reply) == "wrong.username.or.wrong.password.or.account.blocked"


def test_five_wrong_passwords_block_the_account_for_the_right_one_too(folio: Folio) -> None:
    for _ in range(5):
        assert folio.log_in(password="wrong").status == 422

    assert folio.log_in().status == 422


def test_a_right_password_forgets_the_wrong_ones_before_it(folio: Folio) -> None:
    for _ in range(4):
        folio.log_in(password="wrong")
    assert folio.log_in().status == 201
    for _ in range(4):
        folio.log_in(password="wrong")

    assert folio.log_in().status == 201


@pytest.mark.parametrize("body", [b"{}", b'{"username": "relay"}', b'{"password": "x"}', b"{"])
def test_a_login_without_its_fields_is_400_as_text(folio: Folio, body: bytes) -> None:
    headers = (("Content-Type", "application/json"),)

    reply = folio.login.handle(Call("POST", "/authn/login-with-expiry", {}, headers, body, "diku"))

    assert (reply.status, reply.content_type) == (400, "text/plain")


def test_the_legacy_login_is_not_served(folio: Folio) -> None:
    assert not folio.login.serves("POST", "/authn/login")


def test_a_refresh_hands_out_a_new_pair(folio: Folio) -> None:
    first = folio.log_in()

    second = folio.refresh(refresh_token(first))

    assert second.status == 201
    assert refresh_token(second) != refresh_token(first)
    assert folio.refusal(("X-Okapi-Token", access_token(second))) is None


def test_a_refresh_token_presented_twice_revokes_every_refresh_token_of_its_user(folio: Folio) -> None:
    first, other_session = folio.log_in(), folio.log_in()
    second = folio.refresh(refresh_token(first))

    again = folio.refresh(refresh_token(first))

    assert (again.status, error_code(again)) == (422, "token.refresh.unprocessable")
    assert folio.refresh(refresh_token(second)).status == 422
    assert folio.refresh(refresh_token(other_session)).status == 422
    assert folio.log_in().status == 201


def test_a_refresh_token_is_422_once_its_time_is_over(folio: Folio) -> None:
    token = refresh_token(folio.log_in())
    folio.clock.now += 3600

    assert folio.refresh(token).status == 422


def test_a_refresh_without_a_cookie_is_400(folio: Folio) -> None:
    reply = folio.refresh(None)

    assert (reply.status, error_code(reply)) == (400, "token.parse.failure")


def test_accounts_come_from_seed_data_and_go_back_into_it(folio: Folio) -> None:
    folio.login.load(
        {
            "tenants": {"other": {"users": {"u": {"password": "p", "permissions": [READ]}}, "tokens": {"static": "u"}}},
            "accessTokenSeconds": 2,
        }
    )

    assert folio.refusal(("X-Okapi-Token", "static"), tenant="other") is None
    assert cookies(folio.log_in())["folioAccessToken"]["max-age"] == "2"
    copy = Login(Accounts())
    copy.load(folio.login.snapshot())
    assert copy.snapshot() == folio.login.snapshot()


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({"tenants": []}, "tenants"),
        ({"tenants": {"t": {"users": {"u": {}}}}}, "tenants.t.users.u.password"),
        ({"tenants": {"t": {"tokens": {"secret": "nobody"}}}}, "tenants.t.tokens"),
        ({"accessTokenSeconds": 0}, "accessTokenSeconds"),
        ({"tenant": {}}, "tenant"),
    ],
)
def test_bad_seed_data_names_the_field_and_shows_no_token(folio: Folio, state: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        folio.login.load(orjson.loads(orjson.dumps(state)))

    assert str(refusal.value).startswith(f"{field}:")
    assert "secret" not in str(refusal.value)
