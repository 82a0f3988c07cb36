"""What the resources of every app build on, as the v3 API has it. Imports no app.

A resource is a `ResourceViewSet` (`.views`) with a `RowSerializer` (`.serializers`), routed by
`resource_paths` (`.paths`). Paging, filters, sorting, parsing, throttling, scopes and the form of
answers and errors come from the settings (`REST_FRAMEWORK`, `omneo.api`) without another word:

    class BrandViewSet(ResourceViewSet):
        resource = "brands"                        # the scopes brands:read and brands:write
        queryset = Brand.objects.all()             # with select_related() and prefetch_related()
        serializer_class = BrandSerializer
        filterset_fields = {"name": TEXT, "created_at": ORDER}   # or a filterset_class
        ordering_fields = ["id", "name"]           # what `sort` takes
        conflicts = {"brand_handle": ("handle", "That brand exists.")}   # where needed

    urlpatterns = resource_paths("brands", BrandViewSet)

Filters are told of in `.filters`, fields in `.fields`, times in `.moments`, and what the database
refuses in `.conflicts`: uniqueness is left to it, and its refusal becomes a 422 by field.

Import from the modules, not from here: the settings name some of them, and the framework's own
modules read the settings while they are being imported.
"""
