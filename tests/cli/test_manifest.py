"""`orosync manifest`: printed or written, refused with a remedy, and without any configuration."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orosync.bootstrap.product_files import manifest_for
from orosync.cli import program

URL = "https://sync.example.com"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["manifest", *arguments])


def test_the_manifest_is_printed_and_nothing_else() -> None:
    result = run("--base-url", URL)
    assert (result.exit_code, result.stdout, result.stderr) == (0, manifest_for(URL), "")


def test_the_manifest_is_written_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "manifest.xml"
    result = run("--base-url", f"{URL}/", "--name", "Söhne & Co", "-o", str(file))
    assert result.exit_code == 0
    assert str(file) in result.stdout
    assert file.read_text(encoding="utf-8") == manifest_for(URL, name="Söhne & Co")


@pytest.mark.parametrize("url", ["http://sync.example.com", "sync.example.com", "https://a b"])
def test_an_address_outlook_would_not_load_from_is_bad_input(url: str, tmp_path: Path) -> None:
    file = tmp_path / "manifest.xml"
    result = run("--base-url", url, "-o", str(file))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --base-url: ")
    assert "https://sync.example.com" in result.stderr
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    result = run("--base-url", URL, "-o", str(tmp_path / "nowhere" / "manifest.xml"))
    assert result.exit_code == 2
    assert "--output" in result.stderr
    assert "Name another file." in result.stderr


def test_without_an_address_the_usage_is_told() -> None:
    result = run()
    assert result.exit_code == 2
    assert "--base-url" in result.stderr


def test_it_needs_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OROSYNC_DATABASE_URL", "nonsense")
    assert run("--base-url", URL).exit_code == 0
