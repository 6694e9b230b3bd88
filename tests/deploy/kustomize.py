"""What of Kustomize deploy/kubernetes uses, so that it can be checked where there is no kubectl."""
import os

import yaml

# By which field the items of a list are told apart, as the API's strategic merge says; other lists are replaced.
KEYS = {"containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath",
        "ports": "containerPort"}
KNOWN = {"apiVersion", "kind", "namespace", "labels", "resources", "patches", "configMapGenerator", "generatorOptions"}
CLUSTER_WIDE = {"Namespace"}


def documents(path):
    with open(path, encoding="utf-8") as file:
        return [each for each in yaml.safe_load_all(file) if each]


def merged(old, patch, field=""):
    """A strategic merge: mappings by key, lists by KEYS, null takes away."""
    if isinstance(old, dict) and isinstance(patch, dict):
        result = dict(old)
        for key, value in patch.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = merged(result.get(key), value, key)
        return result
    if isinstance(old, list) and isinstance(patch, list) and field in KEYS:
        names = [each[KEYS[field]] for each in old]
        result = list(old)
        for each in patch:
            if each[KEYS[field]] in names:
                where = names.index(each[KEYS[field]])
                result[where] = merged(result[where], each)
            else:
                result.append(merged({}, each))
        return result
    return merged({}, patch) if isinstance(patch, dict) and old is None else patch


def built(folder):
    """The objects of a kustomization."""
    with open(os.path.join(folder, "kustomization.yaml"), encoding="utf-8") as file:
        told = yaml.safe_load(file)
    if set(told) - KNOWN:
        raise ValueError(f"{folder}: this check does not know {sorted(set(told) - KNOWN)}")
    objects = []
    for name in told.get("resources", []):
        path = os.path.join(folder, name)
        objects += built(path) if os.path.isdir(path) else documents(path)
    for generator in told.get("configMapGenerator", []):
        data = {}
        for name in generator["files"]:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                data[os.path.basename(name)] = file.read()
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data})
    for patch in told.get("patches", []):
        change, = documents(os.path.join(folder, patch["path"]))
        fits = [i for i, each in enumerate(objects)
                if (each["kind"], each["metadata"]["name"]) == (change["kind"], change["metadata"]["name"])]
        if len(fits) != 1:
            raise ValueError(f"{folder}/{patch['path']}: {len(fits)} objects are {change['kind']} {change['metadata']['name']}")
        objects[fits[0]] = merged(objects[fits[0]], change)
    for each in objects:
        if told.get("namespace") and each["kind"] not in CLUSTER_WIDE:
            each["metadata"]["namespace"] = told["namespace"]
        for label in told.get("labels", []):
            each["metadata"].setdefault("labels", {}).update(label["pairs"])
    return objects
