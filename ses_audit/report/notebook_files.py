"""Where the notebooks lie: in the installed package, or in the checkout."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Notebook", "find_notebooks", "notebooks_folder", "parse", "stamped", "to_bytes"]

_PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as it is handed out: no outputs, not yet run.

    Parameters
    ----------
    path
        The file.
    content
        Its bytes.
    """

    path: Path
    content: bytes

    @property
    def name(self) -> str:
        """`02_send_matrix`."""
        return self.path.stem

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self.content).hexdigest()

    def read(self) -> NotebookNode:
        """Its cells and metadata.

        Raises
        ------
        UserError
            When the file is not a notebook.
        """
        try:
            return parse(self.content)
        except ValueError as error:
            raise UserError(f"{self.path} is not a notebook: copy it again", USAGE) from error

    @property
    def title(self) -> str:
        """Its first heading; its name when it has none."""
        for cell in self.read().cells:
            if cell.cell_type == "markdown":
                for line in str(cell.source).splitlines():
                    if line.startswith("# "):
                        return line[2:].strip()
        return self.name


def parse(content: bytes) -> NotebookNode:
    """The notebook in a file's bytes.

    Raises
    ------
    ValueError
        When it is none.
    """
    import nbformat

    try:
        node: NotebookNode = nbformat.reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
    except (nbformat.ValidationError, AttributeError) as error:
        raise ValueError("not a notebook") from error
    return node


def to_bytes(node: NotebookNode) -> bytes:
    """A notebook as the bytes of its file."""
    import nbformat

    text: str = nbformat.writes(node)  # type: ignore[no-untyped-call]
    return text.rstrip("\n").encode() + b"\n"


def notebooks_folder() -> Path:
    """The folder of the notebooks.

    An editable install has them in the checkout, a wheel inside the package.

    Raises
    ------
    UserError
        When neither is there.
    """
    for folder in (_PACKAGE / "_notebooks", _PACKAGE.parent / "notebooks"):
        if folder.is_dir():
            return folder
    raise UserError("the notebooks are not installed: install ses-audit again")


def find_notebooks(folder: Path | None = None, names: tuple[str, ...] = ()) -> tuple[Notebook, ...]:
    """The notebooks, in the order of their names.

    Parameters
    ----------
    folder
        Where; by default those that come with the package.
    names
        Only these, with or without `.ipynb`.

    Raises
    ------
    UserError
        For a name that is not there, with the nearest that is.
    """
    from ses_audit.report.parameters import nearest

    where = folder or notebooks_folder()
    files = {path.stem: path for path in sorted(where.glob("*.ipynb"))}
    wanted = [name.removesuffix(".ipynb") for name in names]
    for name in wanted:
        if name not in files:
            raise UserError(f"no notebook {name!r}{nearest(name, files)}", USAGE)
    return tuple(
        Notebook(path, path.read_bytes())
        for name, path in files.items()
        if not wanted or name in wanted
    )


def stamped(notebook: Notebook, version: str) -> bytes:
    """The notebook with the version it came from in its metadata; its cells are untouched.

    Parameters
    ----------
    notebook
        The notebook.
    version
        Of ses-audit.
    """
    node = notebook.read()
    node.metadata["ses_audit"] = {
        **node.metadata.get("ses_audit", {}),
        "version": version,
        "sha256": notebook.sha256,
    }
    return to_bytes(node)
