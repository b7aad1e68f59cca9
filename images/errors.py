"""What goes wrong with images, said so that a person can act on it."""


class ImageError(Exception):
    """An image cannot be built; the message says why and what to do."""
