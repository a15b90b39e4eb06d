"""Who may join, from the console."""

from flask.testing import FlaskCliRunner

from tests.commands import run
from tests.conftest import MakeApp, visitor


def test_an_invitation(make_app: MakeApp) -> None:
    app = make_app(registration="invite")
    code, output = run(app.test_cli_runner(), "create-invite", "--uses", "2", "--days", "1")
    assert code == 0
    for name, status in (("alice", 303), ("bob", 303), ("carol", 403)):
        assert visitor(app).register(name, invite=output.strip()).status_code == status


def test_who_may_join(runner: FlaskCliRunner) -> None:
    assert run(runner, "set-registration", "invite") == (0, "Registration is now: invite.\n")
    assert run(runner, "create-invite", "--uses", "3")[0] == 0
    code, output = run(runner, "list-invites")
    assert code == 0
    assert " 3 left, until " in output
    assert run(runner, "revoke-invite", output[:8]) == (0, "The invite was revoked.\n")
    assert run(runner, "list-invites") == (0, "")
    assert run(runner, "revoke-invite", output[:8])[0] == 1
    assert run(runner, "set-registration", "as-set-up") == (0, "Registration is now: open.\n")
