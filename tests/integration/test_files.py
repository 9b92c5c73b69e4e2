"""Who may, lists, deletes: the questions to the API that need no particular web server."""

import json
import signal
import threading
import time
import uuid

import pytest
from fcgi import Client
from instance import DATA, on_fronts, wait_for
from rawhttp import Connection

pytestmark = on_fronts("nginx")
PICTURE = (DATA / "pictures" / "plain.jpg").read_bytes()


def refused(answer, status, slug):
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:problem-type:sluice:{slug}"
    return answer.json()


@pytest.fixture
def account(sluice):
    """account() makes one and gives a token of it; .name is its name."""

    def make(*flags):
        name = "u" + uuid.uuid4().hex[:10]
        sluice.admin("account", "add", name, *flags)
        return name, sluice.admin("token", "add", name).stdout.strip()

    return make


# ---- who may -----------------------------------------------------------------------------------


def test_new_account_can_upload_and_sees_only_its_own(sluice, account):
    _, token = account()
    sluice.upload("not_yours.txt", b"x\n")
    file = sluice.upload("own.txt", b"x\n", token=token)
    assert [f["id"] for f in sluice.get("/api/files", token=token).json()["files"]] == [file["id"]]


def test_admin_sees_all(sluice, account):
    name, token = account()
    file = sluice.upload("for_admin.txt", b"x\n", token=token)
    assert sluice.get(f"/api/files/{file['id']}", token="admin").json()["id"] == file["id"]
    listed = sluice.get("/api/files?q=for_admin", token="admin").json()["files"]
    assert [f["id"] for f in listed] == [file["id"]]
    assert sluice.delete(f"/api/files/{file['id']}", token="admin").status_code == 204


def test_someone_elses_file_is_404_in_every_way(sluice, account):
    _, token = account()
    file = sluice.upload("secret.txt", b"x\n", token=token)
    assert sluice.get("/api/files?q=secret.txt").json()["files"] == []
    for method, path in (("GET", f"/api/files/{file['id']}"), ("DELETE", f"/api/files/{file['id']}"),
                         ("GET", file["downloadUrl"]), ("HEAD", file["downloadUrl"]),
                         ("GET", f"/api/files/{file['id']}/thumbnail/small")):
        assert sluice.request(method, path).status_code == 404
    assert sluice.get(file["downloadUrl"], token=token).status_code == 200


def test_token_that_is_missing_bad_or_cut_is_401(sluice):
    cut = sluice.token[:-1]
    other = sluice.token[:-1] + ("0" if sluice.token[-1] != "0" else "1")
    for token in (None, "x", "slu_", cut, other, sluice.token + "0", sluice.token.upper()):
        refused(sluice.get("/api/files", token=token), 401, "unauthorized")
    for value in ("Basic dXNlcjpwYXNz", "Bearer", "Bearer ", f"Bearer{sluice.token}"):
        answer = sluice.get("/api/files", token=None, headers={"Authorization": value})
        refused(answer, 401, "unauthorized")


def test_bad_token_is_401_even_where_none_is_needed(sluice, service):
    direct = service(sluice, set={"upload.anonymous": "yes"})
    assert direct.request("PUT", "/api/upload/a.txt", b"x\n", token=None).status == 201
    assert direct.request("PUT", "/api/upload/a.txt", b"x\n", token="slu_bad").status == 401


def test_revoked_token_is_401(sluice, account):
    name, token = account()
    assert sluice.get("/api/files", token=token).status_code == 200
    rows = json.loads(sluice.admin("token", "list", name, "--json").stdout)
    key = (rows if isinstance(rows, list) else rows["rows"])[0]["keyId"]
    sluice.admin("token", "revoke", key)
    refused(sluice.get("/api/files", token=token), 401, "unauthorized")


def test_expired_token_is_401(sluice, account):
    name, _ = account()
    token = sluice.admin("token", "add", name, "--ttl", "1s").stdout.strip()
    assert sluice.get("/api/files", token=token).status_code == 200
    wait_for(lambda: sluice.get("/api/files", token=token).status_code == 401, timeout=5,
             what="the token to expire")


