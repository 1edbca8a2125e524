"""The HTTP side of the library: one router per noun."""
