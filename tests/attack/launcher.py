"""Start the server as `python test_mongo.py` does, with a hole put back: `python -m tests.attack.launcher MUTATION`."""

import importlib
import sys

if __name__ == "__main__":
    importlib.import_module(f"tests.attack.mutations.{sys.argv[1]}").apply()
    from chatroom.serve.start import serve

    sys.exit(serve())
