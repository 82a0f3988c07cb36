"""What a client is told where the database refuses a profile."""

from __future__ import annotations

from omneo.resources.conflicts import Conflicts

PROFILE_CONFLICTS: Conflicts = {
    "profile_email": ("email", "The email exists"),
    "profiles_profile_mobile_phone_key": ("mobile_phone", "The phone number exists"),
    "profile_not_referred_by_itself": ("referred_by", "A profile cannot refer itself."),
    "identity_once": ("identities", "The identifier exists"),
    "profile_one_default_address": ("addresses", "One address at most is the default."),
}
