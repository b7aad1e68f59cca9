"""What all tiers share: how hypothesis behaves on a busy machine."""

from hypothesis import settings

# No deadline for single examples: a busy machine is no bug.
settings.register_profile("weir", deadline=None, print_blob=True)
settings.load_profile("weir")
