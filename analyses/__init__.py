"""The charts: one module each, which asks the views and returns an Altair chart."""
