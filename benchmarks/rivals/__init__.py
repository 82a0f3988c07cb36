"""Other ways to the same result, each as somebody who knows that way well would take it."""
