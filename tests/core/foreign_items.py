"""Items as others wrote them: people, phones, imports, programs. Every text a system would store, none of it tidy.

What a system itself refuses (a second address of one type, a country it does not know) is not made up here; texts in
no normal form, lists with twins, values beyond what we would write, and members that are missing or null are.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from tests.core.lens_world import PLACES, RECENT_DAYS, ZONES
from tzlocal.windows_tz import win_tz

from orosync.core.mapping.lens import FAX_PROPERTY, GENDER_PROPERTY, PRIMARY_PHONE_PROPERTY
from orosync.core.records import Entity, Side

# Ends of texts that are known for trouble where a limit cuts: marks that combine, halves of pairs, joined faces,
# letters that grow or shrink in a normal form, directions, blanks, and what is no text at all.
TAILS = (
    "\u0301", "e\u0301", " \u0301", "😀", "👨‍👩‍👧", "\ud83d", "\u0958", "\u1100\u1161", "\ufb01", "ẞ", "İ",
    "\u202eabc\u202c", "\u200f", "שלום", "مرحبا", "\x00", "\x1f", " y", "\t", "\r\n", "\xa0", "\u3000", "\u2028",
    "\ufeff", "&", "<", "&#8217;",
)  # fmt: skip
LIMITS = (100, 255, 500)
AT_LIMITS = st.builds(
    lambda most, off, tail, end: "x" * (most + off - len(tail)) + tail + end,
    st.sampled_from(LIMITS),
    st.integers(-1, 2),
    st.sampled_from(TAILS),
    st.sampled_from(["", "", "z", " ", "\u0301"]),
)
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(TAILS),
    AT_LIMITS,
    st.text(max_size=20),
    st.lists(st.sampled_from(TAILS), max_size=4).map("".join),
    st.sampled_from(["", " ", "  padded  ", "a\r\nb", "Zoë 李", "0", "None"]),
)
MARKUP = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<br>", "<b>", "</b>", "&nbsp;", "&amp;", "&lt;", "&amp;lt;", "a", " ", "\n", "\xa0", "\r\n",
         "<!-- c -->", "<html><head>", "<ul><li>x</ul>", "<a href='https://x'>y</a>", "<", ">", "😀", "\u0301",
         "<table><tr><td>1<td>2</table>"]
    ),
    max_size=8,
).map("".join)  # fmt: skip
BLOCKS = st.one_of(TEXTS, MARKUP)
EMAILS = st.sampled_from(
    ["a@x.com", "A@X.com", "a@X.COM ", "ü@bücher.example", "u@XN--BCHER-KVA.example", "Ada Lovelace", "", None,
     "b@x.com", "@", "/o=ExchangeLabs/cn=X", "o'neil+crm@x.co.uk", "c@y.org"]
)  # fmt: skip
PHONES = st.sampled_from(
    ["+49 (0)30 123", "+4930123", "+49 30 123", "０３０ 1", "030/123-45", "+1 212 555 0100 x12", "+", "", " ", "+999 1",
     "call me", "110"]
)  # fmt: skip
CLOCKS = st.one_of(
    st.sampled_from(["00:00:00", "11:59:00", "12:00:00", "12:00:01", "22:00:00", "23:59:59", "23:59:00"]),
    st.times().map(lambda at: at.replace(microsecond=0).isoformat()),
)
ZONE_NAMES = st.sampled_from(
    [*ZONES, *sorted(win_tz)[::20], "tzone://Microsoft/Custom", "Customized Time Zone", "W. Europe Standard Time",
     "Factory"]
)  # fmt: skip


def cut_to(most: int) -> st.SearchStrategy[str | None]:
    return TEXTS.map(lambda text: text and text[:most])


# Of what no system takes without a title.
TITLES = cut_to(255).filter(lambda text: any(each.isprintable() and not each.isspace() for each in text or ""))


def some_of(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the members may be missing."""
    return st.fixed_dictionaries({}, optional=members)


# ------------------------------------------------------------------------------------------------ contacts