def test_disabled_account_is_401_and_enabled_again_is_not(sluice, account):
    name, token = account()
    sluice.admin("account", "disable", name)
    refused(sluice.get("/api/files", token=token), 401, "unauthorized")
    sluice.admin("account", "enable", name)
    assert sluice.get("/api/files", token=token).status_code == 200


def test_token_is_stored_hashed_only(sluice):
    [[dump]] = sluice.sql("SELECT string_agg(t::text, ' ') FROM sluice.token t")
    assert sluice.token not in dump
    assert sluice.token[21:] not in dump  # the secret, which may hold "_" too
    for program in ("sluice-fcgi", "sluice-worker", "front", "front-error", "front-access"):
        assert sluice.token not in sluice.log(program)


def test_anonymous_upload_only_when_switched_on(sluice, service):
    refused(sluice.put("/api/upload/a.txt", data=b"x\n", token=None), 401, "unauthorized")
    direct = service(sluice, set={"upload.anonymous": "yes"})
    file = direct.upload("anonymous.txt", b"x\n", token=None)
    assert direct.request("GET", f"/api/files/{file['id']}", token=None).status == 200
    assert direct.request("GET", file["downloadUrl"], token=None).status == 200
    # nobody can list or delete it, but an administrator
    assert direct.request("GET", "/api/files", token=None).status == 401
    assert direct.request("DELETE", f"/api/files/{file['id']}", token=None).status == 401
    assert direct.request("DELETE", f"/api/files/{file['id']}").status == 404
    # where anonymous is off it is nobody's to see
    assert sluice.get(f"/api/files/{file['id']}").status_code == 404
    assert direct.request("DELETE", f"/api/files/{file['id']}", token="admin").status == 204


def remote(direct, user, **args):
    return direct.request("PUT", "/api/upload/r.txt", b"x\n", REMOTE_USER=user, **args)


def test_remote_user_is_ignored_when_off(sluice, service):
    direct = service(sluice)
    assert remote(direct, "user", token=None).status == 401


def test_remote_user_of_an_existing_account(sluice, service):
    direct = service(sluice, set={"auth.remote_user": "existing"})
    assert remote(direct, "user", token=None).status == 201
    assert remote(direct, "stranger", token=None).status == 403
    assert remote(direct, "no such\nname", token=None).status == 403
    assert sluice.sql("SELECT 1 FROM sluice.account WHERE name = 'stranger'") == []
    # a token that is sent counts, not the web server's user
    assert remote(direct, "stranger").status == 201
    assert remote(direct, "user", token="slu_bad").status == 401


def test_remote_user_makes_an_account_when_configured(sluice, service):
    direct = service(sluice, set={"auth.remote_user": "create"})
    assert remote(direct, "newcomer@example.org", token=None).status == 201
    assert remote(direct, "newcomer@example.org", token=None).status == 201
    rows = sluice.sql("SELECT a.admin, count(*) FROM sluice.account a JOIN sluice.file f"
                      " ON f.account_id = a.id WHERE a.name = 'newcomer@example.org' GROUP BY 1")
    assert rows == [["f", "2"]]
    sluice.admin("account", "disable", "newcomer@example.org")
    assert remote(direct, "newcomer@example.org", token=None).status == 403


# ---- lists -------------------------------------------------------------------------------------


