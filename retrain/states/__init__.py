"""The States Language: model, validation and a strict engine. Not built yet: MiniStack's serves, mended."""
