"""Import of books in the admin: upload, preview, confirm. Staff may leave each page and come back.

The file and its plan are staged in the database (catalog.importing.staged): a preview can be reopened, on any host, and
exactly the previewed changes are confirmed.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse

from bookstore.admin.wording import StaffWords
from bookstore.audit.actor import Actor
from catalog.admin.book_exports import BookExports
from catalog.admin.import_preview import MAX_MAPPED, lines_of, preview_of
from catalog.exporting import CsvResponse, template
from catalog.importing.columns import COLUMNS, REQUIRED, column_name, columns_of, label_of
from catalog.importing.encodings import ENCODINGS
from catalog.importing.staged import COUNTED, BookImport, HeadingChoice

MAX_FILE = settings.LARGEST_UPLOAD - 1_000_000  # bytes, beside the rest of the form
RECENT = 10  # imports that the first page lists
PRUNED = 2  # old imports that an upload deletes; `manage.py clean_up` deletes all of them
BY_COMMAND = "an operator can load it with `manage.py import_books`"
State = BookImport.State


class ReadingForm(StaffWords, forms.Form):
    """Options for what the file alone does not tell."""

    dates = forms.ChoiceField(
        label="A date such as 12/11/1999",
        choices=[
            ("ask", "is left out, and told"),
            ("day-first", "has the day first"),
            ("month-first", "has the month first"),
        ],
        required=False,
    )
    strict = forms.BooleanField(label="Refuse a row for any cell that cannot be read", required=False)
    encoding = forms.ChoiceField(
        label="Encoding of a text file", choices=[("", "as the file tells"), *ENCODINGS.items()], required=False
    )

    def options(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name in {"dates", "strict", "encoding"} and value
        }


class UploadForm(ReadingForm):
    import_file = forms.FileField(
        label="File", widget=forms.FileInput(attrs={"accept": ".csv,.gz,.xlsx,.tsv,.txt"}), max_length=200
    )
    field_order = ("import_file",)

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MAX_FILE:
            size = f"{file.size / 1_000_000:.1f} MB"
            raise forms.ValidationError(
                f"The file has {size}, and {MAX_FILE / 1_000_000:.1f} MB are read here: {BY_COMMAND}."
            )
        return file


class BookFiles(BookExports):
    """Adds "Import" and "Export" to the list of books."""

    opts: Any
    admin_site: Any

    def get_urls(self) -> list[Any]:
        def route(address: str, view: Callable[..., Any], name: str) -> Any:
            return path(address, self.admin_site.admin_view(view), name=f"catalog_book_{name}")

        return [
            route("import/", self.import_view, "import"),
            route("import/template/", self.template_view, "import_template"),
            route("import/<id:key>/", self.shown_view, "import_shown"),
            route("import/<id:key>/rows/", self.rows_view, "import_rows"),
            route("import/<id:key>/read/", self.read_view, "import_read"),
            route("import/<id:key>/cancel/", self.cancel_view, "import_cancel"),
            route("process_import/", self.process_import, "process_import"),
            *super().get_urls(),
        ]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["catalog.add_book", "catalog.change_book", "catalog.add_genre"])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Adds the links to import and export, for staff with these permissions."""
        links = {
            "has_import_permission": self.has_import_permission(request),
            "has_export_permission": self.has_export_permission(request),
        }
        answer: HttpResponse = super().changelist_view(request, links | (extra_context or {}))  # type: ignore[misc]  # a mixin, to mypy
        return answer

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Shows the upload form and the last imports. Stages and reads an uploaded file, then shows its preview."""
        self.let_in(request)
        form = UploadForm(request.POST or None, request.FILES or None) if request.method == "POST" else UploadForm()
        if request.method == "POST" and form.is_valid():
            from catalog.importing import tasks  # here, and below: all that reads files, 0.6 MB of each worker

            BookImport.objects.prune(at_most=PRUNED)
            file = form.cleaned_data["import_file"]
            started = BookImport.objects.begin(file.chunks(), file.name, user=request.user, options=form.options())
            tasks.read_now_or_later(started)
            return self.led_to(started)
        return self.page(
            request,
            "import",
            form=form,
            columns=[(label_of(name), meaning, name in REQUIRED) for name, meaning in COLUMNS.items()],
            recent=BookImport.objects.order_by("-pk").defer("headings", "options")[:RECENT],
            max_file=f"{MAX_FILE / 1_000_000:.1f}",
        )

    def shown_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """The page of one import: its preview, its progress or its result."""
        self.let_in(request)
        shown = self.found(key)
        return self.page(request, "import_shown", form=ReadingForm(initial=shown.options), **preview_of(shown))

    def process_import(self, request: HttpRequest) -> HttpResponse:
        """Loads the confirmed rows."""
        from catalog.importing import tasks

        self.let_in(request)
        if request.method != "POST":  # after a sign-in in between
            return HttpResponseRedirect(reverse("admin:catalog_book_import"))
        key = request.POST.get("import", "")
        shown = (
            BookImport.objects.filter(pk=int(key)).first()
            if key.isascii() and key.isdigit() and len(key) < 19
            else None
        )
        if shown is None:
            messages.error(request, "Nothing was imported: choose a file first.")
            return HttpResponseRedirect(reverse("admin:catalog_book_import"))
        if shown.state in {State.READING, State.LOADING}:
            tasks.go_on(shown)
        elif reason := tasks.confirm(
            shown, Actor.of_admin(request), request.POST.get("reading", ""), retitle="retitle" in request.POST
        ):
            messages.error(request, f"Nothing was imported: {reason}")
        elif shown.state == State.DONE:
            self.tell(request, shown)
        return self.led_to(shown)

    def tell(self, request: HttpRequest, done: BookImport) -> None:
        words = {"new": "new", "changed": "changed", "same": "as before", "refused": "refused"}
        counts = done.counts()
        told = ", ".join(f"{counts[kind]:,} {word}" for kind, word in words.items() if counts[kind])
        messages.success(request, f"Imported: {told or 'nothing'}.")

    def read_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Reads the file again with other columns or options. Stores the columns of the headings for later files."""
        from catalog.importing import tasks

        self.let_in(request)
        shown, form = self.found(key), ReadingForm(request.POST)
        if request.method != "POST":
            return self.led_to(shown)
        if not form.is_valid():
            messages.error(request, "The file was not read again: choose one of the values.")
            return self.led_to(shown)
        for place, (heading, _) in enumerate(shown.headings[:MAX_MAPPED]):
            column = request.POST.get(f"heading-{place}")
            if column in {"", *COLUMNS}:
                remember(heading, column or "")
        options = form.options()
        if not any(
            shown.moved(of=state, state=State.READING, problem="", progress=0, options=options)
            for state in (State.SHOWN, State.FAILED)
        ):
            messages.error(request, f"The file was not read again: it is {shown.get_state_display()}.")
            return self.led_to(shown)
        tasks.read_now_or_later(shown)
        return self.led_to(shown)

    def cancel_view(self, request: HttpRequest, key: int) -> HttpResponse:
        from catalog.importing import steps

        self.let_in(request)
        shown = self.found(key)
        if request.method != "POST":
            return self.led_to(shown)
        if steps.cancel(shown):
            messages.success(request, "The import was cancelled. What it had imported before stays.")
        else:
            messages.error(request, f"Nothing was cancelled: “{shown}” is {shown.get_state_display()}.")
        return HttpResponseRedirect(reverse("admin:catalog_book_import"))

    def rows_view(self, request: HttpRequest, key: int) -> HttpResponseBase:
        """The rows as a CSV file: all of them, or those of one outcome (`?kind=refused`)."""
        self.let_in(request)
        shown, kind = self.found(key), request.GET.get("kind", "")
        if kind and kind not in COUNTED:
            raise Http404
        rows = (line for staged in shown.each_row(kind) for line in lines_of(staged))
        return CsvResponse(
            f"import-{shown.pk}-{kind or 'rows'}.csv",
            ("line", "outcome", "book", "column", "from", "to", "reason"),
            rows,
        )

    def template_view(self, request: HttpRequest) -> HttpResponseBase:
        """A template to fill in: the headings and one example."""
        self.let_in(request)
        return template(request.GET.get("format", "csv"))

    def let_in(self, request: HttpRequest) -> None:
        if not self.has_import_permission(request):
            raise PermissionDenied

    @staticmethod
    def found(key: int) -> BookImport:
        found: BookImport | None = BookImport.objects.filter(pk=key).first()
        if found is None:
            raise Http404
        return found

    @staticmethod
    def led_to(shown: BookImport) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:catalog_book_import_shown", args=[shown.pk]))

    def page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name  # as Django's own views do
        context = {**self.admin_site.each_context(request), "title": "Import books", "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/catalog/book/{name}.html", context)


def remember(heading: str, column: str) -> None:
    """Stores the column of each heading for later files, unless the heading is known anyway."""
    name = column_name(heading)[:100]
    if not name:
        return
    if (columns_of([heading])[0] or "") == column:
        HeadingChoice.objects.filter(name=name).delete()
    else:
        HeadingChoice.objects.update_or_create(name=name, defaults={"column": column})
