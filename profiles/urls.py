"""The paths of profiles, below the API's own. A slash at the end makes no difference.

`profiles` and `profiles/{id}` themselves are routed by the app above, whose view adds aggregations.
"""

from omneo.resources.paths import ONE, action_path, resource_paths
from profiles.views.address import ProfileAddressViewSet
from profiles.views.batch import ProfileBatchViewSet
from profiles.views.currency import CurrencyViewSet
from profiles.views.identity import (
    HandleViewSet,
    IdentifierViewSet,
    IdentityViewSet,
    ProfileIdentityViewSet,
    SearchIdViewSet,
)
from profiles.views.profile import ProfileViewSet
from profiles.views.tier import HoldingViewSet, StatusViewSet
from profiles.views.transaction import ProfileTransactionViewSet, TransactionViewSet

ID = r"(?P<pk>[^/]+)"
PROFILE = r"profiles/(?P<profile>[^/]+)"
READ = {"get": "list"}

urlpatterns = [
    action_path("profiles/batch", ProfileBatchViewSet, {"post": "create"}, detail=False),
    action_path(f"batches/{ID}", ProfileBatchViewSet, {"get": "retrieve"}),
    action_path("profiles/merge", ProfileViewSet, {"post": "merge"}, detail=False),
    action_path("profiles/search-id", SearchIdViewSet, {"post": "search"}, detail=False),
    action_path(f"profiles/{ID}/update-type", ProfileViewSet, {"put": "update_type"}),
    action_path(f"profiles/{ID}/purge", ProfileViewSet, {"post": "purge", "delete": "purge"}),
    *resource_paths(f"{PROFILE}/addresses", ProfileAddressViewSet),
    *resource_paths(f"{PROFILE}/statuses", HoldingViewSet),
    *resource_paths(f"{PROFILE}/transactions", ProfileTransactionViewSet),
    action_path(f"{PROFILE}/identities/id/{ID}", ProfileIdentityViewSet, ONE),
    action_path(
        f"{PROFILE}/identities",
        ProfileIdentityViewSet,
        {"get": "list", "post": "create"},
        detail=False,
    ),
    action_path(rf"{PROFILE}/identities/(?P<handle>[^/]+)", HandleViewSet, ONE),
    action_path("identities", IdentityViewSet, READ, detail=False),
    action_path(
        r"identities/search-profile/(?P<identifier>.+?)", IdentifierViewSet, READ, detail=False
    ),
    action_path(
        "transactions/update-create", TransactionViewSet, {"post": "update_create"}, detail=False
    ),
    action_path("transactions/batch", TransactionViewSet, {"post": "batch"}, detail=False),
    action_path("transactions/queue", TransactionViewSet, {"post": "queue"}, detail=False),
    action_path(
        r"transactions/external/(?P<external_id>[^\x00]+?)", TransactionViewSet, {"get": "external"}
    ),
    *resource_paths("transactions", TransactionViewSet),
    *resource_paths("currencies", CurrencyViewSet),
    *resource_paths("statuses", StatusViewSet),
]
