"""The colours of pages and letters: text can be read by daylight and in dark mode (4.5 to 1)."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "services/chassis/http/page.html").read_text(encoding="utf-8")
LETTER = "".join(
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "services/notify/templates").glob("*.html.jinja"))
)
MODES = re.findall(r":root \{([^}]*)\}", PAGE)
TEXT_ON = {
    "text": ("ground", "surface"),
    "muted": ("ground", "surface"),
    "action": ("ground",),
    "bad": ("ground", "surface"),
    "on-action": ("action",),
}


def light(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["daylight", "dark"])
def test_text_on_a_page_stands_out(mode: int) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", MODES[mode]))
    for text, grounds in TEXT_ON.items():
        for ground in grounds:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["line"], colours["ground"]) >= 3
    assert contrast(colours["focus"], colours["ground"]) >= 3


def test_text_in_a_letter_stands_out_in_both_modes() -> None:
    for style in re.findall(r'style="([^"]*)"', LETTER):
        found = dict(re.findall(r"(?<![-\w])(color|background):(#[0-9a-f]{6})", style))
        ground = found.get("background", "#ffffff")
        assert contrast(found.get("color", "#1e1e1e"), ground) >= 4.5, style
    [dark] = re.findall(r"dark\) \{(.*?)\n\}\n", LETTER, re.DOTALL)
    for rule in dark.splitlines():
        found = dict(re.findall(r"(?<![-\w])(color|background): (#[0-9a-f]{6})", rule))
        if found:
            ground = found.get("background", "#161616")
            assert contrast(found.get("color", "#ececec"), ground) >= 4.5, rule