_GRAPH_ADDRESS = st.one_of(
    st.none(),
    some_of(
        {
            "street": st.one_of(TEXTS, st.sampled_from(["1 Main\r\nFl 2", "a\nb\nc"])),
            "city": TEXTS,
            "state": st.one_of(TEXTS, st.sampled_from(["ny", "NY", "Berlin", "London"])),
            "postalCode": TEXTS,
            "countryOrRegion": st.one_of(TEXTS, st.sampled_from(["usa", "US", "Deutschland", "Monaco", "Narnia"])),
        }
    ),
)
_BIRTHDAYS = st.one_of(
    st.none(),
    st.sampled_from(["0001-01-01T00:00:00Z", "4501-01-01T00:00:00Z", "1604-02-29T11:59:00Z", "2000-02-29T00:00:00Z"]),
    st.builds("{}T{}Z".format, st.dates().map(str), CLOCKS),
    st.builds("{}T{}.1234567Z".format, RECENT_DAYS, CLOCKS),
)
EXTENDED = st.lists(
    st.one_of(
        *(
            st.fixed_dictionaries({"id": st.sampled_from([name, name.lower()]), "value": values})
            for name, values in (
                (FAX_PROPERTY, TEXTS.map(lambda text: text or "")),
                (GENDER_PROPERTY, st.sampled_from(["0", "1", "2", "7", ""])),
                (PRIMARY_PHONE_PROPERTY, PHONES),
                ("String {00062004-0000-0000-C000-000000000046} Id 0x8005", st.just("mine")),
            )
        )
    ),
    max_size=4,
    unique_by=lambda row: row["id"].lower(),
)
_OUTLOOK_CONTACTS = some_of(
    {
        **dict.fromkeys(("givenName", "middleName", "surname", "generation", "jobTitle", "displayName"), TEXTS),
        "personalNotes": BLOCKS,
        "emailAddresses": st.one_of(st.none(), st.lists(some_of({"name": TEXTS, "address": EMAILS}), max_size=3)),
        "birthday": _BIRTHDAYS,
        **dict.fromkeys(("businessAddress", "homeAddress", "otherAddress"), _GRAPH_ADDRESS),
        "singleValueExtendedProperties": EXTENDED,
        "companyName": TEXTS,
        "categories": st.sampled_from([[], ["VIP"]]),
        "sensitivity": st.sampled_from(["normal", "personal"]),
    }
)


@st.composite
def _oro_contacts(draw: st.DrawFn) -> dict[str, Any]:
    own = draw(
        some_of(
            {
                "firstName": cut_to(100),
                "lastName": cut_to(100),
                **dict.fromkeys(("middleName", "nameSuffix", "jobTitle", "fax"), cut_to(255)),
                "description": BLOCKS,
                "birthday": st.one_of(st.none(), st.dates().map(str)),
                "gender": st.sampled_from([None, "female", "male", "x"]),
                "skype": TEXTS,
            }
        )
    )
    for many, one, primary, values in (
        ("emails", "email", "primaryEmail", EMAILS.filter(bool)),
        ("phones", "phone", "primaryPhone", PHONES.filter(lambda text: bool(text.strip()))),
    ):
        listed = draw(st.lists(values, max_size=4, unique=True))
        own |= {many: [{one: each} for each in listed], primary: draw(st.sampled_from(listed)) if listed else None}
    kinds, rows = ["billing", "shipping"], []
    for number in draw(st.lists(st.sampled_from(["1", "2", "9", "10"]), max_size=4, unique=True)):
        types = draw(st.sets(st.sampled_from(kinds))) if kinds else set()
        kinds = [each for each in kinds if each not in types]
        rows.append(draw(_oro_address(number, sorted(types))))
    return {"id": "1", "attributes": own, "addresses": rows}


@st.composite
def _oro_address(draw: st.DrawFn, number: str, types: list[str]) -> dict[str, Any]:
    country = draw(st.sampled_from(sorted(PLACES.countries)))
    regions = sorted(each for each, (of, *_) in PLACES.regions.items() if of == country)
    own = draw(
        some_of(
            {
                "street": cut_to(500),
                "street2": cut_to(255),
                **dict.fromkeys(("city", "postalCode"), cut_to(255)),
                **({} if regions else {"customRegion": cut_to(255)}),
                "label": TEXTS,
            }
        )
    )
    region = draw(st.sampled_from([None, *regions]))
    return {"id": number, "attributes": own, "country": country, "region": region, "types": types}


# ------------------------------------------------------------------------------------------------ tasks

_MOMENTS = st.one_of(st.none(), st.builds("{}T{}Z".format, RECENT_DAYS, CLOCKS))
_ITEM_BODY = st.one_of(
    st.none(), some_of({"contentType": st.sampled_from(["html", "HTML", "text"]), "content": BLOCKS})
)
_GRAPH_MOMENT = st.fixed_dictionaries(
    {"dateTime": st.builds("{}T{}.0000000".format, RECENT_DAYS, CLOCKS), "timeZone": st.just("UTC")}
)
_OUTLOOK_TASKS = st.fixed_dictionaries(
    {
        "title": TITLES,
        "importance": st.sampled_from(["low", "normal", "high"]),
        "status": st.sampled_from(["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"]),
    },
    optional={
        "dueDateTime": st.one_of(st.none(), _GRAPH_MOMENT),
        "body": _ITEM_BODY,
        "categories": st.just(["VIP"]),
    },
)
_ORO_TASKS = st.fixed_dictionaries(
    {
        "id": st.just("1"),
        "attributes": st.fixed_dictionaries(
            {"subject": TITLES},
            optional={"dueDate": _MOMENTS, "description": BLOCKS},
        ),
        "taskPriority": st.sampled_from(["low", "normal", "high"]),
        "status": st.sampled_from(["open", "in_progress", "closed"]),
    }
)

