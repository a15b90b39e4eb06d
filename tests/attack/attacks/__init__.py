"""The attacks, by the kinds of holes that they look for."""

from tests.attack.attacks import budgets, contents, log_ins, manners, names, order, position, rights, starts, waiting

__all__ = ["budgets", "contents", "log_ins", "manners", "names", "order", "position", "rights", "starts", "waiting"]
