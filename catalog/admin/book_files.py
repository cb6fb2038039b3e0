"""Import and export of books in the admin: upload, look at what would change, confirm.

The file itself travels through the preview as a signed, hidden field. So there is no temporary file to be left behind,
to be missing on another host, or to be named by somebody else.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from io import BytesIO
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm
from import_export.results import RowResult
from import_export.tmp_storages import BaseStorage
from tablib import Dataset

from catalog.admin.book_resource import BookResource
from catalog.importing.files import Spreadsheet, Unreadable
from catalog.importing.rows import COLUMNS, REQUIRED, Fault, missing_columns, read_row

MAX_FILE = 1_500_000  # bytes
MAX_ROWS = 5_000  # a request of some seconds; longer files are for manage.py import_books
MAX_CARRIED = 900_000  # bytes of the hidden field: Django reads 1 MB of a form
CARRIED_FOR = 3600  # seconds between a preview and its confirmation
MAX_SHOWN = 200  # rows of each kind in the preview
BY_COMMAND = "an operator can load it with `manage.py import_books`"


class CarriedInForm(BaseStorage):
    """django-import-export's storage between preview and confirmation: the `name` is the file, packed and signed."""

    signer = TimestampSigner(salt="catalog.admin.book_files")

    def save(self, data: bytes) -> None:
        self.name = self.signer.sign(urlsafe_b64encode(zlib.compress(data, 9)).decode())

    def read(self) -> bytes:
        packed = self.signer.unsign(self.name, max_age=CARRIED_FOR)
        return zlib.decompress(urlsafe_b64decode(packed))

    def remove(self) -> None:
        """Nothing was kept."""


class SpreadsheetFile(CSV):
    """What a spreadsheet writes, read as `manage.py import_books` reads it: encodings, delimiters, headings."""

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Dataset:
        """The rows as they stand, and as `parsed` what each says. Raises Unreadable."""
        sheet = Spreadsheet(BytesIO(in_stream), len(in_stream))
        missing = missing_columns(sheet.columns)
        if missing:
            raise Unreadable(f"has no column {' and no column '.join(missing)}")
        dataset: Any = Dataset(headers=sheet.columns)
        dataset.parsed = []
        for line in sheet:
            if len(dataset.parsed) == MAX_ROWS:
                raise Unreadable(f"has more than {MAX_ROWS:,} rows: divide it, or {BY_COMMAND}")
            row = read_row(line.cells, decimal_comma=sheet.decimal_comma)
            if line.surplus:
                row.faults.append(Fault("", "", f"The row has {line.surplus} cells more than there are headings."))
            dataset.parsed.append((line.number, row))
            dataset.append([line.cells.get(name, "") for name in sheet.columns])
        dataset.ignored = sheet.unknown_columns
        return dataset


class UploadForm(ImportForm):
    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        self.fields["import_file"].label = "CSV file"
        self.fields["import_file"].widget.attrs["accept"] = ".csv,text/csv"
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["format"].initial = "0"

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MAX_FILE:
            size = f"{file.size / 1_000_000:.1f} MB"
            raise forms.ValidationError(
                f"The file has {size}, and {MAX_FILE / 1_000_000:.1f} MB are read here: {BY_COMMAND}."
            )
        return file


class CarryingForm(ConfirmImportForm):
    def clean_import_file_name(self) -> str:
        carried: str = self.cleaned_data["import_file_name"]
        try:
            CarriedInForm(name=carried).read()
        except BadSignature as error:
            raise forms.ValidationError(
                "The preview is more than an hour old, or was made by somebody else: upload the file again."
            ) from error
        return carried

    def clean_format(self) -> str:
        """There is one."""
        return "0"


