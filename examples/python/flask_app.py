#!/usr/bin/env python3
"""The GPU manager's endpoints in a Flask application, and the state of the whole computer.

    python3 examples/python/flask_app.py [PORT]
    curl http://127.0.0.1:5000/api/gpu/status

Whoever can reach it may book memory and change the configuration: keep it to this machine, or put a login before it.
"""
import os
import sys

from flask import Flask, jsonify

from api_gpu import register_gpu_api
from gpu_manager import get_gpu_manager

app = Flask(__name__)
register_gpu_api(app)


@app.route("/api/system/status")
def system_status():
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in file}
    return jsonify({
        "gpu": get_gpu_manager().get_gpu_status(),
        "cpu": {"count": os.cpu_count(), "load": os.getloadavg()[0]},
        "memory": {"total_mb": memory["MemTotal"], "available_mb": memory["MemAvailable"]},
    })


if __name__ == "__main__":
    get_gpu_manager().start_monitoring()
    app.run(host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
