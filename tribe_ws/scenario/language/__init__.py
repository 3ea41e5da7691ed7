"""The language of scenario files: from YAML to a model whose every value knows where it stands."""
