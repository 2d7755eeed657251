"""The addresses of django-scim2."""

from django.urls import include, path

urlpatterns = [path("scim/v2/", include("django_scim.urls"))]
