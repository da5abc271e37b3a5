"""Archives, templates and definitions, before anything is deployed."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from retrain.localcloud import definitions, packaging, template
from retrain.localcloud.errors import DeployError
from retrain.localcloud.repairs.lambda_packages import closure, runtime_folder


def names(archive: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


class TestArchives:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "function"
        (folder / "package" / "__pycache__").mkdir(parents=True)
        (folder / "app.py").write_text("x = 1\n")
        (folder / "package" / "__init__.py").write_text("")
        (folder / "package" / "__pycache__" / "x.pyc").write_bytes(b"1")
        return folder

    def test_the_same_files_make_the_same_bytes(self, folder: Path) -> None:
        first = packaging.zip_folder(folder)
        os.utime(folder / "app.py", (0, 0))
        assert packaging.zip_folder(folder) == first
        assert names(first) == ["app.py", "package/__init__.py"]

    @pytest.mark.parametrize(("target", "prefix"), [("python", "python/"), ("", "")])
    def test_packages_are_installed_once(
        self, folder: Path, tmp_path: Path, target: str, prefix: str
    ) -> None:
        (folder / "requirements.txt").write_text(f"{wheel(tmp_path)}\n")
        said: list[str] = []
        options = {"requirements_to": target, "cache": tmp_path / "cache", "on_progress": said.append}
        first = packaging.package(folder, **options)  # type: ignore[arg-type]
        assert packaging.package(folder, **options) == first  # type: ignore[arg-type]
        assert len(said) == 1
        assert f"{prefix}tiny_package.py" in names(first)
        assert ("app.py" in names(first)) is (target == "")

    def test_a_package_that_pip_cannot_install(self, folder: Path, tmp_path: Path) -> None:
        (folder / "requirements.txt").write_text(f"{tmp_path}/nothing-1-py3-none-any.whl\n")
        with pytest.raises(DeployError, match=r"(?s)pip could not install .*requirements.txt:.*nothing-1"):
            packaging.package(folder, requirements_to="", cache=tmp_path / "c", on_progress=lambda _: None)


def wheel(folder: Path) -> Path:
    """A package that needs no network."""
    path = folder / "tiny_package-1-py3-none-any.whl"
    files = {
        "tiny_package.py": b"x = 1\n",
        "tiny_package-1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-package\nVersion: 1\n",
        "tiny_package-1.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip('=')},{len(body)}\n"
        for name, body in files.items()
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in {**files, "tiny_package-1.dist-info/RECORD": record.encode()}.items():
            archive.writestr(name, body)
    return path


class TestRuntimePackages:
    def test_boto3_and_what_it_needs(self, tmp_path: Path) -> None:
        found = {path.name for path in runtime_folder(tmp_path / "runtime").iterdir()}
        assert {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3"} <= found
        assert not {"numpy", "ministack", "retrain", "pytest"} & found
        assert "boto3" in {distribution.name for distribution in closure()}


class TestTemplates:
    def test_short_forms_become_long_ones(self, tmp_path: Path) -> None:
        path = tmp_path / "template.yaml"
        path.write_text(
            "Resources:\n"
            "  A:\n"
            "    Type: T\n"
            "    Properties:\n"
            "      ref: !Ref B\n"
            "      part: !GetAtt B.Outputs.C\n"
            "      text: !Sub '${B}/*'\n"
            "      list: !Join ['-', [a, !Ref B]]\n"
            "      one: !If [Cond, 1, !Ref AWS::NoValue]\n"
            "      date: 2012-10-17\n"
        )
        assert template.load_template(path)["Resources"]["A"]["Properties"] == {
            "ref": {"Ref": "B"},
            "part": {"Fn::GetAtt": ["B", "Outputs.C"]},
            "text": {"Fn::Sub": "${B}/*"},
            "list": {"Fn::Join": ["-", ["a", {"Ref": "B"}]]},
            "one": {"Fn::If": ["Cond", 1, {"Ref": "AWS::NoValue"}]},
            "date": "2012-10-17",
        }

    @pytest.mark.parametrize(
        "overrides",
        [
            '''"A=1 B='two words' C=x=y"''',
            """["A=1", "B='two words'", 'C="x=y"']""",
            '''"ParameterKey=A,ParameterValue=1 'ParameterKey=B,ParameterValue=two words' C=x=y"''',
            """{A = 1, B = "two words", C = "x=y"}""",
        ],
    )
    def test_samconfig(self, tmp_path: Path, overrides: str) -> None:
        (tmp_path / "samconfig.toml").write_text(
            f"[local.deploy.parameters]\nparameter_overrides = {overrides}\n"
        )
        assert template.configured_parameters(tmp_path) == {"A": "1", "B": "two words", "C": "x=y"}
        assert template.configured_parameters(tmp_path, "prod") == {}

    def test_no_samconfig(self, tmp_path: Path) -> None:
        assert template.configured_parameters(tmp_path) == {}

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[local", "no valid TOML"),
            ('[local.deploy.parameters]\nparameter_overrides="A"', "'A'"),
            # What the SAM CLI would take as A=two, without a word about the rest.
            ('[local.deploy.parameters]\nparameter_overrides=["A=two words"]', "'words'"),
            ('[local.deploy.parameters]\nparameter_overrides=["A=\'two"]', "No closing quotation"),
        ],
    )
    def test_a_bad_samconfig(self, tmp_path: Path, text: str, words: str) -> None:
        (tmp_path / "samconfig.toml").write_text(text)
        with pytest.raises(DeployError, match=words):
            template.configured_parameters(tmp_path)


class TestDefinitions:
    def test_substitution(self) -> None:
        text = '{"a": "${Text}", "b": ${Number}, "c": "${Later}", "d": "${Unknown}", "e": ${Yes}}'
        values = {"Text": "t", "Number": 3, "Later": {"Fn::GetAtt": ["F", "Arn"]}, "Yes": True}
        filled = definitions.substitute(text, values)
        assert filled.startswith('{"a": "t", "b": 3, "c": "arn:aws:placeholder:')
        assert filled.endswith('"d": "${Unknown}", "e": true}')

    @pytest.mark.parametrize(
        ("definition", "problem"),
        [
            ("{", "INVALID_JSON_DESCRIPTION"),
            ("[]", "Definition must be a valid JSON object"),
            (
                '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}',
                "Missing 'Next' target: B at /States/A/Next",
            ),
            (
                '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true, "Nxt": "B"}}}',
                "'Nxt' is not supported; did you mean 'Next'?",
            ),
        ],
    )
    def test_problems(self, definition: str, problem: str) -> None:
        assert any(problem in found for found in definitions.problems(definition))

    def test_a_good_one_has_none(self) -> None:
        assert definitions.problems('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}') == []
