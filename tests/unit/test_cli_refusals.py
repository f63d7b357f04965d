"""What a verb refuses is refused in one line that names it, before anything is read or sent."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from engines import clean_environment
from exports import full_export

from opskit.cli import cli
from opskit.cli.outputs import write_text
from opskit.cli.surroundings import fault_of_place
from opskit.errors import InputError
from tests.captures import balance, entry, write_capture

NOBODY = ("--endpoint-url", "http://127.0.0.1:9", "--region", "us-east-1")
UNREAD = ("--from-items", "not-there.jsonl")
"""A source that would be told of first if it were looked at first."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in a folder of its own, without settings of the machine's."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "DDB_", "OPSKIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BILLING_TABLE_NAME", "billing")
    monkeypatch.chdir(tmp_path)


def refused(*words: str) -> str:
    """The one line a verb refuses with, which says nothing on stdout."""
    done = CliRunner().invoke(cli, list(words))
    assert isinstance(done.exception, InputError), done.output + repr(done.exception)
    assert done.stdout == ""
    assert "\n" not in str(done.exception)
    return str(done.exception)


def shell(*words: str) -> subprocess.CompletedProcess[str]:
    """A verb as a shell runs it."""
    return subprocess.run(
        [sys.executable, "-c", "from opskit.cli import main; main()", *words],
        env=clean_environment(BILLING_TABLE_NAME="billing"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize("option", ["--endpoint-url", "--region", "--profile", "--env-file"])
def test_an_empty_option_is_not_taken_for_none(option: str, empty: str) -> None:
    """`--endpoint-url "$UNSET"` must not lead to AWS itself."""
    assert refused("plan", option, empty).startswith(f"{option} is empty; ")


def test_other_empty_options() -> None:
    """An empty path is not the working folder, and an empty address no export."""
    assert refused("audit", "--from-items", "").startswith("--from-items is empty; ")
    assert refused("audit", "--from-export", "").startswith("--from-export is empty; ")


OUTPUTS = [
    (("audit",), "--html"),
    (("audit",), "--csv"),
    (("audit",), "--junit"),
    (("audit",), "--pack"),
    (("statement", "a"), "--html"),
    (("statement", "a"), "--csv"),
    (("books",), "--html"),
    (("books",), "--csv"),
    (("repair", "plan"), "--out"),
    (("sql", "SELECT 1"), "--csv"),
]


@pytest.mark.parametrize(("verb", "option"), OUTPUTS)
def test_where_nothing_can_be_written_is_told_first(
    tmp_path: Path, verb: tuple[str, ...], option: str
) -> None:
    """Neither a missing folder nor a folder for a file is found out only after the work."""
    told = refused(*verb, *UNREAD, option, "nosuch/x")
    assert told == f"{option} nosuch/x: there is no folder nosuch; make it first"
    told = refused(*verb, *UNREAD, option, str(tmp_path))
    assert told.startswith(f"{option} {tmp_path} ")


TOO_LONG = "x" * 300
TOO_DEEP = "d/" * 2_500 + "x"


@pytest.mark.parametrize("path", [TOO_LONG, TOO_DEEP], ids=["name", "path"])
@pytest.mark.parametrize(
    "words",
    [
        *((*verb, *UNREAD, option) for verb, option in OUTPUTS),
        *(("audit", *UNREAD, o) for o in ("--previous", "--waivers", "--checks-dir", "--env-file")),
        ("audit", *UNREAD, "--pseudonymise", "--pseudonym-key-file"),
        ("audit", "--from-items"),
        ("audit",),
        ("statement", "a"),
        ("verify",),
        ("books", *UNREAD, "--previous"),
        ("snapshot", *UNREAD, "--out"),
        ("demo", "--out"),
        ("run", "balance_audit", "--runs-dir"),
    ],
    ids=" ".join,
)
def test_a_path_that_is_too_long_is_one_line(words: tuple[str, ...], path: str) -> None:
    """Whatever names it: exit 2, a short line that says what to do, and nothing read or written."""
    told = refused(*words, path)
    assert "too long; name a shorter path" in told
    assert len(told) < 200
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("option", ["--html", "--pack"])
def test_room_for_the_name_a_file_has_while_it_is_written(option: str) -> None:
    """A name that fits but whose unfinished one does not is refused before the books are read."""
    assert "too long" in refused("audit", *UNREAD, option, "x" * 250)


def test_a_disk_without_room_is_no_fault_of_opskit(tmp_path: Path) -> None:
    """A scratch folder whose files would have too long a path: one line that names TMPDIR."""
    capture = write_capture(tmp_path / "items.jsonl", [balance("USER#a", owed_settled=0)])
    deep = tmp_path
    while len(str(deep)) < 4_000 - 210:
        deep = deep / ("d" * 200)
    deep = deep / ("e" * (4_062 - len(str(deep)) - 1))
    os.makedirs(deep)  # noqa: PTH103 - pathlib makes it one by one, too
    words = ("audit", "--from-items", str(capture), "--html", str(tmp_path / "page.html"))
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from opskit.cli import main; main()", *words],
            env={**clean_environment(), "TMPDIR": str(deep)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        left = list(deep.iterdir())
        shutil.rmtree(next(path for path in tmp_path.iterdir() if path.is_dir()))
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert "file name too long" in last
    assert "set TMPDIR" in last
    assert "fault in opskit" not in done.stderr
    assert left == []
    assert [path.name for path in tmp_path.iterdir()] == ["items.jsonl"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "detail of a library"), "no space left on device; free space"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found"), "set TMPDIR"),
        (duckdb.OutOfMemoryException("failed to offload data block\nmore"), "ran out of room"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), ""),
        (KeyError("x"), ""),
    ],
)
def test_which_errors_are_the_machines(error: Exception, said: str) -> None:
    """A full disk is told in a line; any other error stays a fault of opskit's own."""
    told = fault_of_place(error)
    assert said in told
    assert bool(told) == bool(said)
    assert "\n" not in told


