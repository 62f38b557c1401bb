"""A store that is large in numbers and small in bytes."""
