"""`perfnode`: all commands in one application."""

from typing import Annotated

import typer

from node.cli import (
    check,
    demo,
    evaluate,
    evaluate_delivery,
    evaluate_quantification,
    evaluate_reserve,
    evaluate_segmentation,
    explain,
    process,
    serve,
    simulate,
    studies,
    survey,
    train,
)
from node.version import VERSION

app = typer.Typer(
    name="perfnode",
    help="A DICOM node for perfusion cardiac MR: motion correction and myocardial blood flow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(serve.serve)
app.command(hidden=True)(serve.child)
app.command()(process.process)
app.command()(simulate.simulate)
app.command()(train.train)
app.command()(survey.survey)
app.command()(check.check)
app.command()(check.echo)
app.command()(studies.status)
app.command(name="studies")(studies.list_studies)
studies.study.command()(explain.explain)
app.add_typer(studies.study, name="study")
app.command()(demo.demo)
evaluate.evaluate.command()(evaluate_delivery.delivery)
evaluate.evaluate.command()(evaluate_quantification.quantification)
evaluate.evaluate.command()(evaluate_reserve.reserve)
evaluate.evaluate.command()(evaluate_segmentation.segmentation)
app.add_typer(evaluate.evaluate, name="evaluate")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"perfnode {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Hold the options that stand before every command."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
