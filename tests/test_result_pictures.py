"""The pictures of the pages of results: docs/_extensions/result_pictures.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_extensions"))
import result_pictures

PAGES = Path(__file__).parents[1] / "docs" / "results"


def test_each_page_of_results_opens_with_its_picture(tmp_path):
    result_pictures.draw_all(tmp_path)
    drawn = {path.stem for path in tmp_path.iterdir()}
    pages = {path.stem for path in PAGES.glob("*.rst")} - {"index"}
    assert drawn == pages | set(result_pictures.GUIDE_DRAWINGS)
    for page in pages:
        text = (PAGES / f"{page}.rst").read_text()
        before, picture, _ = text.partition(f".. figure:: /generated/pictures/{page}.png")
        assert picture
        assert ".. csv-table" not in before


def test_the_guide_has_its_pictures():
    guide = "".join(path.read_text() for path in (PAGES.parent / "guide").glob("*.rst"))
    for name in result_pictures.GUIDE_DRAWINGS:
        assert f"/generated/pictures/{name}.png" in guide


def test_the_losses_are_compared_with_cross_entropy():
    gains = result_pictures.gains_over_cross_entropy()
    watch = gains["watch"]
    assert watch["LDAM-DRW"] == 5.7
    cifar = gains["CIFAR-10,\ncut to 20 %"]
    assert round(cifar["weighted cross entropy"], 1) == 12.5  # 43.5 - 31.0
