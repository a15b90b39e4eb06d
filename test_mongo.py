"""The chat room: `app` is the Flask application, `asgi` what the server runs. Importing it connects to nothing.

python test_mongo.py              serve everything, live delivery included
flask --app test_mongo run        serve the pages alone
flask --app test_mongo --help     look after the site from the command line
"""

import sys

if sys.platform == "win32":
    sys.exit(
        "chatroom: Windows is not supported. Run the server in WSL: https://learn.microsoft.com/windows/wsl/install"
    )

if __name__ == "__main__":
    from chatroom.serve.start import serve

    sys.exit(serve())  # starts the database first, and meanwhile imports this module for what is below

from pathlib import Path

from chatroom.app import ASGI, create_app
from chatroom.base.config import read_dotenv
from chatroom.base.errors import SettingsError

try:
    read_dotenv(Path(__file__).with_name(".env"))
    app = create_app()
except SettingsError as error:
    sys.exit(f"chatroom: {error}")
asgi = ASGI(app)
