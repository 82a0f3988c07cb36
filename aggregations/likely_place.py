"""How strongly each kind of evidence speaks for a place: the one home of the weights."""

WEIGHTS = {
    "weight_purchase": 1,
    "weight_recent_purchase": 2,
    "weight_joined_location": 3,
    "weight_preferred_location": 5,
    "weight_address": 4,
    "weight_default_address": 6,
}
