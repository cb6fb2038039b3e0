"""Books as a spreadsheet, for django-import-export: what its rows would change, and what they do change.

A row means what it means to `manage.py import_books` (catalog.importing decides), so a cell meets
the API's rules. An import is one transaction, and imports take turns: the books that it changes are locked, nobody's
change is overwritten, no book is added twice.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from import_export import fields, resources
from import_export.results import Result, RowResult

from catalog.exceptions import naming_conflicts
from catalog.folding import same_name
from catalog.importing.loader import BATCH, TWICE, Known, held_genres, take_turn
from catalog.importing.rows import COLUMNS, Fault, Row, same_book
from catalog.models import Book


class BookRowResult(RowResult):
    """What one row does: its line in the file, the cells that change a book, or the faults that refuse it."""

    line = 0
    changes: list[tuple[str, str, str]]
    faults: list[Fault]
    notes: list[Fault]

    def __init__(self) -> None:
        super().__init__()
        self.changes, self.faults, self.notes = [], [], []


class BookResource(resources.ModelResource):
    genre = fields.Field(attribute="genre__name", column_name="genre")
    is_active = fields.Field(attribute="is_active", column_name="is_active")
    price = fields.Field(attribute="price", column_name="price")

    class Meta:
        model = Book
        fields = export_order = tuple(COLUMNS)
        import_id_fields = ()  # catalog.importing.loader.Known knows which book a row means
        use_transactions = True
        use_bulk = True  # no savepoint around each row: it is the whole file or nothing
        batch_size = None
        skip_diff = skip_html_diff = True
        report_skipped = False

    @classmethod
    def get_row_result_class(cls) -> type[RowResult]:
        return BookRowResult

    def dehydrate_is_active(self, book: Book) -> str:
        return "yes" if book.is_active else "no"

    def dehydrate_price(self, book: Book) -> str:
        return f"{book.price:.2f}"

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("genre")

    def import_data(self, dataset: Any, dry_run: bool = False, **kwargs: Any) -> Result:
        self.previewing = dry_run  # the library tells it to some of the hooks only
        result: Result = super().import_data(dataset, dry_run=dry_run, **kwargs)
        return result

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        self.parsed: list[tuple[int, Row]] = dataset.parsed
        if not self.previewing:
            take_turn()
        good = [row for _, row in self.parsed if not row.faults]
        names = [row.fields["genre"] for row in good if "genre" in row.fields]
        self.genres, _ = held_genres(names)
        self.genre_names = {genre_id: name for name in names for genre_id in [self.genres[same_name(name)]]}
        self.known = Known(good, lock=not self.previewing)
        self.lines: dict[Any, int] = {}
        self.new: list[Book] = []
        self.changed: list[Book] = []
        self.touched: set[str] = set()

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> BookRowResult:
        result = BookRowResult()
        result.line, parsed = self.parsed[kwargs["row_number"] - 1]
        result.notes = parsed.notes
        result.row_values = row
        book = None if parsed.faults else self.known.of(parsed)
        faults = parsed.faults or self.repeated(result.line, parsed, book)
        if faults:
            result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.faults = faults
            result.validation_error = ValidationError({fault.column: [fault.reason] for fault in faults})
            return result
        values = dict(parsed.fields)
        if "genre" in values:
            values["genre_id"] = self.genres[same_name(values.pop("genre"))]
        if book is None:
            book = Book(**values)
            self.new.append(book)
            result.import_type = RowResult.IMPORT_TYPE_NEW
            result.changes = [(name, "", self.shown(name, value)) for name, value in values.items()]
        else:
            differing = {name: value for name, value in values.items() if getattr(book, name) != value}
            result.import_type = RowResult.IMPORT_TYPE_UPDATE if differing else RowResult.IMPORT_TYPE_SKIP
            result.changes = [
                (name, self.shown(name, getattr(book, name)), self.shown(name, value))
                for name, value in differing.items()
            ]
            for name, value in differing.items():
                setattr(book, name, value)
            if differing:
                self.changed.append(book)
                self.touched |= set(differing)
        result.instance = book
        result.object_id, result.object_repr = book.pk, book.title
        return result

    def repeated(self, line: int, row: Row, book: Book | None) -> list[Fault]:
        """A fault if an earlier row had this book: by ISBN, by title and author, or as the same one of the catalogue.

        Two editions of one title, each with an ISBN, are two books.
        """
        keys: list[Any] = [row.identity]
        if book is not None:
            keys.append(book.pk)
        earlier = next((self.lines[key] for key in keys if key in self.lines), None)
        if earlier is not None:
            column = "isbn" if "isbn" in row.fields else "title"
            return [Fault(column, f"{row.fields[column]}, as on line {earlier}", TWICE)]
        for key in [*keys, same_book(row.fields["title"], row.fields["author"])]:
            self.lines.setdefault(key, line)
        return []

    def shown(self, name: str, value: Any) -> str:
        if value is None or value == "":
            return "–"
        if name == "genre_id":
            return str(self.genre_names.get(value) or value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value)

    def after_import(self, dataset: Any, result: Result, **kwargs: Any) -> None:
        """Writes, unless it is a preview: one INSERT for each BATCH of what is new and of what changed."""
        if self.previewing or result.has_errors():
            return
        with naming_conflicts(), transaction.atomic():
            Book.objects.bulk_create(self.new, batch_size=BATCH)
            if self.changed:
                names = [Book._meta.get_field(name).name for name in sorted(self.touched)]
                # One statement where bulk_update would write a CASE for each field. The rows are there, and locked.
                Book.objects.bulk_create(
                    self.changed, batch_size=BATCH, update_conflicts=True, unique_fields=["id"], update_fields=names
                )
        for row in result.rows:
            if row.instance is not None:
                row.object_id = row.instance.pk
