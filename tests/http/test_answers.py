"""What any client meets: who is let in, versions, connections that are kept, and limits."""

from __future__ import annotations

from datetime import timedelta
from time import sleep

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser

from locations.models import Brand
from profiles.models import Profile
from tests.factories import ProfileFactory, TransactionFactory
from tests.http.server import Answer, Client, Server, new_token

pytestmark = pytest.mark.django_db(transaction=True)

LONG_ENOUGH_TO_REFUSE = 0.5  # seconds


@pytest.fixture
def profile(transactional_db: None) -> Profile:
    return TransactionFactory().profile


def read(client: Client, profile: Profile, method: str = "GET", **headers: str) -> Answer:
    return client.ask(method, f"/profiles/{profile.pk}/aggregations", headers=headers)


def test_who_has_no_valid_token_is_not_let_in(server: Server, profile: Profile):
    for token in (None, "0" * 64, new_token(expiry=timedelta(seconds=-1))):
        for method in ("GET", "HEAD", "POST", "DELETE"):
            answer = read(server.client(token), profile, method)

            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            said = b"" if method == "HEAD" else b'{"message":"Unauthenticated."}'
            assert answer.body == said


def test_a_token_without_the_scope_is_told_which(server: Server, profile: Profile):
    client = server.client(new_token("profiles:read"))

    answer, head = read(client, profile), read(client, profile, "HEAD")

    assert (answer.status, head.status, head.body) == (403, 403, b"")
    assert answer.body == b'{"message":"The token lacks the scope aggregations:read."}'


def test_head_answers_with_the_headers_of_get_and_no_body(client: Client, profile: Profile):
    whole, head = read(client, profile), read(client, profile, "HEAD")

    assert head.status == whole.status == 200
    assert head.body == b""
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]


def test_a_version_that_is_held_is_not_sent_again_until_it_is_another(
    client: Client, profile: Profile
):
    first = read(client, profile)
    again = read(client, profile, **{"If-None-Match": first.headers["ETag"]})
    TransactionFactory(profile=profile, total=7)
    client.post(f"/profiles/{profile.pk}/aggregations/calculate", {})
    changed = read(client, profile, **{"If-None-Match": first.headers["ETag"]})

    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert changed.status == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_a_connection_is_kept_whatever_the_answers_are(client: Client, profile: Profile):
    read(client, profile)
    kept = client.connection.sock

    statuses = [
        client.get("/nothing").status,
        client.get("/brands?filter[nothing]=1").status,
        client.post("/brands", b"{").status,
        client.ask("DELETE", "/brands").status,
        read(client, profile, "HEAD").status,
        client.get("/brands").status,
    ]

    assert statuses == [404, 422, 400, 405, 200, 200]
    assert client.connection.sock is kept


def test_a_body_above_the_limit_is_refused(server: Server, client: Client):
    limit = settings.API_MAX_BODY_BYTES
    for above in (1, 3_000_000):
        body = b'{"name": "%s"}' % (b"x" * (limit - 12 + above))

        answer = server.client(new_token()).post("/brands", body)

        assert answer.status == 413
        assert answer.json == {"message": f"The body is larger than {limit} bytes."}
    assert client.get("/brands").json["meta"]["total"] == 0


def test_who_is_refused_while_still_sending_is_told_why_and_goes_on(server: Server):
    client = server.client(None)
    body = b'{"name": "Acme"}'
    client.connection.putrequest("POST", "/api/v3/brands")
    client.connection.putheader("Content-Type", "application/json")
    client.connection.putheader("Content-Length", str(len(body)))
    client.connection.endheaders()
    sleep(LONG_ENOUGH_TO_REFUSE)

    client.connection.send(body)

    refusal = client.connection.getresponse()
    assert (refusal.status, refusal.read()) == (401, b'{"message":"Unauthenticated."}')
    assert client.post("/brands", {"name": "Acme"}).status == 401


def test_a_session_of_the_admin_writes_nothing_without_its_csrf_token(
    server: Server, transactional_db: None
):
    browser = Browser()
    browser.force_login(User.objects.create(username="admin", is_staff=True, is_superuser=True))
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    anybody = server.client(None)
    assert anybody.ask("GET", "/admin/", headers=cookie).status == 200

    for path, status in (("/brands", 401), ("/admin/locations/brand/add/", 403)):
        forged = anybody.ask("POST", path, b"name=Stolen&handle=stolen&meta=[]", cookie | form)
        as_json = anybody.ask("POST", path, {"name": "Stolen", "handle": "stolen"}, cookie)

        assert (forged.status, as_json.status) == (status, status)
    assert not Brand.objects.exists()


class TestWhatIsNotTheirs:
    """Nothing tells what exists and belongs to another from what does not exist."""

    @pytest.fixture
    def other(self, client: Client) -> dict[str, str]:
        """What another profile has, by the path below a profile."""
        path = f"/profiles/{ProfileFactory().pk}"
        identity = {"handle": "card", "identifier": "1"}
        tier = client.post("/statuses", {"name": "Gold", "handle": "gold"}).data["id"]
        made = {
            "addresses": {"iso": "AU"},
            "identities": identity,
            "statuses": {"status_id": tier, "started_at": "2025-01-01"},
            "transactions": {"total": 5},
        }
        return {
            kind: str(client.post(f"{path}/{kind}", body).data["id"]) for kind, body in made.items()
        }

    def test_a_row_of_another_profile_is_as_one_that_is_not_there(
        self, client: Client, other: dict[str, str]
    ):
        own = f"/profiles/{ProfileFactory().pk}"
        for kind, key in other.items():
            path = f"{own}/{kind}" + ("/id" if kind == "identities" else "")
            for method in ("GET", "PUT", "PATCH", "DELETE"):
                body = None if method in ("GET", "DELETE") else {}
                theirs = client.ask(method, f"{path}/{key}", body)
                nobodys = client.ask(method, f"{path}/999999999", body)

                assert theirs.status == nobodys.status == 404
                assert theirs.body == nobodys.body

    def test_a_deleted_profile_is_as_one_that_is_not_there(self, client: Client):
        deleted = ProfileFactory(profile_type="deleted").pk
        for below in ("", "/aggregations", "/identities", "/transactions", "/addresses/1"):
            theirs, nobodys = (
                client.get(f"/profiles/{key}{below}")
                for key in (deleted, "00000000-0000-4000-8000-000000000000")
            )
            assert (theirs.status, theirs.body) == (404, nobodys.body)

    def test_what_another_profile_has_is_refused_without_naming_it(self, client: Client):
        owner = {
            "first_name": "Ada",
            "email": "ada@example.com",
            "mobile_phone": "+61400",
            "identities": [{"handle": "card", "identifier": "C-1"}],
        }
        key = client.post("/profiles", owner).data["id"]

        for field in ("email", "mobile_phone", "identities"):
            refused = client.post("/profiles", {field: owner[field]})

            assert refused.status == 422
            assert list(refused.json["errors"]) == [field]
            said = refused.body.decode().lower()
            assert not any(word in said for word in (key, "ada", "+61400", "c-1"))
