"""The command `smallarea nsum`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from smallarea.errors import InputError
from smallarea.options import Json, Quiet, show, showing


def nsum(
    survey: Annotated[
        Path, typer.Argument(help="Answers, one row per respondent (csv, xlsx, dta, sav).")
    ],
    groups: Annotated[
        Path, typer.Option(help="Table group,kind,size,population[,network]; kind known or hidden.")
    ],
    model: Annotated[
        str,
        typer.Option(
            help="killworth, pimle, power, degree, barrier, transmission, full, overdispersed, "
            "correlated."
        ),
    ] = "full",
    degree: Annotated[
        str | None,
        typer.Option(help="known: scaled up from known groups; summation: their answers added up."),
    ] = None,
    degree_column: Annotated[
        str | None,
        typer.Option(help="Column with how many people each respondent knows; network=COLUMN,..."),
    ] = None,
    tau_prior: Annotated[
        str | None, typer.Option(help="A,B of the Beta prior of the reporting rate.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Column of survey weights.")] = None,
    psu: Annotated[str | None, typer.Option(help="Column of primary sampling units.")] = None,
    strata: Annotated[str | None, typer.Option(help="Column of strata.")] = None,
    nest: Annotated[
        bool, typer.Option("--nest", help="PSUs are numbered anew in each stratum.")
    ] = False,
    lonely: Annotated[
        str | None,
        typer.Option(help="Strata with one PSU: collapse (with a neighbour), certainty, fail."),
    ] = None,
    missing: Annotated[
        str | None, typer.Option(help="Codes that mean not answered: 88,99,DK,.")
    ] = None,
    top_code: Annotated[
        int | None, typer.Option(min=0, help="Lower larger answers to this, of all groups.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            help="Rule that removes answers: quantile=Q, mad=M, degree=SHARE. Repeatable."
        ),
    ] = None,
    sep: Annotated[
        str | None, typer.Option(help="Separator of a CSV file; tab is written \\t.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file, e.g. latin-1.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    columns: Annotated[
        Path | None, typer.Option(help="YAML that describes the survey's columns.")
    ] = None,
    recall: Annotated[
        bool, typer.Option("--recall", help="Let answers drift with the size of the group.")
    ] = False,
    covariates: Annotated[
        str | None, typer.Option(help="A,B: numeric columns, for the correlated model.")
    ] = None,
    seed: int = 0,
    draws: Annotated[
        int | None,
        typer.Option(help="Bootstrap replicates, or draws per chain (1000; correlated: 2500)."),
    ] = None,
    allow_unconverged: Annotated[
        bool, typer.Option(help="Print a fit that did not converge, with a warning.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the annex: tables and figures of every check.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Size the hidden groups of any survey that asked "how many people do you know who ...".

    No project is needed. A total under an uninformative reporting prior has no mean: it is null.
    An answer that cannot be is refused; one that can hardly be is kept, with a warning.
    """
    from smallarea.nsum.shell import nsum_survey

    reading: dict[str, Any] = {
        "missing": None if missing is None else _listed(missing),
        "top_code": None if top_code is None else {"known": top_code, "hidden": top_code},
        "remove": None if not remove else _rules(remove),
        "nest": nest or None,
        "lonely": lonely,
        "sep": "\t" if sep in ("\\t", "tab") else sep,
        "encoding": encoding,
        "sheet": sheet,
    }
    with showing(quiet or as_json) as progress:
        found = nsum_survey(
            survey,
            groups,
            model,
            degree=degree,
            degree_column=None if degree_column is None else _by_network(degree_column),
            tau_prior=None if tau_prior is None else _two_numbers(tau_prior, "--tau-prior"),
            weights=weights,
            psu=psu,
            strata=strata,
            columns=columns,
            reading={name: value for name, value in reading.items() if value is not None},
            recall=recall,
            covariates=[] if covariates is None else _listed(covariates),
            seed=seed,
            draws=draws,
            allow_unconverged=allow_unconverged,
            out=out,
            progress=progress,
        )
    if as_json:
        print(json.dumps(found))
        return
    show(f"model {found['model']}")
    for row in found["groups"]:
        numbers = "  ".join(
            f"{key} {people(row[key])}" for key in ("median", "q025", "q975", "mean", "sd")
        )
        show(f"  {row['group']:<24} {numbers}")
    for warning in found["warnings"]:
        show(f"warning {warning}")
    if out is not None:
        show(f"Wrote the annex to {out}.")


def people(value: float | None) -> str:
    """Return a number of people as it is read: 1,388,000; below 100 with what it has of digits."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _by_network(text: str) -> str | dict[str, str]:
    """Return a column, or those of the networks: adult=COLUMN,child=COLUMN."""
    if "=" not in text:
        return text
    pairs = [part.partition("=") for part in text.split(",")]
    found = {network.strip(): column.strip() for network, _, column in pairs}
    if not set(found) <= {"adult", "child"}:
        raise InputError(
            f"{text!r} names no networks",
            where="--degree-column",
            remedy="write COLUMN, or adult=COLUMN,child=COLUMN",
        )
    return found


def _rules(given: list[str]) -> dict[str, float]:
    found = {}
    for text in given:
        rule, _, number = text.partition("=")
        try:
            found[rule.strip()] = float(number)
        except ValueError:
            raise InputError(
                f"{text!r} is not a rule with a number",
                where="--remove",
                remedy="write quantile=0.99, mad=10 or degree=0.33",
            ) from None
    return found


def _two_numbers(text: str, option: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"{text!r} is not two numbers", where=option, remedy="write A,B, for example 5,95"
        ) from None
    return first, second
