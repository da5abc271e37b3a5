"""The local web page: runs as they happen, the endpoints' champions, and a canvas to draw a digit on.

`retrain.console.server.serve` shows a stack on 127.0.0.1, to this computer alone. The page is plain HTML,
CSS and JavaScript, in `static/`; what it shows comes as server-sent events, of which `feeds` has the ways and
`overview` and `runs` the contents.
"""
