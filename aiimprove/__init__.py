"""aiimprove keeps a web app live and keeps making it better."""

__version__ = "0.1.0"
