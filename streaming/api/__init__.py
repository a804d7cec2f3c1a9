"""The API beneath its views: errors, permissions, filters, pagination."""