# ------------------------------------------------------------------------------------------------ events

_GRAPH_RULE = st.fixed_dictionaries(
    {
        "pattern": some_of(
            {
                "type": st.sampled_from(
                    ["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly",
                     "Daily", "x"]
                ),
                "interval": st.integers(0, 101),
                "daysOfWeek": st.lists(st.sampled_from(["monday", "Friday", "sunday", "x"]), max_size=4),
                "firstDayOfWeek": st.sampled_from(["monday", "sunday"]),
                "index": st.sampled_from(["first", "Last", "x"]),
                "dayOfMonth": st.integers(0, 32),
                "month": st.integers(0, 13),
            }
        ),
        "range": some_of(
            {
                "type": st.sampled_from(["noEnd", "endDate", "numbered", "EndDate", "x"]),
                "startDate": RECENT_DAYS,
                "endDate": st.one_of(RECENT_DAYS, st.just("0001-01-01")),
                "numberOfOccurrences": st.sampled_from([0, 1, 999, 1000]),
                "recurrenceTimeZone": st.one_of(st.none(), ZONE_NAMES),
            }
        ),
    }
)  # fmt: skip


@st.composite
def _spans(draw: st.DrawFn) -> tuple[str, str]:
    return tuple(sorted((f"{draw(RECENT_DAYS)}T{draw(CLOCKS)}", f"{draw(RECENT_DAYS)}T{draw(CLOCKS)}")))  # type: ignore[return-value]


@st.composite
def _outlook_events(draw: st.DrawFn) -> dict[str, Any]:
    all_day = draw(st.booleans())
    moments = [each[:10] + "T00:00:00" if all_day else each for each in draw(_spans())]
    times = [{"dateTime": f"{each}.0000000", "timeZone": "UTC"} for each in moments]
    known = {"start": times[0], "end": times[1], "isAllDay": all_day}
    return known | draw(
        some_of(
            {
                "subject": TEXTS,
                "body": _ITEM_BODY,
                "originalStartTimeZone": st.one_of(st.none(), ZONE_NAMES),
                "recurrence": st.one_of(st.none(), _GRAPH_RULE),
                "attendees": st.just([{"emailAddress": {"address": "x@x.com"}}]),
                "showAs": st.just("free"),
            }
        )
    )


_ORO_RULE = st.fixed_dictionaries(
    {
        "id": st.just(5),
        "recurrenceType": st.sampled_from(["daily", "weekly", "monthly", "monthnth", "yearly", "yearnth", "x"]),
        "interval": st.integers(1, 99),
        "dayOfWeek": st.lists(st.sampled_from(["monday", "friday", "sunday"]), max_size=3, unique=True),
        "instance": st.one_of(st.none(), st.integers(1, 5)),
        "dayOfMonth": st.one_of(st.none(), st.integers(1, 31)),
        "monthOfYear": st.one_of(st.none(), st.integers(1, 12)),
        "endTime": st.one_of(st.none(), _MOMENTS),
        "occurrences": st.one_of(st.none(), st.integers(1, 999)),
        "timezone": st.sampled_from([*ZONES, "Antarctica/Troll", "Europe/Rome"]),
    }
)


@st.composite
def _oro_events(draw: st.DrawFn) -> dict[str, Any]:
    start, end = draw(_spans())
    known = {"id": 1, "title": draw(TITLES), "start": f"{start}+00:00", "end": f"{end}+00:00"}
    known["allDay"] = draw(st.booleans())
    return known | draw(some_of({"description": BLOCKS, "recurrence": st.one_of(st.none(), _ORO_RULE)}))


FOREIGN: dict[tuple[Side, Entity], st.SearchStrategy[dict[str, Any]]] = {
    (Side.OUTLOOK, Entity.CONTACT): _OUTLOOK_CONTACTS,
    (Side.ORO, Entity.CONTACT): _oro_contacts(),
    (Side.OUTLOOK, Entity.TASK): _OUTLOOK_TASKS,
    (Side.ORO, Entity.TASK): _ORO_TASKS,
    (Side.OUTLOOK, Entity.EVENT): _outlook_events(),
    (Side.ORO, Entity.EVENT): _oro_events(),
}
