"""Runs and sources on a real S3 server of this computer: the manifest is the commit."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest
from small import small_country

import smallarea as sa
from smallarea.errors import InputError
from smallarea.run.remote import pull, push

moto_server = pytest.importorskip("moto.server")
fsspec = pytest.importorskip("fsspec")
s3fs = pytest.importorskip("s3fs")


@pytest.fixture(scope="module")
def storage() -> Iterator:
    """The file system of an empty server, by its environment as a user would name it."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()  # of a server that another test had
        files = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
        files.mkdir("kept")
        yield files
    server.stop()


def test_a_run_comes_back_as_it_was(finished, storage, tmp_path):
    told: list[float] = []
    url = push(finished, "s3://kept/runs", lambda what, share: told.append(share))
    assert url == f"s3://kept/runs/{finished.folder.name}"
    assert told == sorted(told)
    back = pull(url, tmp_path)
    assert back == tmp_path / finished.folder.name
    run = sa.Run(back)
    assert run.manifest == finished.manifest
    run.require_intact()
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (back, *back.rglob("*"))}
    assert modes == {0o700, 0o600}
    assert push(finished, "s3://kept/runs") == url  # nothing to do
    with pytest.raises(InputError, match="it exists already"):
        pull(url, tmp_path)


def test_a_push_that_was_cut_off_is_no_run(finished, storage, tmp_path, monkeypatch):
    put, left = type(storage)._put_file, iter(range(3))

    async def cut(self, *args, **kwargs):
        if next(left, None) is None:
            raise ConnectionResetError("the line is cut")
        return await put(self, *args, **kwargs)

    monkeypatch.setattr(type(storage), "_put_file", cut)
    type(storage).clear_instance_cache()  # instances bind their methods when they are made
    with pytest.raises(InputError, match="the storage refuses: the line is cut"):
        push(finished, "s3://kept/cut")
    monkeypatch.undo()
    type(storage).clear_instance_cache()
    url = f"s3://kept/cut/{finished.folder.name}"
    assert len(storage.find(url)) == 3
    with pytest.raises(InputError, match=r"no finished run is there\. if its push was interrupted"):
        pull(url, tmp_path)
    push(finished, "s3://kept/cut")
    assert sa.Run(pull(url, tmp_path)).manifest == finished.manifest


@pytest.mark.parametrize(
    ("name", "said"), [("estimates.csv", "not what was"), ("map.html", "miss")]
)
def test_what_was_changed_there_is_refused_whole(finished, storage, tmp_path, name, said):
    url = push(finished, f"s3://kept/{name}")
    if said == "miss":
        storage.rm_file(f"{url}/{name}")
    else:
        storage.pipe_file(f"{url}/{name}", storage.cat_file(f"{url}/{name}") + b"1")
    with pytest.raises(InputError, match=f"not what was pushed: {name} is {said}"):
        pull(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_run_of_that_name_is_not_replaced(finished, storage):
    url = push(finished, "s3://kept/taken")
    storage.pipe_file(f"{url}/manifest.json", b"{}")
    with pytest.raises(InputError, match="another run of that name is there"):
        push(finished, "s3://kept/taken")


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b'{"outputs": {"../out": "0"}}', b'{"outputs": {"/out": ""}}']
)
def test_a_manifest_that_leads_elsewhere_is_refused(storage, tmp_path, manifest):
    storage.pipe_file("kept/odd/run/manifest.json", manifest)
    with pytest.raises(InputError, match=r"manifest\.json is no run's"):
        pull("s3://kept/odd/run", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_reads_its_sources_from_there(finished, storage, tmp_path):
    project = small_country(tmp_path / "project")
    for name in ("books.csv", "towns.csv"):
        path = project.root / "data" / name
        storage.pipe_file(f"kept/sources/{name}", path.read_bytes())
        path.unlink()
    run = project.run("s3://kept/sources")
    assert run.manifest["outputs"] == finished.manifest["outputs"]
    with pytest.raises(InputError, match="none of the declared files is there"):
        project.run("s3://kept/nothing")


def test_storage_that_refuses_is_one_sentence(finished, storage, tmp_path):
    with pytest.raises(InputError, match="the storage refuses"):
        push(finished, "s3://no-such-bucket/runs")
    with pytest.raises(InputError, match="no finished run is there"):
        pull("s3://kept/never", tmp_path)
    with pytest.raises(InputError, match="this storage cannot be reached"):
        push(finished, "nosuch://kept")
