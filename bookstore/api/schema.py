"""The OpenAPI schema: drf-spectacular with the error envelope.

An operation declares its own errors (`errors_of(BookNotFound)`). The general ones follow from its authentication,
permissions, body and parameters, and are added here, so that no operation can forget them.
"""

import re
from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance
from drf_spectacular.utils import extend_schema

from bookstore.api import guide
from bookstore.api.errors import (
    ApiError,
    ContentTooLarge,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    ParseError,
    ServiceUnavailable,
    Throttled,
    UnsupportedMediaType,
    ValidationError,
)
from bookstore.api.operations import DocumentedErrors

FAULT = {
    "type": "object",
    "properties": {
        "field": {
            "type": "string",
            "description": "The input to blame; `items.3.quantity` inside a list, `body` for the whole.",
        },
        "code": {"type": "string", "description": "What is wrong with it: `required`, `invalid`, `min_value`, …"},
        "detail": {"type": "string"},
    },
    "required": ["field", "code", "detail"],
}
# Of every throttled operation: draft-ietf-httpapi-ratelimit-headers.
RATE_LIMIT = {
    "RateLimit": {
        "schema": {"type": "string"},
        "description": 'What is left, and for how many seconds: `"login";r=9;t=60`.',
    },
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": 'The limit, and its seconds: `"login";q=10;w=60`.',
    },
}
# `- 200: the cart, …` in the docstring of an operation, up to the next entry.
STATUS_IN_WORDS = re.compile(r"^- (?P<status>\d{3}): (?P<words>.*?)(?=^- \d{3}|^\s*$|\Z)", re.MULTILINE | re.DOTALL)


def component_of(error: type[ApiError]) -> dict[str, Any]:
    """The schema of one error: its code is a constant, so that a generated client can tell errors apart by type."""
    properties: dict[str, Any] = {
        "detail": {"type": "string", "description": "Text for a person."},
        "code": {"type": "string", "enum": [error.code]},
    }
    required = ["detail", "code"]
    if error is ValidationError:
        properties["field"] = {"type": "string"}
        properties["errors"] = {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}, "minItems": 1}
        required += ["field", "errors"]
    elif error.field:
        properties["field"] = {"type": "string", "enum": [error.field]}
        required.append("field")
    for name, part in getattr(error, "extra_fields", {}).items():
        properties[name] = part
        required.append(name)
    return {"type": "object", "description": error.message, "properties": properties, "required": required}


def example_of(error: type[ApiError], fault: dict[str, str]) -> dict[str, Any]:
    """One body of this error; `fault` is a possible validation error of the operation."""
    value: dict[str, Any] = {"detail": error.message, "code": error.code}
    if error is ValidationError:
        value = {"detail": fault["detail"], "code": error.code, "field": fault["field"], "errors": [fault]}
    elif error.field:
        value["field"] = error.field
    value |= {name: part.get("example", 42) for name, part in getattr(error, "extra_fields", {}).items()}
    return {"summary": error.code, "value": value}


