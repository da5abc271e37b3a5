"""The local web page. Not built yet."""
