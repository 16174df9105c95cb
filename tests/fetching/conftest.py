import pytest
from hostile import serving


@pytest.fixture
def server():
    with serving() as made:
        yield made
