"""Users and groups that django-scim2 serves."""