class EnvelopeAutoSchema(AutoSchema):
    """Describes an operation with all its errors."""

    def get_tags(self) -> list[str]:
        """The tag of the view's app, unless the operation names another."""
        return [guide.tag_of(type(self.view)).name]

    @property
    def deletes_by_body(self) -> bool:
        """Whether this is a DELETE with a body, which drf-spectacular would leave out."""
        return self.method == "DELETE" and getattr(self.view, "deletes_by_body", False)

    @property
    def reads_a_body(self) -> bool:
        return self.method in {"POST", "PUT", "PATCH"} or self.deletes_by_body

    def _get_request_body(self, direction: str = "request") -> Any:
        if not self.deletes_by_body:
            return super()._get_request_body(direction)
        self.method = "POST"
        try:
            return super()._get_request_body(direction)
        finally:
            self.method = "DELETE"

    def general_errors(self) -> Iterable[type[ApiError]]:
        """The errors that follow from the view's classes. Authenticators and permissions declare theirs as `errors`,
        those about one object as `object_errors`. A view that refuses no field has `takes_any_fields`."""
        guards = [*self.view.get_authenticators(), *self.view.get_permissions()]
        for guard in guards:
            yield from getattr(guard, "errors", ())
            if "{" in self.path:
                yield from getattr(guard, "object_errors", ())
        if any(type(permission).__name__ == "IsAuthenticated" for permission in self.view.get_permissions()):
            yield NotAuthenticated
        if "{" in self.path:
            yield NotFound  # the path has no valid id
        yield NotAcceptable
        has_body = self.reads_a_body and self.get_request_serializer() is not None
        if has_body:
            yield from (ParseError, ContentTooLarge, UnsupportedMediaType)
        checks_body = has_body and not getattr(self.view, "takes_any_fields", False)
        if checks_body or any(parameter["in"] == "query" for parameter in self._get_parameters()):
            yield ValidationError
        if self.path != "/health":
            yield ServiceUnavailable

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        responses: Any = self.get_response_serializers()
        # An operation without extend_schema has no dict.
        declared = responses if isinstance(responses, dict) else {200: responses}
        bodies: dict[str, Any] = {}
        errors: dict[str, list[type[ApiError]]] = {}
        for status, content in declared.items():
            if isinstance(content, DocumentedErrors):
                errors.setdefault(str(status), []).extend(content)
            else:
                body = self._get_response_for_code(content, str(status), direction=direction)
                bodies[str(status)] = body | {"description": self.words_about(str(status)) or body["description"]}
        counted = set[str]()  # the statuses of answers to an attempt that was counted
        if Throttled in errors.get("429", ()):
            counted = (bodies.keys() | errors.keys()) & {"200", "201", "202", "204", "401", "403", "409"}
        for error in self.general_errors():
            same_status = errors.setdefault(str(error.status_code), [])
            if error not in same_status:
                same_status.append(error)
        for status in sorted(errors):
            bodies[status] = self.error_body(errors[status])
        for status in counted:
            bodies[status]["headers"] = bodies[status].get("headers", {}) | RATE_LIMIT
        return bodies

    def words_about(self, status: str) -> str:
        """The description of this status in the operation's docstring."""
        found = (match for match in STATUS_IN_WORDS.finditer(self.get_description()) if match["status"] == status)
        words = " ".join(" ".join(match["words"].split()) for match in found)
        return words[:1].upper() + words[1:]

    def example_fault(self) -> dict[str, str]:
        """A possible validation error of this operation: of a required field, of its first parameter, or, where it has
        neither, of a parameter that is not known.
        """
        serializer = self.get_request_serializer() if self.reads_a_body else None
        fields = force_instance(serializer).fields if serializer else {}
        for name, field in fields.items():
            if field.required:
                return {"field": name, "code": "required", "detail": "This field is required."}
        for name, field in fields.items():
            if not field.allow_null:
                return {"field": name, "code": "null", "detail": "This field may not be null."}
        parameters = [each for each in self._get_parameters() if each["in"] == "query"]
        if self.method == "GET" and not parameters:
            return {"field": "page", "code": "unknown", "detail": 'There is no parameter "page": this path has none.'}
        [first, *_] = parameters or [{"name": "body"}]
        if "enum" in first.get("schema", {}):
            return {"field": first["name"], "code": "invalid_choice", "detail": "This is not one of the choices."}
        return {"field": first["name"], "code": "invalid", "detail": "A valid value is required."}

    def error_body(self, errors: list[type[ApiError]]) -> dict[str, Any]:
        references = [self.reference_to(error) for error in errors]
        schema = (
            references[0]
            if len(references) == 1
            else {
                "oneOf": references,
                "discriminator": {
                    "propertyName": "code",
                    "mapping": {error.code: ref["$ref"] for error, ref in zip(errors, references, strict=True)},
                },
            }
        )
        examples = {error.code: example_of(error, self.example_fault()) for error in errors}
        body: dict[str, Any] = {
            "description": " · ".join(f"`{error.code}`: {error.message}" for error in errors),
            "content": {"application/json": {"schema": schema, "examples": examples}},
        }
        if errors[0].status_code == 401:
            body["headers"] = {"WWW-Authenticate": {"schema": {"type": "string", "enum": ["Bearer"]}}}
        elif errors[0].status_code in {429, 503}:
            body["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
            if errors[0].status_code == 429:
                body["headers"] |= RATE_LIMIT
        return body

    def reference_to(self, error: type[ApiError]) -> dict[str, str]:
        if error is ValidationError:
            self.registry.register_on_missing(ResolvedComponent("Fault", ResolvedComponent.SCHEMA, FAULT, FAULT))
        name = f"{error.__name__.removesuffix('Error')}Error"
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, component_of(error), error)
        self.registry.register_on_missing(component)
        reference: dict[str, str] = component.ref
        return reference


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "bookstore.accounts.authentication.BearerAuthentication"
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access_token` that /auth/register, /auth/login and /auth/refresh answer with.",
        }


class ShopSchema(SchemaGenerator):
    """drf-spectacular's generator, adjusted for client generators and linters.

    The apps declare the tags (bookstore/api/guide.py). Every operation has `security`, an empty list if it is public.
    An enum has no `minLength`.
    """

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        """Applies the arguments that `@extend_schema` (bookstore/api/operations.py) has kept on the handler."""
        name = getattr(callback, "actions", {}).get(method.lower(), method.lower())
        handler = getattr(callback.cls, name)
        if hasattr(handler, "words_of_schema"):
            # On a function of its own: applied to the handler twice, it would list its parameters twice.
            carrier: Any = extend_schema(**handler.words_of_schema)(lambda: None)
            handler.kwargs = carrier.kwargs
        return super().create_view(callback, method, request)

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super().get_schema(request, public)
        schema["tags"] = [{"name": tag.name, "description": tag.description} for tag in guide.tags()]
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["security"] = [scheme for scheme in operation.get("security", []) if scheme]
        make_strict(schema)
        return schema


def make_strict(part: Any) -> None:
    """Rules of OpenAPI 3.0 validators: no `minLength` beside an enum, and a type beside `nullable`."""
    if isinstance(part, dict):
        if "enum" in part:
            part.pop("minLength", None)
        if part.get("nullable") is True and "allOf" in part:
            part.setdefault("type", "object")
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            make_strict(inner)
