"""What single cells look like: each function takes text cells and returns a bool for each."""

from __future__ import annotations

import re

import pandas as pd

_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_LETTERS = r"[^\W\d_][^\W\d_'’-]*"  # a word, whatever the script


def email(cells: pd.Series) -> pd.Series:
    """Whole cells that are an e-mail address."""
    return cells.str.fullmatch(_EMAIL)


def some_email(cells: pd.Series) -> pd.Series:
    """Cells that hold one among other words."""
    return cells.str.contains(_EMAIL, regex=True)


def phone(cells: pd.Series) -> pd.Series:
    """Telephone numbers that say so themselves: by a plus, or blocks as only these have."""
    blocks = r"0\d{2,3}[\s-]\d{3}[\s-]\d{3,4}|\(0?\d{1,4}\)[\s-]?\d{3,4}[\s-]?\d{3,4}"
    return cells.str.fullmatch(
        rf"\+\d(?:[\s()-]{{0,2}}\d){{8,14}}|{blocks}|\d{{3}}[-.]\d{{3}}[-.]\d{{4}}"
    )


def some_phone(cells: pd.Series) -> pd.Series:
    """Cells that are a telephone number, or hold one with its plus among other words."""
    return phone(cells) | cells.str.contains(
        r"(?<!\d)\+\d(?:[\s()-]{0,2}\d){8,14}(?!\d)", regex=True
    )


def number_of_phone(cells: pd.Series) -> pd.Series:
    """Digits that can be a telephone number, in a column that says so: hardly a count."""
    digits = cells.str.replace(r"[\s().+-]", "", regex=True)
    fits = digits.str.fullmatch(r"\d{7,15}")
    marked = cells.str.contains(r"^[+0(]|\d[\s-]\d", regex=True)
    return fits & (marked | (digits.str.len() >= 9))


def network_address(cells: pd.Series) -> pd.Series:
    """IP addresses, of four bytes or of eight groups (with a gap)."""
    four = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
    six = r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){2,6}(?::[0-9a-f]{1,4}){1,5}"
    return cells.str.fullmatch(f"{four}|{six}", flags=re.IGNORECASE)


def large_network_address(cells: pd.Series) -> pd.Series:
    """Those with a byte of three digits, or groups: `1.2.3.4` may be the number of a class."""
    return network_address(cells) & cells.str.contains(r"\d{3}|:", regex=True)


def handle(cells: pd.Series) -> pd.Series:
    """Anything but numbers, in a column that says user name or the like."""
    return ~cells.str.fullmatch(r"[\d.,\s-]+")


def iban(cells: pd.Series) -> pd.Series:
    """International bank account numbers whose check digits are right (ISO 13616, mod 97)."""
    plain = cells.str.replace(" ", "")
    fits = plain.str.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
    return fits & plain.where(fits, "").map(_mod97)


def card(cells: pd.Series) -> pd.Series:
    """Numbers of 15 or 16 digits that keep the check digit of payment cards (Luhn)."""
    plain = cells.str.replace(r"[\s-]", "", regex=True)
    fits = plain.str.fullmatch(r"[3-6]\d{14,15}")
    return fits & plain.where(fits, "").map(_luhn)


def account(cells: pd.Series) -> pd.Series:
    """Signs with eight digits or more, in a column that says account: hardly a count."""
    plain = cells.str.replace(r"[\s-]", "", regex=True)
    return plain.str.fullmatch(r"[A-Za-z]{0,4}\d{8,30}[A-Za-z]?")


def words(cells: pd.Series) -> pd.Series:
    """Cells of letters, as names are."""
    return cells.str.fullmatch(rf"{_LETTERS}\.?(?:[ ,]+{_LETTERS}\.?){{0,6}}")


def full_name(cells: pd.Series) -> pd.Series:
    """`Surname, Given I.` or `Given I. Surname`."""
    some = rf"{_LETTERS}(?: {_LETTERS}){{0,2}}"
    return cells.str.fullmatch(rf"{some}, {some} [A-Z]\.?|{some} [A-Z]\. {some}")


def degrees(cells: pd.Series) -> pd.Series:
    """Degrees with three decimals or more: a hundred metres, or less; or a pair of them."""
    one = r"[NSEW]?\s?-?\d{1,3}\.\d{3,}°?\s?[NSEW]?"
    return cells.str.fullmatch(rf"{one}(?:[,;\s]+{one})?")


def coordinates(cells: pd.Series) -> pd.Series:
    """A pair of such degrees in one cell."""
    pair = r"-?\d{1,3}\.\d{3,}[,;\s]+-?\d{1,3}\.\d{3,}(?:[,;\s]+-?[\d.]+){0,2}"
    return cells.str.fullmatch(rf"(?:POINT ?(?:Z )?\()?{pair}\)?")


def address(cells: pd.Series) -> pd.Series:
    """Text of several words with a number, as a street address is."""
    return cells.str.contains(r"\d", regex=True) & cells.str.contains(r"[^\W\d]{3,}", regex=True)


def _mod97(text: str) -> bool:
    moved = text[4:] + text[:4]
    return bool(text) and int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _luhn(text: str) -> bool:
    digits = [int(sign) for sign in reversed(text)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return bool(text) and (sum(digits[::2]) + sum(doubled)) % 10 == 0
