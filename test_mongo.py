"""The chat room: `app` is the Flask application, `asgi` what the server runs. Importing it connects to nothing.

    python test_mongo.py                  serve everything, live delivery included
    flask --app test_mongo run            serve the pages alone
    flask --app test_mongo --help         look after accounts
"""

import sys

from dotenv import load_dotenv

from chatroom.app import ASGI, create_app

load_dotenv()
app = create_app()
asgi = ASGI(app)

if __name__ == "__main__":
    from chatroom.serve import serve

    sys.exit(serve())
