import hashlib
import http.server
import re
import threading
from functools import partial
from pathlib import Path

import pytest

from skimbal.datasets import _sources as sources
from skimbal.exceptions import DataNotFoundError

CONTENT = b"a file of data"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ADVICE = "look elsewhere"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("SKIMBAL_CACHE", str(folder))
    return folder


class Download:
    """A stand-in for a download: writes its content, and counts."""

    def __init__(self, content=CONTENT):
        self.content = content
        self.n_calls = 0

    def __call__(self, folder):
        self.n_calls += 1
        Path(folder, "data.bin").write_bytes(self.content)


def get(download, sha256=None, trust=False):
    return sources.cached_file(
        "data.bin", download, sha256=sha256, what_to_do=ADVICE, trust_first_download=trust
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_with_a_known_checksum_is_downloaded_once(cache):
    download = Download()
    assert get(download, SHA256).read_bytes() == CONTENT
    assert get(download, SHA256) == cache / "data.bin"
    assert download.n_calls == 1
    assert names(cache) == ["data.bin"]


def test_trust_does_not_replace_a_known_checksum(cache):
    with pytest.raises(DataNotFoundError, match=f"has the SHA-256 checksum {SHA256}, but 000"):
        get(Download(), "0" * 64, trust=True)
    assert names(cache) == []


def test_without_a_known_checksum_nothing_is_downloaded_unasked(cache):
    download = Download()
    with pytest.raises(DataNotFoundError, match="pass trust_first_download=True"):
        get(download)
    assert download.n_calls == 0
    assert not cache.exists()


def test_the_first_download_is_recorded_and_any_other_file_refused(cache):
    assert get(Download(), trust=True).read_bytes() == CONTENT
    assert names(cache) == ["data.bin", "data.bin.sha256"]
    assert (cache / "data.bin.sha256").read_text() == SHA256 + "\n"
    assert get(Download()) == cache / "data.bin"
    (cache / "data.bin").write_bytes(b"changed")
    with pytest.raises(DataNotFoundError, match=f"but {SHA256} is expected; delete"):
        get(Download(), trust=True)
    assert (cache / "data.bin").read_bytes() == b"changed"


def test_a_second_download_must_be_the_first_one(cache):
    get(Download(), trust=True)
    (cache / "data.bin").unlink()
    with pytest.raises(DataNotFoundError, match="another file was served and nothing was kept"):
        get(Download(b"another"), trust=True)
    assert names(cache) == ["data.bin.sha256"]
    assert get(Download()).read_bytes() == CONTENT


def test_a_file_in_the_cache_without_a_record_is_not_used(cache):
    cache.mkdir()
    (cache / "data.bin").write_bytes(CONTENT)
    with pytest.raises(DataNotFoundError, match=r"without data\.bin\.sha256, .* look elsewhere"):
        get(Download(), trust=True)


PAGE = b"\n<!DOCTYPE html><html>Sorry.</html>"
# What is served under a name: the value of Content-Length, or None for no such header; the body.
RESPONSES = {
    "/half.bin": (str(len(CONTENT)), CONTENT[:5]),
    "/word.bin": ("abc", CONTENT),
    "/negative.bin": ("-3", CONTENT),
    "/unknown.bin": (None, CONTENT),
    "/page.bin": (str(len(PAGE)), PAGE),
    "/empty.bin": ("0", b""),
}
# Where other names lead to: addresses that are none.
REDIRECTIONS = {"/brackets.bin": "http://[bad/", "/label.bin": f"http://{'a' * 70}.example/"}
CHUNKS = {"/chunk.bin": b"-5\r\nabc"}


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path in REDIRECTIONS:
            self.send_response(302)
            self.send_header("Location", REDIRECTIONS[self.path])
            self.end_headers()
            return
        if self.path in CHUNKS:
            self.protocol_version = "HTTP/1.1"
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(CHUNKS[self.path])
            self.close_connection = True
            return
        if self.path not in RESPONSES:
            super().do_GET()
            return
        length, body = RESPONSES[self.path]
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def address(tmp_path):
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "served.bin").write_bytes(CONTENT)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_by_url(cache, address, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    download = sources.url_download(f"{address}/served.bin", "data.bin", what_to_do=ADVICE)
    assert get(download, SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("file", "sha256", "trust", "message"),
    [
        ("gone.bin", SHA256, False, r"/gone\.bin.*404.*; look elsewhere"),
        ("half.bin", None, True, "5 of 14 bytes arrived"),
        ("word.bin", SHA256, False, "14 of abc bytes arrived"),
        ("negative.bin", None, True, "14 of -3 bytes arrived"),
        ("brackets.bin", SHA256, False, "Invalid IPv6 URL"),
        ("label.bin", SHA256, False, "label empty or too long"),
        ("chunk.bin", None, True, "could not be downloaded .*; look elsewhere"),
    ],
)
def test_a_url_that_fails(file, sha256, trust, message, cache, address, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    download = sources.url_download(f"{address}/{file}", "data.bin", what_to_do=ADVICE)
    with pytest.raises(DataNotFoundError, match=re.escape(address) + f".*{message}"):
        get(download, sha256, trust)
    assert names(cache) == []


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("page.bin", r"a web page was served in place of data\.bin"),
        ("unknown.bin", r"did not say how long data\.bin is"),
        ("empty.bin", r"data\.bin was served empty"),
    ],
)
def test_a_first_download_that_is_not_the_file_is_not_recorded(
    file, message, cache, address, monkeypatch
):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    download = sources.url_download(f"{address}/{file}", "data.bin", what_to_do=ADVICE)
    with pytest.raises(DataNotFoundError, match=f"{message}.* nothing was kept; look elsewhere"):
        get(download, trust=True)
    assert names(cache) == []


