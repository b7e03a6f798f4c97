"""The State's theme and the links at the foot: what settings give, and what a browser asks for."""

import re
from pathlib import Path

import pytest

from services.chassis.settings import WrongSetting
from services.portal.web.look import TYPE, Foot, Look, look_of
from tests.portal.site import Town
from tests.portal.test_own_settings import given

FOOT = Foot("https://m.example/mentions", None, "https://m.example/accessibilite", "partial")


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    for name in TYPE:
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


async def test_a_site_of_the_state_has_its_colours_and_its_type_from_itself(fonts: Path) -> None:
    town = Town(look=look_of("state", fonts, Foot()))
    visitor = await town.person().goes_to("/")
    assert visitor.answer is not None
    assert "font-src 'self'" in visitor.answer.headers["content-security-policy"]
    style = await visitor.client.get(town.look.style_path)
    assert "#000091" in style.text
    named = re.findall(r'url\("([^"]+)"\)', style.text)
    assert len(named) == len(TYPE)
    for path, name in zip(named, TYPE, strict=True):
        font = await visitor.client.get(path)
        assert (font.content, font.headers["content-type"]) == (name.encode(), "font/woff2")


def test_a_theme_without_type_and_another_theme_are_other_files(fonts: Path) -> None:
    looks = [Look(), look_of("state", None, Foot()), look_of("state", fonts, Foot())]
    assert len({look.style_path for look in looks}) == len(looks)
    assert not looks[1].fonts
    assert look_of("neutral", fonts, FOOT).style == Look().style


async def test_the_foot_tells_what_a_public_site_has_to_and_no_more_than_is_known() -> None:
    plain = await Town().person().goes_to("/")
    assert "Mentions légales" not in plain.says
    told = await Town(look=Look(foot=FOOT)).person().goes_to("/")
    links = {one.text: one.get("href") for one in told.page.all("footer")[0].all("a")}
    assert links["Accessibilité : partiellement conforme"] == FOOT.accessibility
    assert links["Mentions légales"] == FOOT.legal
    assert "Données personnelles" not in links


def test_settings_name_the_theme_and_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, fonts: Path
) -> None:
    found = given(monkeypatch, {"CONNECTE_THEME": "state", "CONNECTE_THEME_FONTS": str(fonts)})
    assert (found.theme, found.theme_fonts) == ("state", fonts)
    assert given(monkeypatch, {"CONNECTE_THEME_FONTS": ""}).theme_fonts is None
    (fonts / "Marianne-Bold.woff2").unlink()
    with pytest.raises(WrongSetting, match=r"CONNECTE_THEME_FONTS.*Marianne-Bold\.woff2"):
        given(monkeypatch, {"CONNECTE_THEME_FONTS": str(fonts)})
    with pytest.raises(WrongSetting, match=r"CONNECTE_THEME\b"):
        given(monkeypatch, {"CONNECTE_THEME": "pink"})
