"""A Django project with the SCIM plugin django-scim2: serve.py PORT TOKEN DATABASE_FILE"""

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main():
    port, token, database = sys.argv[1:]
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        AUTH_USER_MODEL="people.User",
        BEARER_TOKEN=token,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": database,
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django_scim",
            "people",
        ],
        MIDDLEWARE=["people.bearer.BearerMiddleware", "django_scim.middleware.SCIMAuthCheckMiddleware"],
        # Tables are made straight from the models: there is nothing to migrate from.
        MIGRATION_MODULES={"auth": None, "contenttypes": None, "people": None},
        ROOT_URLCONF="people.urls",
        SCIM_SERVICE_PROVIDER={
            "NETLOC": f"127.0.0.1:{port}",
            "SCHEME": "http",
            "GROUP_MODEL": "people.models.Group",
            "AUTHENTICATION_SCHEMES": [
                {"type": "oauthbearertoken", "name": "Bearer token", "description": "The token of the test."}
            ],
        },
        SECRET_KEY="nobody signs in here",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    with make_server("127.0.0.1", int(port), get_wsgi_application(), server_class=Server) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
