"""Console commands for the operator: `flask --app test_mongo --help`.

Whoever can run them can read the database anyway, so they ask for no password but the new one.
"""

from chatroom.web.commands import approval, backups, order, people, programs, registration, rooms

COMMANDS = [
    people.create_user,
    people.list_users,
    people.set_password,
    people.reset_link,
    people.set_role,
    people.end_sessions,
    people.delete_user,
    registration.set_registration,
    registration.create_invite,
    registration.list_invites,
    registration.revoke_invite,
    order.mute,
    order.unmute,
    order.ban,
    order.unban,
    order.list_reports,
    approval.set_holding,
    approval.list_held,
    approval.approve,
    approval.reject,
    order.show_audit,
    rooms.list_rooms,
    rooms.archive_room,
    rooms.unarchive_room,
    rooms.appoint,
    rooms.export_room,
    rooms.clear_history,
    rooms.reindex,
    programs.create_bot,
    programs.create_token,
    backups.make_backup,
    backups.verify_backup,
    backups.restore_backup,
]
