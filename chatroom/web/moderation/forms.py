"""The forms of moderation: report a message, mute or ban a user."""

from datetime import UTC, datetime

from wtforms import SelectChoice, SelectField, StringField, TextAreaField

from chatroom.base.durations import OFFERED, end_of
from chatroom.moderation.reports import LONGEST_REASON as LONGEST_REPORT
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.forms import Form, as_lines


class ReportForm(Form):
    """Report a message."""

    reason = TextAreaField(
        "What is wrong with it?", filters=[as_lines], render_kw={"required": True, "maxlength": LONGEST_REPORT}
    )


class SanctionForm(Form):
    """Mute or ban a user."""

    reason = StringField("Reason (the user sees it)", render_kw={"required": True, "maxlength": LONGEST_REASON})
    duration = SelectField("For how long", choices=[SelectChoice(*choice) for choice in OFFERED.items()], default="1h")

    @property
    def end(self) -> datetime:
        """When the mute or the ban ends; raise `Refused` for a wrong duration."""
        return end_of(self.duration.data or "", datetime.now(UTC))
