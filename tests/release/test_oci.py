from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeworthy.release import oci
from edgeworthy.release.oci import artifact_type, build_config, describe
from release.builders import manifest_of, released

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "release-format.md"


@pytest.mark.parametrize(
    "media_type", [value for name, value in vars(oci).items() if name.endswith("_MEDIA_TYPE")]
)
def test_every_media_type_is_on_the_page(media_type: str) -> None:
    assert f"`{media_type}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", [value for name, value in vars(oci).items() if name.endswith("_ANNOTATION")]
)
def test_every_annotation_but_the_tag_is_on_the_page(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"`{name}`" in page or name == oci.REFERENCE_ANNOTATION


@pytest.mark.parametrize(
    "text", ["", "urn:edgeworthy::v1", "urn:edgeworthy:a:v", "https://slsa.dev/provenance/v1"]
)
def test_a_foreign_predicate_has_no_media_type(text: str) -> None:
    assert artifact_type(text) == ""


def test_the_configuration_says_only_what_is_known() -> None:
    manifest = manifest_of(released("int8", b"model", "gateway"))
    layer = describe(b"model", oci.MODEL_MEDIA_TYPE, annotations={oci.TITLE_ANNOTATION: "a"})
    assert layer.title() == "a"
    config = json.loads(build_config(manifest, [layer]))
    assert config["config"]["Labels"]["org.opencontainers.image.title"] == "keywords"
    assert config["rootfs"]["diff_ids"] == [layer.digest]
