"""derivations/index.html: every page of the gallery, and every plot with the page that it belongs to."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Derivations</title>
<style>
:root {{ color-scheme: light dark; --symdl-paper: #fff; }}
@media (prefers-color-scheme: dark) {{ :root {{ --symdl-paper: #121212; }} }}
body {{ font: 1.05rem/1.5 Georgia, "Times New Roman", serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--symdl-paper); }}
ul {{ columns: 18rem; padding-left: 1.2rem; }}
.plots {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.5rem; }}
figure {{ margin: 0; }}
svg {{ width: 100%; height: auto; }}
figcaption {{ text-align: center; }}
</style>
<h1>Derivations</h1>
<ul>
{links}
</ul>
<h2>Activations</h2>
<p>Each activation is blue, its slope red. A closed dot is the value that is decided at a kink.</p>
<div class="plots">
{activations}
</div>
<h2>Losses</h2>
<p>The loss of one entry is blue, its slope by the prediction red; the target is named on the page.</p>
<div class="plots">
{losses}
</div>
</html>
"""


def index_page(files: Mapping[str, str]) -> str:
    """The page.

    Args:
        files: every generated text by its path below derivations/.

    >>> "<a href='a/b.md'>Title</a> (<a href='a/b.tex'>LaTeX</a>)" in index_page({"a/b.md": "# Title", "a/b.tex": ""})
    True
    """
    titles = {
        path: text.partition("\n")[0].removeprefix("# ") for path, text in sorted(files.items()) if path.endswith(".md")
    }
    links = [
        f"<li><a href='{path}'>{html.escape(title)}</a>{_tex(path[:-3] + '.tex', files)}</li>"
        for path, title in titles.items()
    ]
    plots = {folder: "\n".join(_plots(files, titles, folder)) for folder in ("activations", "losses")}
    return _PAGE.format(links="\n".join(links), **plots)


def _tex(path: str, files: Mapping[str, str]) -> str:
    return f" (<a href='{path}'>LaTeX</a>)" if path in files else ""


def _plots(files: Mapping[str, str], titles: Mapping[str, str], folder: str) -> Iterator[str]:
    """Each plot of a folder with a link to its page, in the order of the pages."""
    for page in (p for p in titles if p.rpartition("/")[0] == folder):
        for name in re.findall(r"\]\(([^()]*)\.svg\)", files[page]):
            drawing = files[f"{folder}/{name}.svg"].strip()
            yield (
                f"<figure><a href='{page}' style='color: inherit'>\n{drawing}\n</a>"
                f"<figcaption>{name.replace('_', ' ')}</figcaption></figure>"
            )
