"""The pictures that docs/_extensions/result_pictures.py draws, and the pages that show them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_extensions"))
import result_pictures

PAGES = Path(__file__).parents[1] / "docs" / "results"


def test_each_page_of_results_opens_with_its_picture(tmp_path):
    result_pictures.draw_all(tmp_path)
    drawn = {path.stem for path in tmp_path.iterdir()}
    pages = {path.stem for path in PAGES.glob("*.rst")} - {"index", "papers"}
    assert drawn == pages | set(result_pictures.GUIDE_DRAWINGS)
    for page in pages:
        text = (PAGES / f"{page}.rst").read_text()
        before, picture, _ = text.partition(f".. figure:: /generated/pictures/{page}.png")
        assert picture
        assert "-table::" not in before


def test_the_decisions_tell_the_figures_of_the_results():
    figures = "\n".join(row[2] for row in result_pictures.decisions())
    assert "58 KEEL sets: trees 0.876, WELM 0.877, networks 0.870" in figures
    assert "spheres: trees 0.72, network 0.89, balanced SVM 0.93" in figures


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
