"""Locks on files: exclusive, private, released when the last holder closes them."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading

import pytest

from streaming import file_locks
from streaming.scraping.crawling import checkpoint
from streaming.scraping.crawling.checkpoint import Checkpoint
from streaming.scraping.supervisor.wakeup import WakeupPipe


def test_a_lock_has_one_holder_until_it_is_closed(tmp_path):
    path = tmp_path / "var" / "a.lock"
    lock = file_locks.try_lock(path)
    assert lock is not None
    assert file_locks.try_lock(path) is None
    assert file_locks.is_locked(path)
    lock.close()
    assert not file_locks.is_locked(path)


def test_the_file_is_readable_by_its_owner_alone(tmp_path):
    with file_locks.try_lock(tmp_path / "a.lock"):
        assert stat.S_IMODE((tmp_path / "a.lock").stat().st_mode) == 0o600


def test_the_holder_is_known_only_while_it_holds_the_lock(tmp_path):
    path = tmp_path / "a.lock"
    assert file_locks.holder_pid(path) is None
    with file_locks.try_lock(path) as lock:
        assert file_locks.holder_pid(path) is None
        file_locks.write_pid(lock, pid=1234567)
        assert file_locks.holder_pid(path) == 1234567
    assert file_locks.holder_pid(path) is None


@pytest.mark.slow
def test_a_child_that_inherits_the_lock_keeps_it(tmp_path):
    path = tmp_path / "a.lock"
    lock = file_locks.try_lock(path)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[lock.fileno()]) as child:
        lock.close()
        assert file_locks.is_locked(path)
        child.communicate()
    assert not file_locks.is_locked(path)


def test_who_waits_for_a_lock_gets_it_when_it_is_released(tmp_path):
    path, order = tmp_path / "a.lock", []
    lock = file_locks.try_lock(path)

    def wait():
        with file_locks.exclusive_lock(path, timeout=10):
            order.append("acquired")

    waiting = threading.Thread(target=wait)
    waiting.start()
    waiting.join(0.1)
    order.append("released")
    lock.close()
    waiting.join(10)
    assert order == ["released", "acquired"]


def test_a_file_system_without_locks_is_an_error_and_no_holder(tmp_path, monkeypatch):
    def fail(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(file_locks.fcntl, "flock", fail)
    with pytest.raises(OSError, match=os.strerror(errno.ENOLCK)):
        file_locks.try_lock(tmp_path / "a.lock")


def test_what_root_creates_belongs_to_the_owner_of_the_folder(tmp_path):
    """A command that root runs once must not lock the server out. (Anybody else creates files of his own.)"""
    owner = 65_432 if os.geteuid() == 0 else os.getuid()
    os.chown(tmp_path, owner, -1)
    with file_locks.exclusive_lock(tmp_path / "scrape" / "throttle.lock", timeout=5):
        pass
    checkpoint.write_checkpoint(tmp_path / "deep" / "er" / "discover.json", Checkpoint("tt1", 1))
    pipe = WakeupPipe(tmp_path / "pipes" / "wakeup")
    pipe.close()
    created = list(tmp_path.rglob("*"))
    assert len(created) == 6
    assert {path.stat().st_uid for path in created} == {owner}
    (tmp_path / "pipes" / "cache").mkdir()
    (tmp_path / "pipes" / "cache" / "link").symlink_to(__file__)
    before = os.stat(__file__).st_uid
    file_locks.give_to_folders_owner(tmp_path / "pipes")
    assert {path.lstat().st_uid for path in tmp_path.rglob("*")} == {owner}
    assert os.stat(__file__).st_uid == before
