"""What all tests share: a property test is bounded by its examples, not by a busy machine's clock."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