def test_a_known_checksum_needs_no_length(cache, address, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    download = sources.url_download(f"{address}/unknown.bin", "data.bin", what_to_do=ADVICE)
    assert get(download, SHA256).read_bytes() == CONTENT


def test_a_first_download_is_checked_before_it_is_recorded(cache):
    def check(path):
        raise EOFError("ended early")

    options = {"sha256": None, "what_to_do": ADVICE, "trust_first_download": True}
    with pytest.raises(DataNotFoundError, match=r"data\.bin is not .*ended early.*nothing"):
        sources.cached_file("data.bin", Download(), check=check, **options)
    assert names(cache) == []


@pytest.mark.parametrize("error", [30, 28, 5, 122], ids=["read-only", "full", "broken", "quota"])
@pytest.mark.parametrize("function", ["mkdir", "write_text", "replace", "write"])
def test_a_file_system_that_refuses(function, error, cache, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(error, "refused")

    owner = sources.os if function == "replace" else sources.Path
    download = refuse if function == "write" else Download()
    if function != "write":
        monkeypatch.setattr(owner, function, refuse)
    with pytest.raises(DataNotFoundError, match=rf"{cache} can't be used .* SKIMBAL_CACHE to a wr"):
        get(download, trust=True)


def put_below_a_file(cache):
    cache.parent.joinpath("file").touch()
    return cache.parent / "file" / "cache"


def put_a_folder_in_place(cache):
    (cache / "data.bin").mkdir(parents=True)
    return cache


def put_a_folder_in_place_of_the_record(cache):
    (cache / "data.bin.sha256").mkdir(parents=True)
    return cache


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (put_below_a_file, "file/cache can't be used .* look elsewhere"),
        (put_a_folder_in_place, r"data\.bin is a folder, not a file; remove it, or look elsewhere"),
        (put_a_folder_in_place_of_the_record, "cache can't be used .* look elsewhere"),
    ],
)
def test_a_cache_that_is_no_cache(prepare, message, cache, monkeypatch):
    monkeypatch.setenv("SKIMBAL_CACHE", str(prepare(cache)))
    with pytest.raises(DataNotFoundError, match=message):
        get(Download(), trust=True)


@pytest.mark.parametrize(
    "record", [b"", b"\n", b"\xff\xfe", "\u0663".encode() * 64, b"0" * 63, b"<html>", b"\x00" * 99]
)
def test_a_record_that_is_no_checksum(record, cache):
    get(Download(), trust=True)
    (cache / "data.bin.sha256").write_bytes(record)
    with pytest.raises(DataNotFoundError, match=r"data\.bin\.sha256 holds no SHA-256 .* or look"):
        get(Download(), trust=True)


