"""`ses-audit notebooks`: list the notebooks, or copy them."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def notebooks() -> None:
    """List the notebooks, or copy them to a folder of your own."""


@notebooks.command("list")
def list_() -> None:
    """Each notebook, what it asks, and its parameters."""
    from ses_audit.report.notebook_files import find_notebooks
    from ses_audit.report.parameters import declared

    for notebook in find_notebooks():
        click.echo(f"{notebook.name}  {notebook.title}")
        for parameter in declared(notebook.read(), notebook.name).values():
            about = f"  {parameter.help}" if parameter.help else ""
            click.echo(f"  -p {parameter.name}={parameter.default}  ({parameter.type}){about}")


@notebooks.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite notebooks that are there.")
def copy(directory: Path, force: bool) -> None:
    """Copy the notebooks to DIR, pristine, each with the version it came from."""
    from ses_audit import __version__
    from ses_audit.errors import USAGE, UserError
    from ses_audit.report.notebook_files import find_notebooks, stamped
    from ses_audit.snapshot.files import write_file

    found = {directory / f"{n.name}.ipynb": stamped(n, __version__) for n in find_notebooks()}
    there = [path for path in found if path.exists() or path.is_symlink()]
    if there and not force:
        raise UserError(f"{there[0]} is there already: name another folder, or add --force", USAGE)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {directory}: {error.strerror}", USAGE) from error
    for path, content in found.items():
        write_file(path, content)
        click.echo(str(path))
