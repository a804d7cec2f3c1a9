"""The desk of the admin: front page, forms, import of uploaded files, and pages that Django's admin does not have."""
