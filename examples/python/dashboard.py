#!/usr/bin/env python3
"""The data of a status widget as JSON, a line a second.  dashboard.py [LINES]"""
import json
import sys
import time

from gpu_manager import get_gpu_dashboard_data, get_gpu_manager

if __name__ == "__main__":
    manager = get_gpu_manager()
    manager.start_monitoring()  # for where the temperature is going
    for line in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        if line:
            time.sleep(1)
        print(json.dumps([get_gpu_dashboard_data(gpu["id"]) for gpu in manager.gpus]), flush=True)
