"""From a chart to inline SVG.

Rules:

1. Nothing is fetched: the data is inside the specification and every address is refused.
2. The same chart gives the same bytes: identifiers come from the figure's key, not from a counter.
3. Text stays text. The drawing has a title and a description for readers who cannot see it.
4. No text from outside can stop the process: what XML cannot hold never reaches the renderer.
5. The drawing scales with its column and holds nothing that a page does not need.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import altair as alt
import vl_convert
from markupsafe import Markup

from edgeworthy.reports.theme import themed
from edgeworthy.reports.wording import plain, printable

_VEGA_LITE = "6.4"
_DROPPED = frozenset(
    {
        "aria-hidden",
        "aria-roledescription",
        "class",
        "font-family",
        "pointer-events",
        "role",
        "stroke-miterlimit",
        "version",
    }
)
_DEFAULTS = {"opacity": "1", "fill-opacity": "1", "stroke-opacity": "1", "stroke-width": "1"}
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_GEOMETRY = frozenset({"d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"})


def draw(chart: alt.LayerChart, *, key: str, title: str, description: str) -> Markup:
    """Draw a chart as one ``svg`` element for use inside a page.

    Args:
        chart: With its data inside.
        key: Unique within the page; letters, digits and dashes.
        title: What the drawing is called.
        description: What it shows, in words.
    """
    # Altair's own validation takes half the time; the renderer refuses what is not Vega-Lite.
    parts = themed(chart).to_dict(validate=False)
    specification = {name: _printable(part) for name, part in parts.items()}
    drawn = vl_convert.vegalite_to_svg(specification, vl_version=_VEGA_LITE, allowed_base_urls=[])
    # What is parsed is our own renderer's output; text from outside is escaped in it.
    root = ET.fromstring(drawn)  # noqa: S314
    _strip(root)
    _rename_identifiers(root, key)
    return _assembled(root, key, plain(title), plain(description))


def _printable(value: object) -> object:
    """The same with printable text only: the renderer would abort the process on any other."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printable(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _printable(entry) for name, entry in value.items()}
    return value


def _assembled(root: ET.Element, key: str, title: str, description: str) -> Markup:
    width, height = root.get("width", "0"), root.get("height", "0")
    svg = ET.Element(
        "svg",
        {
            "class": "chart",
            "viewBox": root.get("viewBox", f"0 0 {width} {height}"),
            "width": width,
            "height": height,
            "role": "img",
            "aria-labelledby": f"{key}-title {key}-desc",
        },
    )
    ET.SubElement(svg, "title", {"id": f"{key}-title"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{key}-desc"}).text = description
    svg.extend(list(root))
    text = ET.tostring(svg, encoding="unicode")
    return Markup(text)  # noqa: S704 - ElementTree has escaped every text in it


def _strip(element: ET.Element) -> None:
    element.tag = element.tag.rpartition("}")[2]
    for name in list(element.attrib):
        value = element.attrib[name]
        if name in _DROPPED or name.startswith("{") or _DEFAULTS.get(name) == value:
            del element.attrib[name]
        elif name in _GEOMETRY:
            element.attrib[name] = _LONG_NUMBER.sub(_rounded, value)
    for child in list(element):
        _strip(child)
        if _is_empty(child):
            element.remove(child)


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")


def _is_empty(element: ET.Element) -> bool:
    if element.tag == "path":
        return element.get("display") == "none" or element.keys() == ["d"]
    return element.tag == "g" and len(element) == 0


def _rename_identifiers(root: ET.Element, key: str) -> None:
    names: dict[str, str] = {}
    for element in root.iter():
        if "id" in element.attrib:
            names[element.attrib["id"]] = f"{key}-{len(names)}"
            element.attrib["id"] = names[element.attrib["id"]]
    for element in root.iter():
        for name, value in element.attrib.items():
            found = re.fullmatch(r"url\(#(.+)\)", value)
            if found:
                element.attrib[name] = f"url(#{names[found[1]]})"