class BookFiles(ImportExportMixin):
    """Adds "Import" and "Export" to the list of books."""

    resource_classes = [BookResource]
    import_form_class = UploadForm
    confirm_form_class = CarryingForm
    export_form_class = ExportForm
    import_template_name = "admin/catalog/book/import.html"
    tmp_storage_class = CarriedInForm
    skip_export_form = True  # there is one format, and the list's own filters say which books
    to_encoding = "utf-8-sig"  # without the mark spreadsheets take UTF-8 for something else
    opts: Any
    admin_site: Any

    def get_import_formats(self) -> list[type[CSV]]:
        return [SpreadsheetFile]

    def get_export_formats(self) -> list[type[CSV]]:
        return [CSV]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["catalog.add_book", "catalog.change_book", "catalog.add_genre"])

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.view_book") or request.user.has_perm("catalog.change_book")

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        return f"books-{now():%Y-%m-%d}.csv"

    def add_data_read_fail_error_to_form(self, form: forms.Form, error: Exception) -> None:
        if not isinstance(error, Unreadable):
            raise error
        form.add_error("import_file", f"The file {error}.")

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        answer: TemplateResponse = super().import_action(request, **kwargs)
        context: dict[str, Any] = answer.context_data or {}
        context |= {"columns": COLUMNS, "required": REQUIRED, "max_rows": MAX_ROWS, "title": "Import books"}
        context["currency"] = settings.SHOP_CURRENCY
        result = context.get("result")
        if result is not None:
            kinds: dict[str, list[Any]] = {"new": [], "update": [], "invalid": []}
            for row in result.rows:
                kinds[row.import_type].append(row)
            context |= {
                "new": kinds["new"][:MAX_SHOWN],
                "changed": kinds["update"][:MAX_SHOWN],
                "refused": kinds["invalid"][:MAX_SHOWN],
                "max_shown": MAX_SHOWN,
                "counts": {name: len(rows) for name, rows in kinds.items()},
                "same": result.totals[RowResult.IMPORT_TYPE_SKIP],
                "importing": len(kinds["new"]) + len(kinds["update"]),
                "notes": [(row.line, note) for row in result.rows for note in row.notes][:MAX_SHOWN],
                "unusable": [str(error.error) for error in result.base_errors],
            }
            # Good rows can be imported beside bad ones, which the preview has shown.
            form = context["form"]
            if context["importing"] and not result.has_errors():
                confirm = self.create_confirm_form(request, import_form=form)
                if len(confirm.initial["import_file_name"]) > MAX_CARRIED:
                    form.add_error("import_file", f"The file is too large to be carried through a form: {BY_COMMAND}.")
                    context.pop("result")
                else:
                    context["confirm_form"] = confirm
        return answer

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and self.has_import_permission(request):
            form = self.create_confirm_form(request)
            if not form.is_valid():
                reasons = [str(reason) for field in form.errors.values() for reason in field]
                messages.error(request, f"Nothing was imported: {' '.join(reasons)}")
                return HttpResponseRedirect(reverse("admin:catalog_book_import"))
        answer: HttpResponse = super().process_import(request, **kwargs)
        return answer

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        if result.has_errors():
            reason = "; ".join(str(error.error) for error in result.base_errors)
            messages.error(request, f"Nothing was imported: {reason} Upload the file again to see how it stands now.")
            return HttpResponseRedirect(reverse("admin:catalog_book_import"))
        answer: HttpResponse = super().process_result(result, request)
        return answer

    def generate_log_entries(self, result: Any, request: HttpRequest) -> None:
        for kind, flag, message in (
            (RowResult.IMPORT_TYPE_NEW, ADDITION, "Imported from a file."),
            (RowResult.IMPORT_TYPE_UPDATE, CHANGE, "Changed by an import from a file."),
        ):
            books = [row.instance for row in result.rows if row.import_type == kind]
            if books:
                LogEntry.objects.log_actions(request.user.pk or 0, books, flag, change_message=message)

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        totals = result.totals
        parts = [
            (totals[RowResult.IMPORT_TYPE_NEW], "new"),
            (totals[RowResult.IMPORT_TYPE_UPDATE], "changed"),
            (totals[RowResult.IMPORT_TYPE_SKIP], "as before"),
            (totals[RowResult.IMPORT_TYPE_INVALID], "refused"),
        ]
        told = ", ".join(f"{number} {word}" for number, word in parts if number)
        messages.success(request, f"Imported: {told or 'nothing'}.")
