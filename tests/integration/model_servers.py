#!/usr/bin/env python3
"""Servers that behave as ollama, vLLM and llama-swap do when memory is asked back, and one on a unix socket, for tests.

The first line on standard output says the ports; each line after it is one request, as JSON. Ends when standard input
does. Sources: ollama's docs/api.md; vLLM's entrypoints/serve/sleep/api_router.py; llama-swap's README.
"""

import asyncio
import json
import os
import sys


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


class Ollama:
    name = "ollama"

    def __init__(self):
        self.loaded = {"llama3.2:latest": 3 << 30, "qwen3:8b": 6 << 30}

    def answer(self, method, path, body):
        if (method, path) == ("GET", "/api/ps"):
            models = [{"name": name, "model": name, "size": size, "size_vram": size, "digest": "0" * 64,
                       "details": {"family": "llama"}, "expires_at": "2026-05-28T20:31:40.4Z"}
                      for name, size in self.loaded.items()]
            return 200, {"models": models}
        if (method, path) == ("POST", "/api/generate"):
            asked = json.loads(body)
            if asked["model"] not in self.loaded:
                return 404, {"error": f"model '{asked['model']}' not found"}
            if asked.get("keep_alive") == 0 and not asked.get("prompt"):
                del self.loaded[asked["model"]]
                return 200, {"model": asked["model"], "response": "", "done": True, "done_reason": "unload"}
        return 404, "404 page not found"


class Vllm:
    name = "vllm"

    def __init__(self):
        self.sleeping = False

    def answer(self, method, path, body):
        if (method, path) == ("GET", "/is_sleeping"):
            return 200, {"is_sleeping": self.sleeping}
        if method == "POST" and path.split("?")[0] in ("/sleep", "/wake_up"):
            self.sleeping = path.startswith("/sleep")
            return 200, ""
        return 404, {"detail": "Not Found"}


class LlamaSwap:
    name = "llama_swap"

    def __init__(self):
        self.running = ["qwen/coder 30b"]

    def answer(self, method, path, body):
        if (method, path) == ("GET", "/running"):
            return 200, {"running": [{"model": model, "state": "ready"} for model in self.running]}
        if (method, path) == ("POST", "/api/models/unload"):
            self.running = []
            return 200, "OK"
        if method == "POST" and path == "/api/models/unload/qwen/coder%2030b":
            self.running = []
            return 200, "OK"
        return 404, "404 page not found"


class Sdk:
    name = "sdk"

    def answer(self, method, path, body):
        if (method, path) != ("POST", "/reclaim"):
            return 404, ""
        asked = json.loads(body)
        return 200, {"promised_bytes": asked["observed_bytes"] - asked["guaranteed_bytes"], "scrubbed": asked["scrub"]}


def served(server):
    async def serve(reader, writer):
        try:
            request = (await reader.readline()).decode("latin-1").split()
            headers = {}
            while (line := (await reader.readline()).decode("latin-1").strip()):
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            say({"server": server.name, "request": f"{request[0]} {request[1]}",
                 "authorization": headers.get("authorization")})
            status, answer = server.answer(request[0], request[1], body)
            data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            head = f"HTTP/1.1 {status} As it is\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + data)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return serve


async def main():
    ports = {}
    for server in (Ollama(), Vllm(), LlamaSwap()):
        listening = await asyncio.start_server(served(server), "127.0.0.1", 0)
        ports[server.name] = listening.sockets[0].getsockname()[1]
    await asyncio.start_unix_server(served(Sdk()), sys.argv[1])
    say(ports)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
