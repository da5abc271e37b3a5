"""The demo: the whole way of the data, told as it happens."""
