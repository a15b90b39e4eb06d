"""What several of the integration tests share."""

from collections.abc import Iterator

import pytest

from tests.databases import standalone


@pytest.fixture(scope="session")
def standalone_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mongod that is no replica set: the URI of one for each process of the test run."""
    with standalone(tmp_path_factory.mktemp("standalone") / "data") as uri:
        yield uri
