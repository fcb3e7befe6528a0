"""The pytest plugin of converse-emulator: the fixture `bedrock` and the marker of the same name."""

import pytest

pytest.register_assert_rewrite("pytest_converse.plugin")
