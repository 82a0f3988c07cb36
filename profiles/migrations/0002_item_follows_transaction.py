"""Let an item's profile and purchase flag follow its transaction, in the database itself."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("profiles", "0001_initial")]

    operations = [
        migrations.RunSQL(
            [
                """
                ALTER TABLE profiles_transaction
                ADD CONSTRAINT transaction_as_item_sees_it UNIQUE (id, profile_id, is_purchase)
                """,
                """
                ALTER TABLE profiles_transactionitem
                ADD CONSTRAINT item_follows_transaction
                FOREIGN KEY (transaction_id, profile_id, is_purchase)
                REFERENCES profiles_transaction (id, profile_id, is_purchase)
                ON UPDATE CASCADE DEFERRABLE INITIALLY IMMEDIATE
                """,
            ],
            [
                "ALTER TABLE profiles_transactionitem DROP CONSTRAINT item_follows_transaction",
                "ALTER TABLE profiles_transaction DROP CONSTRAINT transaction_as_item_sees_it",
            ],
        )
    ]