def test_one_bad_output_leaves_no_other(tmp_path: Path) -> None:
    """A pack or a page is not left behind by a run that could not write all that was asked."""
    capture = write_capture(tmp_path / "items.jsonl", [balance("USER#a", owed_settled=0)])
    words = ("audit", "--from-items", str(capture), "--pack", "pk", "--html", "ok.html")
    assert "--csv" in refused(*words, "--csv", "nosuch/x")
    assert "both name same" in refused(*words[:3], "--html", "same", "--csv", "same")
    assert [path.name for path in tmp_path.iterdir()] == ["items.jsonl"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """A page takes the place of an earlier one, through a link too, and leaves nothing else."""
    page, link = tmp_path / "page.html", tmp_path / "link.html"
    page.write_text("earlier")
    page.chmod(0o640)
    link.symlink_to(page)
    write_text(link, "later")
    assert (page.read_text(), page.stat().st_mode & 0o777) == ("later", 0o640)
    assert link.is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_cannot_be_written_whole_leaves_the_earlier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves the earlier page as it was, and no part of the later one."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    page = tmp_path / "page.html"
    page.write_text("earlier")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        write_text(page, "later")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["earlier"]


def test_a_device_is_written_to_and_stays(capfd: pytest.CaptureFixture[str]) -> None:
    """/dev/null and /dev/stdout are no files that another may take the place of."""
    write_text(Path(os.devnull), "nothing")
    assert Path(os.devnull).is_char_device()
    write_text(Path("/dev/stdout"), "words\n")
    assert "words" in capfd.readouterr().out


def test_what_is_compared_with_is_read_first() -> None:
    """An earlier report that is not there is told before the books are read."""
    assert refused("audit", *UNREAD, "--previous", "nosuch").startswith("--previous nosuch: ")
    assert "nosuch" in refused("books", *UNREAD, "--previous", "nosuch")
    assert "--from" in refused("books", *UNREAD, "--from", "7")


@pytest.mark.parametrize("given", ["settle_window=-5", "settle_window=soon", "nosuch=1"])
def test_parameters_of_checks_are_judged_first(given: str) -> None:
    """A parameter that no check takes, or of a value it does not take, stops the run at once."""
    assert given.partition("=")[0] in refused("audit", *UNREAD, "--param", given)


def test_the_settle_window_is_given_once() -> None:
    """The option and the parameter of the same name do not override each other unseen."""
    words = ("audit", *UNREAD, "--param", "settle_window=5", "--settle-window", "6")
    assert "give one" in refused(*words)


@pytest.mark.parametrize(
    ("option", "value"),
    [*(("--read-units", v) for v in ("nan", "0", "-1", "inf")), ("--workers", "0"),
     ("--workers", "-1"), ("--segments", "0")],
)  # fmt: skip
def test_a_scan_that_cannot_be_is_refused_unsent(option: str, value: str) -> None:
    """A pace or a number of threads that is none is refused before a connection is tried."""
    told = refused("snapshot", "--out", "s", *NOBODY, option, value)
    assert told.startswith(option.removeprefix("--").replace("-", "_"))


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "soon"])
def test_a_deadline_is_a_number_of_seconds(value: str) -> None:
    """A wait without end is not asked for by a slip."""
    for verb in (("snapshot", "--out", "s"), ("audit",)):
        done = CliRunner().invoke(cli, [*verb, *NOBODY, "--deadline", value])
        assert done.exit_code == 2
        assert "--deadline" in done.output


