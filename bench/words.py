"""The texts of the bench: different words in each message, so that compression does not find one text repeatedly."""

import random

_COMMON = """
a about after again all also always am an and any are around as ask at away back bad be because been before best
better big both boy bring but by call came can car change city class clean clear close come could country course cut
day did different do does done door down draw early eat end enough even every eye face fact family far fast feel few
find fine first five follow food for form found four friend from full gave get girl give glad go good great group grow
half hand hard has have he head hear help her here high him his home hope hour house how idea if important in into is
it its job just keep kind knew know large last late learn left less let letter life light like line list little live
long look made make man many may me mean men might mind money month more morning most mother move much must my name
near need never new next night no north not nothing now number of off often old on once one only open or order other
our out over own page paper part people perhaps picture place plan play please point put question quick read ready
really red rest right river road room round run said same saw say school sea second see seem send set shall she short
should show side simple since six small so some soon sound south spell stand start state station still stop story
street study such sun sure table take talk tell ten than thank that the their them then there these they thing think
this those though thought three through time to today together told tomorrow too took top town train tree true try
turn two under until up us use very wait walk want warm was watch water way we week well went were what when where
which while white who why will wind with without woman word work world would write year yes yet you young your
""".split()  # noqa: SIM905


def sentences(count: int, length: int, *, marked_up: bool = False) -> list[str]:
    """Return `count` texts of `length` characters (a few more with Markdown), the same in every run."""
    choose = random.Random(length)
    found = []
    for _ in range(count):
        said = ""
        while len(said) < length:
            said += " " + choose.choice(_COMMON)
        said = said[: length - 1] + "."
        if marked_up:
            first, second, rest = said[1:8], said[8:16], said[16:]
            said = f" **{first.strip()}** _{second.strip()}_ `{rest.strip()}`"
        found.append(said)
    return found
