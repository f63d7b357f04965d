"""Modest content for the eight sign-in tables: invented people, addresses kept for examples."""

import base64
from collections.abc import Sequence
from random import Random
from uuid import UUID

from opskit.sandbox.account import DAY, dice, digest
from opskit.sandbox.items import Item, item

PEOPLE_EVERY = 4
"""One user in so many has anything in the sign-in tables."""

SESSION_DAYS = 30
ALERT_DAYS = 90


def signin_items(seed: int, users: Sequence[str], now: int) -> dict[str, tuple[Item, ...]]:
    """The items of the eight tables, by logical table; what a TTL would have deleted is not in."""
    tables: dict[str, list[Item]] = {name: [] for name in _WRITERS}
    for user in users[::PEOPLE_EVERY]:
        rng = dice(seed, "signin", user)
        for name, writer in _WRITERS.items():
            tables[name] += writer(rng, user, now)
    return {name: tuple(items) for name, items in tables.items()}


def _past(rng: Random, now: int, days: int) -> int:
    return now - rng.randint(3_600, days * DAY)


def _some(rng: Random, chance: float) -> int:
    return 1 if rng.random() < chance else 0


def _address(rng: Random) -> str:
    return f"192.0.2.{rng.randint(1, 254)}"


def _sessions(rng: Random, user: str, now: int) -> list[Item]:
    """One or two sessions; some users are half way through a challenge or rate-limited."""
    items = [_session(rng, user, now) for _ in range(rng.randint(1, 2))]
    if _some(rng, 0.2):
        items.append(_challenge(rng, user, now))
    if _some(rng, 0.2):
        limit = {"bucket_start": now - 60, "bucket_count": rng.randint(1, 9)}
        items.append(item(user_sub=user, session_id="rl#login", **limit, ttl_epoch=now + DAY))
    return items


def _session(rng: Random, user: str, now: int) -> Item:
    created = _past(rng, now, SESSION_DAYS - 2)
    return item(
        user_sub=user,
        session_id=str(UUID(int=rng.getrandbits(128), version=4)),
        created_at=created,
        last_seen_at=rng.randint(created, now),
        ip=_address(rng),
        user_agent="Mozilla/5.0 (X11; Linux x86_64)",
        revoked=rng.random() < 0.1,
        pending_auth=False,
        ttl_epoch=created + SESSION_DAYS * DAY,
    )


def _challenge(rng: Random, user: str, now: int) -> Item:
    purpose = rng.choice(("chal", "reauth"))
    expires = now + DAY
    named = {} if purpose == "chal" else {"purpose": purpose}
    return item(
        user_sub=user,
        session_id=f"{purpose}_{rng.getrandbits(128):032x}",
        pending_auth=True,
        created_at=now - 120,
        expires_at=expires,
        required_factors=["totp"],
        passed={"totp": False},
        ttl_epoch=expires,
        **named,
    )


def _totp(rng: Random, user: str, now: int) -> list[Item]:
    if not _has_totp(user):
        return []
    created = _past(rng, now, 300)
    return [
        item(
            user_sub=user,
            device_id=f"{rng.getrandbits(128):032x}",
            label="phone",
            secret_ct_b64=base64.b64encode(rng.randbytes(32)).decode(),
            enabled=True,
            created_at=created,
            last_used_at=rng.randint(created, now),
            confirmed_at=created + 30,
        )
    ]


def _has_totp(user: str) -> bool:
    """Whether the user has a TOTP device, and so recovery codes: a third of them do."""
    return int(digest("totp", user)[:8], 16) % 3 == 0


def _recovery(rng: Random, user: str, now: int) -> list[Item]:
    created = _past(rng, now, 300)
    codes = range(10 if _has_totp(user) else 0)
    return [_code(rng, user, created, used=number == 0) for number in codes]


def _code(rng: Random, user: str, created: int, *, used: bool) -> Item:
    return item(
        user_sub=user,
        code_hash=f"totp#{digest('code', rng.random())}",
        factor="totp",
        used=used,
        used_at=created + DAY if used else 0,
        created_at=created,
    )


def _sms(rng: Random, user: str, now: int) -> list[Item]:
    ids = {"sms_device_id": f"{rng.getrandbits(128):032x}"}
    number = {"phone_e164": f"+1555010{rng.randint(0, 9999):04d}", "label": "mobile"}
    return [_device(rng, user, now, **ids, **number)] * _some(rng, 0.4)


def _email(rng: Random, user: str, now: int) -> list[Item]:
    ids = {"email_device_id": f"{rng.getrandbits(128):032x}"}
    address = {"email": f"{user}@example.com", "label": "email"}
    return [_device(rng, user, now, **ids, **address)] * _some(rng, 0.5)


def _device(rng: Random, user: str, now: int, **rest: str) -> Item:
    created = _past(rng, now, 300)
    used = {"created_at": created, "last_used_at": rng.randint(created, now)}
    return item(user_sub=user, enabled=True, pending=False, **used, **rest)


def _api_keys(rng: Random, user: str, now: int) -> list[Item]:
    """At most one key; every other one expires."""
    if not _some(rng, 0.5):
        return []
    created, key_id = _past(rng, now, 200), f"{rng.getrandbits(128):032x}"
    expires = rng.choice((0, now + rng.randint(10, 100) * DAY))
    return [
        item(
            key_id=key_id,
            user_sub=user,
            secret_hash=digest("key", key_id),
            label="automation",
            prefix=f"ak_{key_id[:8]}",
            created_at=created,
            updated_at=created,
            last_used_at=rng.choice((0, rng.randint(created, now))),
            last_used_ip=_address(rng),
            revoked=False,
            revoked_at=0,
            expires_at=expires,
            allow_cidrs=["192.0.2.0/24"] * _some(rng, 0.5),
            deny_cidrs=[],
            **({"ttl_epoch": expires} if expires else {}),
        )
    ]


def _alerts(rng: Random, user: str, now: int) -> list[Item]:
    return [_alert(rng, user, now) for _ in range(rng.randint(1, 4))]


def _alert(rng: Random, user: str, now: int) -> Item:
    ts = _past(rng, now, ALERT_DAYS - 5)
    event = rng.choice(("login", "api_key_created", "mfa_device_added"))
    read = rng.random() < 0.6
    return item(
        user_sub=user,
        alert_id=f"{ts}#{rng.getrandbits(64):016x}",
        ts=ts,
        event=event,
        outcome="success",
        title=event.replace("_", " "),
        details={"ip": _address(rng)},
        read=read,
        read_at=ts + 600 if read else 0,
        ttl_epoch=ts + ALERT_DAYS * DAY,
    )


def _preferences(rng: Random, user: str, now: int) -> list[Item]:
    del rng, now
    lists: dict[str, list[str]] = {f"{way}_event_types": [] for way in ("sms", "push")}
    wanted = {"email_event_types": ["login"], "toast_event_types": ["login"]}
    return [item(user_sub=user, emails=[f"{user}@example.com"], sms_numbers=[], **lists, **wanted)]


_WRITERS = {
    "sessions": _sessions,
    "totp_devices": _totp,
    "sms_devices": _sms,
    "email_devices": _email,
    "recovery_codes": _recovery,
    "api_keys": _api_keys,
    "alerts": _alerts,
    "alert_prefs": _preferences,
}
