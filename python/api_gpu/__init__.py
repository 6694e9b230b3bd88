"""The thirteen documented endpoints under /api/gpu, for a Flask application.

    from flask import Flask
    from api_gpu import register_gpu_api

    app = Flask(__name__)
    register_gpu_api(app)

Flask is needed only here, and only when register_gpu_api() is called. The answers are those of `gpukeeper serve`
(docs/api.md, "The GPU manager"): honest statuses for a client's mistakes, null for what a GPU does not report. There is
no authentication: what may reach the application may book memory and change the configuration.
"""

from __future__ import annotations

import json

from gpu_manager import get_gpu_manager
from gpu_manager._log import INFO, WARNING, log
from gpu_manager.allocation import checked_id, is_size
from gpu_manager.settings import DEFAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Tuple

    from gpu_manager import GPUMetrics

    Answer = Tuple[int, dict[str, Any]]

PREFIX = "/api/gpu"
_MOST_OF_BODY = 64 * 1024
_NOT_ALLOCATED = "Memory allocation failed - insufficient memory or invalid request"


class _Mistake(Exception):
    """What a client did wrong."""

    def __init__(self, status: int, error: str, detail: str = "") -> None:
        super().__init__(error)
        self.answer = failed(status, error, detail)


def succeeded(data: Any) -> Answer:
    return 200, {"success": True, "data": data}


def done(message: str, **more: Any) -> Answer:
    return 200, {"success": True, "message": message, **more}


def failed(status: int, error: str, detail: str = "") -> Answer:
    return status, {"success": False, "error": error, **({"detail": detail} if detail else {})}


class Query:
    """The parameters of a GET. A number that is none counts as absent, as documented."""

    def __init__(self, arguments: Any) -> None:
        self._arguments = arguments

    def number(self, name: str, usual: Optional[int] = None) -> Optional[int]:
        text = self._arguments.get(name)
        try:
            return usual if text is None else int(text)
        except ValueError:
            return usual

    @property
    def gpu_id(self) -> int:
        return self.number("gpu_id", 0) or 0


# ---- what is answered: functions of a query, or of a body


def status(query: Query) -> Answer:
    return succeeded(get_gpu_manager().get_gpu_status(query.gpu_id))


def status_all(_: Query) -> Answer:
    gpus = get_gpu_manager().get_all_gpus_status()
    return succeeded({"gpu_count": len(gpus), "gpus": gpus})


def metrics(query: Query) -> Answer:
    """For two kinds of clients at once: `data` of one GPU, and every GPU with its processes beside it."""
    manager = get_gpu_manager()
    everybody = manager.get_gpus_with_processes()
    found = manager.get_gpu_metrics(query.gpu_id)
    if found is None:
        code, document = failed(404, "GPU not available or invalid GPU ID")
    else:
        code, document = succeeded(_readings(found))
    return code, {**document, **everybody}


def _readings(found: GPUMetrics) -> dict[str, Any]:
    return {
        "timestamp": found.timestamp.isoformat(),
        "gpu_id": found.gpu_id,
        "gpu_name": found.gpu_name,
        "load_percent": found.load_percent,
        "memory_used_mb": found.memory_used_mb,
        "memory_total_mb": found.memory_total_mb,
        "memory_percent": found.memory_percent,
        "temperature_celsius": found.temperature_celsius,
        "state": found.state.value,
    }


def metrics_history(query: Query) -> Answer:
    limit = query.number("limit", 100)
    if limit is None or limit < 0:
        limit = 100
    rows = get_gpu_manager().get_metrics_history(query.number("gpu_id"), limit)
    return succeeded({"count": len(rows), "metrics": rows})


def temperature_trend(query: Query) -> Answer:
    minutes = query.number("duration", 5) or 0
    return succeeded(get_gpu_manager().get_temperature_trend(minutes, query.gpu_id) if minutes > 0 else {})


def memory_available(query: Query) -> Answer:
    return succeeded({"gpu_id": query.gpu_id, "available_mb": get_gpu_manager().get_available_memory(query.gpu_id)})


def throttle_status(_: Query) -> Answer:
    manager = get_gpu_manager()
    speed = manager.get_processing_speed_multiplier()
    return succeeded(
        {
            "should_throttle": speed <= 0.5,
            "speed_multiplier": speed,
            "is_throttled": manager.is_throttled,
            "current_state": manager.current_state.value,
        }
    )


def config(_: Query) -> Answer:
    current = get_gpu_manager().config
    return succeeded({key: current[key] for key in DEFAULTS})


def monitoring_start(_: Any) -> Answer:
    get_gpu_manager().start_monitoring()
    return done("GPU monitoring started")


def monitoring_stop(_: Any) -> Answer:
    get_gpu_manager().stop_monitoring()
    return done("GPU monitoring stopped")


def _gpu_of(body: dict[str, Any]) -> int:
    gpu_id = body.get("gpu_id", 0)
    if isinstance(gpu_id, bool) or not isinstance(gpu_id, int):
        raise _Mistake(400, "gpu_id takes a whole number: the index of a GPU")
    return gpu_id


