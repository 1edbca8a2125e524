"""A video library: collect videos from pages and feeds, find them again, play them."""
