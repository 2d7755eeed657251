"""Tells django-scim2 whether the request carries the right bearer token."""

from types import SimpleNamespace

from django.conf import settings


class BearerMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_right = request.headers.get("Authorization") == f"Bearer {settings.BEARER_TOKEN}"
        request.user = SimpleNamespace(is_authenticated=is_right, is_anonymous=not is_right)
        return self.get_response(request)
