"""Note the names that profiles give up, in the database itself."""

import django.db.models.deletion
from django.db import migrations, models

# There is none for INSERT: what is new gives nothing up, and is not slowed down.
NOTE_THOSE_OF_A_PROFILE = """
CREATE FUNCTION profiles_note_former_names_of_profile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO profiles_formername (profile_id, handle, identifier)
    SELECT OLD.id, given_up.handle, given_up.identifier
    FROM (
        VALUES
            ('email', lower(OLD.email), lower(NEW.email)),
            ('mobile_phone', OLD.mobile_phone, NEW.mobile_phone)
    ) AS given_up (handle, identifier, new)
    WHERE given_up.identifier IS DISTINCT FROM given_up.new AND given_up.identifier IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""

NOTE_THAT_OF_AN_IDENTITY = """
CREATE FUNCTION profiles_note_former_name_of_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO profiles_formername (profile_id, handle, identifier)
    VALUES (OLD.profile_id, OLD.handle, OLD.identifier)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""

WHEN_A_PROFILE_CHANGES = """
CREATE TRIGGER note_former_names AFTER UPDATE OF email, mobile_phone ON profiles_profile
FOR EACH ROW
WHEN (
    lower(OLD.email) IS DISTINCT FROM lower(NEW.email)
    OR OLD.mobile_phone IS DISTINCT FROM NEW.mobile_phone
)
EXECUTE FUNCTION profiles_note_former_names_of_profile()
"""

WHEN_AN_IDENTITY_CHANGES = """
CREATE TRIGGER note_former_name AFTER UPDATE OF profile_id, handle, identifier ON profiles_identity
FOR EACH ROW
WHEN (
    (OLD.profile_id, OLD.handle, OLD.identifier)
    IS DISTINCT FROM (NEW.profile_id, NEW.handle, NEW.identifier)
)
EXECUTE FUNCTION profiles_note_former_name_of_identity()
"""

WHEN_AN_IDENTITY_GOES = """
CREATE TRIGGER note_former_name_of_deleted AFTER DELETE ON profiles_identity
FOR EACH ROW EXECUTE FUNCTION profiles_note_former_name_of_identity()
"""


class Migration(migrations.Migration):
    dependencies = [("profiles", "0007_log_by_key")]

    operations = [
        migrations.CreateModel(
            "FormerName",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_names",
                        to="profiles.profile",
                    ),
                ),
                (
                    "handle",
                    models.CharField(
                        help_text="That of an identity, or the field of the profile.",
                        max_length=100,
                    ),
                ),
                (
                    "identifier",
                    models.CharField(help_text="Of an email the lower case.", max_length=255),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["profile", "handle", "identifier"], name="former_name_once"
                    )
                ]
            },
        ),
        migrations.RunSQL(
            [
                NOTE_THOSE_OF_A_PROFILE,
                NOTE_THAT_OF_AN_IDENTITY,
                WHEN_A_PROFILE_CHANGES,
                WHEN_AN_IDENTITY_CHANGES,
                WHEN_AN_IDENTITY_GOES,
            ],
            [
                "DROP TRIGGER note_former_name_of_deleted ON profiles_identity",
                "DROP TRIGGER note_former_name ON profiles_identity",
                "DROP TRIGGER note_former_names ON profiles_profile",
                "DROP FUNCTION profiles_note_former_name_of_identity()",
                "DROP FUNCTION profiles_note_former_names_of_profile()",
            ],
        ),
    ]
