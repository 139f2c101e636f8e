"""The routes of the page: /api/... and the static files."""
