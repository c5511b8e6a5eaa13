"""Configuration of the documentation site; `make docs` builds it with warnings as errors."""

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch or NumPy
os.environ["MPLBACKEND"] = "Agg"

import skimbal

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "skimbal"
author = "the skimbal developers"
project_copyright = author
version = release = skimbal.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "markdown_pages",
    "mathml",
    "notebook_pages",
    "number_tables",
    "result_pictures",
]
html_math_renderer = "mathml"
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "literal"  # `name` in a docstring is code, wherever it points

autosummary_generate = True
autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "none"  # the docstrings have the types, in words
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the class template lists them

html_theme = "pydata_sphinx_theme"
html_title = f"skimbal {release}"
html_copy_source = False
html_static_path = ["_static"]
html_extra_path = ["extra"]  # pages that are copied as they are
html_css_files = ["site.css"]
html_sidebars = {"index": []}
html_theme_options = {
    "header_links_before_dropdown": 4,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "auto_examples",
    "doc_module": (project,),
    "backreferences_dir": "generated/backreferences",
    "filename_pattern": r"/plot_\d\d_",
    "ignore_pattern": r"__init__\.py|serve\.py",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "plot_gallery": "True",
    "remove_config_comments": True,
    "min_reported_time": 5,
    "show_memory": False,
    "show_signature": False,
    "copyfile_regex": "",
}

# An example that warns teaches its reader to ignore warnings.
warnings.filterwarnings("error", category=UserWarning)


def skip_what_is_inherited(app, what, name, obj, skip, options):
    """Leave out what scikit-learn and torch add to a class; they document it themselves."""
    routing_request = name.startswith("set_") and name.endswith("_request")
    module = getattr(obj, "__module__", None) or project
    return True if routing_request or not module.startswith(project) else None


def setup(app):
    app.connect("autodoc-skip-member", skip_what_is_inherited)
