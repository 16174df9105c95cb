"""Books read a year."""

from smallarea.features import stream, tables


@stream(source="books", unit={"books": "books a year"})
def books(books, areas):
    return tables.align(books, areas)[["books"]]
