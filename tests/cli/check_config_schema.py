"""Validates the example configuration against the published schema, with implementations that are not ours.

usage: check_config_schema.py SCHEMA EXAMPLE; exit status 77 (skipped) where python3-yaml or python3-jsonschema is not installed.
"""
import json
import pathlib
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    print("skipped: install python3-yaml and python3-jsonschema")
    sys.exit(77)

schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


class Loader(yaml.SafeLoader):
    """As YAML 1.2 and we read it: off is a word, no truth value."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

document = yaml.load(pathlib.Path(sys.argv[2]).read_text(), Loader)
errors = list(validator.iter_errors(document))
for error in errors:
    print(f"{error.json_path}: {error.message}")

# The judge must be able to say no.
for wrong in ({"temp_throttle": "hot"}, {"lisen": []}, {"log": {"level": "loud"}}, {"temp_throttle": 500}):
    if validator.is_valid(wrong):
        errors.append(wrong)
        print(f"{wrong} was taken for valid")
sys.exit(bool(errors))