@pytest.mark.parametrize("record", [SHA256.upper(), f"{SHA256}  data.bin\n", f"\n {SHA256}\r\n"])
def test_other_ways_to_write_a_record(record, cache):
    get(Download(), trust=True)
    (cache / "data.bin.sha256").write_text(record)
    assert get(Download()).read_bytes() == CONTENT


def test_a_home_folder_that_is_unknown(monkeypatch):
    monkeypatch.setenv("SKIMBAL_CACHE", "~nobody-of-this-name/cache")
    with pytest.raises(DataNotFoundError, match=r"can't be found .* name it without ~"):
        get(Download(), SHA256)


def test_a_url_without_network(cache, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    download = sources.url_download("http://127.0.0.1:9/data.bin", "data.bin", what_to_do=ADVICE)
    with pytest.raises(DataNotFoundError, match=r"could not be downloaded .*; look elsewhere"):
        get(download, SHA256)


def test_a_cache_that_cannot_be_written(cache, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources.Path, "mkdir", refuse)
    with pytest.raises(DataNotFoundError, match="set SKIMBAL_CACHE to a writable folder"):
        get(Download(), SHA256)


def test_a_file_of_the_folder_is_compared_with_its_checksum(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(CONTENT)
    assert sources.verified_file(path, SHA256, ADVICE) == path
    with pytest.raises(DataNotFoundError, match="is expected; look elsewhere"):
        sources.verified_file(path, "0" * 64, ADVICE)


@pytest.mark.parametrize(
    ("has_folder", "name", "exists"),
    [(True, "here", True), (True, "gone", False), (False, "here", False)],
)
def test_local_files(has_folder, name, exists, tmp_path):
    (tmp_path / "here").write_text("")
    path = sources.local_file(tmp_path if has_folder else None, name)
    assert path == (tmp_path / name if exists else None)


def test_the_default_cache_is_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("SKIMBAL_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sources.cache_folder() == tmp_path / ".cache" / "skimbal"


@pytest.mark.parametrize(
    ("data_home", "environment", "folder"), [(None, "a", "a"), ("b", "a", "b"), (None, "", None)]
)
def test_data_home_comes_before_the_environment(
    data_home, environment, folder, tmp_path, monkeypatch
):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.setenv("SKIMBAL_DATA", environment and str(tmp_path / environment))
    found = sources.data_folder(data_home and tmp_path / data_home)
    assert found == (folder and tmp_path / folder)


def test_a_folder_in_place_of_a_local_file(tmp_path):
    (tmp_path / "here").mkdir()
    with pytest.raises(DataNotFoundError, match="here is a folder, but a file is expected there"):
        sources.local_file(tmp_path, "here")


@pytest.mark.parametrize("target", ["nowhere", "here"])
def test_a_link_to_no_file(target, tmp_path):
    (tmp_path / "here").symlink_to(target)
    with pytest.raises(DataNotFoundError, match="here is a link to no file; correct or remove"):
        sources.local_file(tmp_path, "here")


@pytest.mark.parametrize("error", [13, 5, 36], ids=["permission", "broken", "long name"])
def test_a_folder_that_cannot_be_looked_into(error, tmp_path, monkeypatch):
    def refuse(path, **options):
        raise OSError(error, "refused", str(path))

    monkeypatch.setattr(sources.Path, "stat", refuse)
    for look in (lambda: sources.data_folder(tmp_path), lambda: sources.local_file(tmp_path, "a")):
        with pytest.raises(DataNotFoundError, match=r"can't be read .*; make its folder readable"):
            look()


def test_a_file_that_may_not_be_read():
    with (
        pytest.raises(DataNotFoundError, match=r"^a can't be read .*; make it readable, or look$"),
        sources.reading("a", "look"),
    ):
        raise PermissionError(13, "refused")


@pytest.mark.parametrize("data_home", [5, b"folder", ["folder"]])
def test_a_data_home_that_is_no_path(data_home):
    with pytest.raises(ValueError, match=r"data_home=.* is not usable; give the path of a folder"):
        sources.data_folder(data_home)


@pytest.mark.parametrize("name", ["data_home", "SKIMBAL_DATA"])
def test_a_named_folder_that_is_not_there(name, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    monkeypatch.setenv("SKIMBAL_DATA", str(gone))
    with pytest.raises(DataNotFoundError, match=rf"{name} names '.*gone', which is not a folder"):
        sources.data_folder(gone if name == "data_home" else None)
