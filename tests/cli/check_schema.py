"""Validates a command's --json of every scenario against the published schema, with an implementation that is not ours.

usage: check_schema.py GPUKEEPER SCHEMA SCENARIOS COMMAND [OPTION...]; exit status 77 (skipped) where python3-jsonschema is not installed.
"""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: install python3-jsonschema")
    sys.exit(77)

program, schema_file, scenarios, *command = sys.argv[1:]
schema = json.loads(pathlib.Path(schema_file).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


def refuse(constant):
    raise ValueError(f"{constant} is no JSON")


def documents():
    for scenario in sorted(pathlib.Path(scenarios).glob("*.yaml")):
        yield scenario.name, ["--source", f"simulated:{scenario}", "--speed", "max"]
    yield "this machine", []


failed = False
for name, arguments in documents():
    result = subprocess.run([program, *command, "--json", *arguments], capture_output=True, timeout=60)
    if result.returncode not in (0, 3):  # 3: throttle says that work should slow down
        raise SystemExit(f"{name}: exit status {result.returncode}: {result.stderr.decode()}")
    text = result.stdout
    document = json.loads(text, parse_constant=refuse)
    errors = list(validator.iter_errors(document))
    for error in errors[:5]:
        print(f"{name}: {error.json_path}: {error.message}")
    failed |= bool(errors)
    print(f"{name}: {'wrong' if errors else 'valid'}")

# The judge must be able to say no.
broken = json.loads(text)
for name, value in broken.items():
    broken[name] = [{"index": -1}] if isinstance(value, list) else value
if validator.is_valid(broken):
    print("a broken document was taken for valid")
    failed = True
sys.exit(failed)
