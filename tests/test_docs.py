"""What the documents say is what the code says."""

from docs.field_reference import PAGE, reference


def test_the_field_reference_is_what_the_models_say():
    assert PAGE.read_text() == reference(), "run `make docs`"