def test_pages_by_cursor_have_no_gap_and_no_duplicate(sluice, account):
    _, token = account()
    ids = [sluice.upload(f"page{i}.txt", b"x\n", token=token)["id"] for i in range(25)]
    for limit in (1, 7, 25, 1000):
        got, cursor, pages = [], None, 0
        while True:
            path = f"/api/files?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
            page = sluice.get(path, token=token).json()
            assert len(page["files"]) <= limit
            got += [f["id"] for f in page["files"]]
            cursor = page["nextCursor"]
            pages += 1
            if not cursor:
                break
        assert got == ids[::-1], limit
        assert pages == -(-25 // limit)


def test_page_does_not_shift_when_files_come_in(sluice, account):
    _, token = account()
    ids = [sluice.upload(f"s{i}.txt", b"x\n", token=token)["id"] for i in range(6)]
    page = sluice.get("/api/files?limit=3", token=token).json()
    sluice.upload("late.txt", b"x\n", token=token)
    rest = sluice.get(f"/api/files?limit=3&cursor={page['nextCursor']}", token=token).json()
    assert [f["id"] for f in page["files"] + rest["files"]] == ids[::-1]
    assert rest["nextCursor"] is None


def test_type_and_name_filters(sluice, account):
    _, token = account()
    sluice.upload("Plan A.txt", b"x\n", token=token)
    sluice.upload("table.csv", b"a,b\n1,2\n", token=token)
    sluice.upload("photo_100%.jpg", PICTURE, token=token)

    def names(query):
        answer = sluice.get(f"/api/files?{query}", token=token)
        assert answer.status_code == 200, answer.text
        return [f["name"] for f in answer.json()["files"]]

    assert names("type=text/plain") == ["Plan A.txt"]
    assert names("type=text/*") == ["table.csv", "Plan A.txt"]
    assert names("type=image/jpeg") == ["photo_100%.jpg"]
    assert names("q=PLAN%20a") == ["Plan A.txt"]
    # what is special in SQL patterns is not in a name
    assert names("q=%25") == ["photo_100%.jpg"]
    assert names("q=_") == ["photo_100%.jpg"]
    assert names("q=%5C") == []
    assert names("q='%20OR%201=1--") == []
    assert names("type=image/*&q=plan") == []


@pytest.mark.parametrize("query", [
    "limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1e2", "limit=%201",
    "limit=99999999999999999999", "cursor=x", "cursor=", "cursor=" + "A" * 31, "cursor=" + "!" * 32,
    "type=x", "type=/", "type=text/", "type=*/*x", "q=" + "x" * 256, "q=%ff", "q=%00",
    "limit=1&limit=2", "=x"])
def test_malformed_query_is_400(sluice, query):
    assert len(refused(sluice.get(f"/api/files?{query}"), 400, "bad-request")["detail"]) > 5


def test_broken_escapes_are_400(sluice):
    for path in ("/api/files?q=%zz", "/api/files?q=%", "/api/files/%zz", "/api/files/%00"):
        with Connection(sluice) as c:
            status, headers, body = c.head("GET", path).answer()
            assert status == 400, (path, status, body)
            assert json.loads(body)["status"] == 400


@pytest.mark.parametrize("text", [
    "42", "x", "6f0d3f434f0e4b83a6be0c1a0f3c1f0e", "6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0",
    "6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0e0", "%2e%2e", "6f0d3f43_4f0e_4b83_a6be_0c1a0f3c1f0e",
    "{6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0e}", "'"])
def test_malformed_identifier_is_400(sluice, text):
    for path in ("/api/files/{}", "/api/download/{}", "/api/files/{}/thumbnail"):
        answer = sluice.get(path.format(text), checked=False)
        assert answer.status_code == 400, (text, answer.text)
    assert sluice.delete(f"/api/files/{text}", checked=False).status_code == 400


def test_unknown_identifier_is_404(sluice):
    refused(sluice.get(f"/api/files/{uuid.uuid4()}"), 404, "not-found")
    refused(sluice.delete(f"/api/files/{uuid.uuid4()}"), 404, "not-found")


def test_options_tells_the_methods(sluice):
    answer = sluice.request("OPTIONS", "/api/files", token=None)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


# ---- what is said ------------------------------------------------------------------------------


def test_long_path_leaves_room_for_its_status_in_the_log(sluice):
    refused(sluice.get("/api/" + "%1B" * 1500), 404, "not-found")
    wait_for(lambda: [line for line in sluice.log_lines() if " GET /api/%1B%1B" in line
                      and "... 404 0 bytes in" in line], timeout=5, what="the whole line")


@pytest.mark.parametrize("name, value", [("Content-Type", "text/plain; x"),
                                         ("Content-Disposition", "attachment; x")],
                         ids=["type", "disposition"])
def test_a_bad_header_is_named_once(sluice, name, value):
    answer = sluice.post("/api/upload", data=b"x\n", headers={name: value})
    assert refused(answer, 400, "bad-request")["detail"].count(name) == 1


# ---- delete ------------------------------------------------------------------------------------


def traces(sluice, file_id):
    return [p for part in ("files", "thumbnails", "incoming") for p in sluice.stored(part)
            if file_id in p.name]


def test_second_delete_is_404(sluice):
    file = sluice.upload("twice.txt", b"x\n")
    assert sluice.delete(f"/api/files/{file['id']}").status_code == 204
    refused(sluice.delete(f"/api/files/{file['id']}"), 404, "not-found")
    assert traces(sluice, file["id"]) == []


def test_delete_takes_up_what_an_earlier_one_left(sluice, expect_log):
    expect_log("not complete, another DELETE goes on")
    file = sluice.upload("resists.jpg", PICTURE)
    sluice.thumbnail(file["id"])
    url = f"/api/files/{file['id']}"
    shard = next(p for p in traces(sluice, file["id"]) if p.parts[-4] == "thumbnails").parent
    shard.chmod(0o1550)
    try:
        refused(sluice.delete(url), 500, "internal")
        assert traces(sluice, file["id"]) != []
        refused(sluice.get(url), 404, "not-found")
    finally:
        shard.chmod(0o1750)
    assert sluice.delete(url).status_code == 204
    assert traces(sluice, file["id"]) == []
    refused(sluice.delete(url), 404, "not-found")


def test_delete_while_the_thumbnail_is_being_made_leaves_nothing(sluice):
    ids = []
    for delay in (0, 0.01, 0.03, 0.06, 0.1, 0.15):
        file = sluice.upload("race.jpg", PICTURE)
        ids.append(file["id"])
        time.sleep(delay)
        assert sluice.delete(f"/api/files/{file['id']}").status_code == 204

    def quiet():
        return not sluice.sql("SELECT 1 FROM sluice.job WHERE file_id IN ('%s')" % "','".join(ids))

    wait_for(quiet, what="the jobs to end")
    for file_id in ids:
        assert traces(sluice, file_id) == []
        assert sluice.sql(f"SELECT 1 FROM sluice.file WHERE id = '{file_id}'") == []
        assert sluice.sql(f"SELECT 1 FROM sluice.rendition WHERE file_id = '{file_id}'") == []


def test_job_of_a_file_deleted_while_the_worker_sleeps_is_cancelled(sluice):
    worker = sluice.pid("worker")
    sluice.signal("worker", signal.SIGSTOP)
    try:
        file = sluice.upload("gone.jpg", PICTURE)
        assert sluice.delete(f"/api/files/{file['id']}").status_code == 204
    finally:
        sluice.signal("worker", signal.SIGCONT)
    assert sluice.pid("worker") == worker
    rows = sluice.sql(f"SELECT state FROM sluice.job_history WHERE file_id = '{file['id']}'")
    assert rows == [["cancelled"]]
    assert traces(sluice, file["id"]) == []


def test_of_deletes_at_the_same_time_one_wins(sluice):
    file = sluice.upload("many.txt", b"x\n")
    statuses = []

    def delete():
        statuses.append(sluice.delete(f"/api/files/{file['id']}").status_code)

    threads = [threading.Thread(target=delete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {204, 404} and 204 in statuses
    assert traces(sluice, file["id"]) == []


def test_download_that_runs_survives_the_delete(sluice, service):
    data = b"0123456789abcdef" * (1 << 18)
    direct = service(sluice, set={"download.method": "stream"})
    file = sluice.upload("big.txt", data)
    with Client(direct.socket) as client:
        client.begin().params(direct.environment("GET", file["downloadUrl"])).stdin_end()
        first = client.read_record()
        assert sluice.delete(f"/api/files/{file['id']}").status_code == 204
        rest = client.response()
    assert rest.complete
    assert (first[2] + rest.stdout).endswith(data[-65536:])