def memory_allocate(body: Any) -> Answer:
    if not isinstance(body, dict) or body.get("allocation_id") is None or body.get("required_mb") is None:
        return failed(400, "Missing required fields: allocation_id, required_mb")
    gpu_id, wanted = _gpu_of(body), body["required_mb"]
    if checked_id(body["allocation_id"]) is None:
        return failed(400, _NOT_ALLOCATED, "allocation_id takes a text of 1 to 256 bytes, or a whole number")
    if not is_size(wanted):
        return failed(400, _NOT_ALLOCATED, "required_mb takes a number of MiB above 0")
    manager = get_gpu_manager()
    if not manager.allocate_memory(body["allocation_id"], wanted, gpu_id):
        return failed(400, _NOT_ALLOCATED)
    left = manager.get_available_memory(gpu_id)
    return succeeded({"allocation_id": body["allocation_id"], "allocated_mb": wanted, "available_mb": left})


def memory_deallocate(body: Any) -> Answer:
    if not isinstance(body, dict) or body.get("allocation_id") is None:
        return failed(400, "Missing required field: allocation_id")
    gpu_id = _gpu_of(body)
    manager = get_gpu_manager()
    if not manager.deallocate_memory(body["allocation_id"], gpu_id):
        return failed(404, "Deallocation failed - allocation not found")
    left = manager.get_available_memory(gpu_id)
    return succeeded({"allocation_id": body["allocation_id"], "available_mb": left})


def set_config(body: Any) -> Answer:
    if not body:
        return failed(400, "No configuration data provided")
    if not isinstance(body, dict):
        return failed(400, "Failed to update configuration: it takes a JSON object of keys and values")
    manager = get_gpu_manager()
    known = {key: value for key, value in body.items() if key in DEFAULTS}
    if len(known) < len(body):
        log(WARNING, "Unknown keys of the GPU config are ignored", keys=repr([key for key in body if key not in known]))
    reason = manager.config_problem(known) if known else ""
    if reason:
        return failed(400, f"Failed to update configuration: {reason}")
    return done("Configuration updated", data={key: manager.config[key] for key in DEFAULTS})


GET: dict[str, Callable[[Query], Answer]] = {
    "/status": status,
    "/status/all": status_all,
    "/metrics": metrics,
    "/metrics/history": metrics_history,
    "/temperature/trend": temperature_trend,
    "/memory/available": memory_available,
    "/throttle/status": throttle_status,
    "/config": config,
}
POST: dict[str, Callable[[Any], Answer]] = {
    "/memory/allocate": memory_allocate,
    "/memory/deallocate": memory_deallocate,
    "/monitoring/start": monitoring_start,
    "/monitoring/stop": monitoring_stop,
}
PUT: dict[str, Callable[[Any], Answer]] = {"/config": set_config}
_WITHOUT_BODY = (monitoring_start, monitoring_stop)


def methods(path: str) -> list[str]:
    """Those that a path takes; none for one that there is not."""
    found = [method for method, table in (("GET", GET), ("POST", POST), ("PUT", PUT)) if path in table]
    return found + (["HEAD"] if "GET" in found else []) + (["OPTIONS"] if found else [])


def answer(method: str, path: str, query: Any, content_type: str, body: bytes) -> Answer:
    """One request, by whatever server it came. `path` is what stands behind /api/gpu."""
    allowed = methods(path)
    if not allowed:
        return failed(404, f"there is no {PREFIX}{path}")
    if method not in allowed:
        return failed(405, f"{PREFIX}{path} takes {', '.join(allowed)}")
    try:
        if method in ("GET", "HEAD"):
            return GET[path](Query(query))
        handler = (POST if method == "POST" else PUT)[path]
        return handler(None if handler in _WITHOUT_BODY else _document(content_type, body))
    except _Mistake as mistake:
        return mistake.answer
    except Exception as error:  # no request takes the application down
        log(WARNING, "A request of the GPU API failed", method=method, path=path, reason=str(error))
        return failed(500, str(error))


def _document(content_type: str, body: bytes) -> Any:
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise _Mistake(415, "the body must be JSON, with Content-Type: application/json")
    if len(body) > _MOST_OF_BODY:
        raise _Mistake(413, "the body is longer than 64 KiB")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _Mistake(400, "the body is no JSON") from None


def register_gpu_api(app: Any) -> None:
    """Adds the endpoints to a Flask application."""
    from flask import Blueprint, Response, request

    blueprint = Blueprint("gpu_api", __name__, url_prefix=PREFIX)

    def respond(path: str) -> Any:
        rest = "/" + path
        if request.method == "OPTIONS" and methods(rest):
            return Response(status=200, headers={"Allow": ", ".join(methods(rest))})
        code, document = answer(request.method, rest, request.args, request.content_type or "", request.get_data())
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"
        response = Response(text, status=code, mimetype="application/json")
        if code == 405:
            response.headers["Allow"] = ", ".join(methods(rest))
        return response

    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    blueprint.add_url_rule("/<path:path>", "gpu_api", respond, methods=every, provide_automatic_options=False)
    app.register_blueprint(blueprint)
    log(INFO, "GPU API endpoints registered")


__all__ = ["answer", "register_gpu_api"]