def test_runs_cannot_be_put_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain file where run folders are to be made is named with its option or variable."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("OPSKIT_NOTEBOOKS", str(Path(__file__).parents[2] / "notebooks"))
    assert refused("demo", "--out", "file").startswith("--out file: ")
    words = ("run", "balance_audit", "-p", "source=file")
    assert refused(*words, "--runs-dir", "file").startswith("--runs-dir file: ")
    monkeypatch.setenv("OPSKIT_RUNS_DIR", str(tmp_path / "file" / "runs"))
    assert refused(*words).startswith("OPSKIT_RUNS_DIR ")


def test_two_sources_are_one_too_many(tmp_path: Path) -> None:
    """A snapshot beside captures or an export is no choice opskit makes."""
    (tmp_path / "folder").mkdir()
    for words in (
        ("statement", "a", "--snapshot", "folder", *UNREAD),
        ("statement", "a", "--from-export", "folder", *UNREAD),
        ("statement", "a", "folder", *UNREAD),
        ("audit", "folder", *UNREAD),
        ("snapshot", "--out", "s", *UNREAD, "folder"),
    ):
        assert "two sources were given" in refused(*words)


def test_a_capture_in_a_snapshots_place_and_the_reverse(tmp_path: Path) -> None:
    """Each is told how it is named."""
    (tmp_path / "items.jsonl").touch()
    assert "--from-items items.jsonl" in refused("audit", "items.jsonl")
    assert "without --from-items" in refused("audit", "--from-items", str(tmp_path))


def test_a_request_the_sdk_will_not_send_is_the_callers() -> None:
    """What was given is named, and nobody is said to have answered."""
    told = refused("export", "status", "nosucharn", *NOBODY)
    assert told == "ExportArn is not what the service takes; correct it (nothing was sent)"


@pytest.mark.parametrize("group", ["repair", "sandbox"])
def test_a_group_alone_shows_its_help(group: str) -> None:
    """The help is whole, line by line, and no error line."""
    done = shell(group)
    assert (done.returncode, done.stdout) == (2, "")
    assert "opskit:" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("  ")]) > 3


@pytest.mark.parametrize(
    ("verb", "shown"),
    [(("statement", "a"), "45"), (("sql", "SELECT count(*) AS n FROM entries"), "9"),
     (("books",), "45"), (("repair", "plan", "--table", "billing"), "")],
    ids=["statement", "sql", "books", "repair"],
)  # fmt: skip
def test_an_export_is_a_source_of_every_verb_about_books(
    tmp_path: Path, verb: tuple[str, ...], shown: str
) -> None:
    """The answer from an export is the one from a capture of the same items."""
    items = [balance("USER#a", owed_settled=45), *(entry("USER#a", n, 5) for n in range(9))]
    export = full_export(tmp_path / "export", items).seal()
    capture = write_capture(tmp_path / "items.jsonl", items)
    ask = (*verb, "--as-of", "2026-12-01")
    read = CliRunner().invoke(cli, [*ask, "--from-export", str(export.base)])
    assert read.exit_code in {0, 1}, read.output + repr(read.exception)
    same = CliRunner().invoke(cli, [*ask, "--from-items", str(capture)])
    assert (read.exit_code, shown in read.stdout) == (same.exit_code, True)
