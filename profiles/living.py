"""Which profiles there are for everybody who is not told otherwise: those that are not deleted."""

from profiles.models import Profile

LIVING = Profile.objects.exclude(profile_type=Profile.Type.DELETED)
