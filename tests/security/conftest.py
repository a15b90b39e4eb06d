"""Skip tests that need requirements-dev.txt if only requirements.txt is installed; CI has both."""

import importlib.util
import os

if importlib.util.find_spec("schemathesis") is None and not os.environ.get("CI"):
    collect_ignore = ["test_api_contract.py"]
