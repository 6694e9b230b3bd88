#!/usr/bin/env python3
"""An HTTP and an SMTP server for tests, on 127.0.0.1 at ports of the kernel's choice.

The first line on standard output says the ports; each line after it is one thing that was received, all as JSON. With
a certificate and its key as arguments both speak TLS too: HTTPS, and STARTTLS. Ends when standard input does.
"""

import asyncio
import base64
import json
import os
import ssl
import sys


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


async def serve_http(reader, writer):
    try:
        request = (await reader.readline()).decode("latin-1").split()
        if len(request) < 3:
            return
        headers = {}
        while (line := (await reader.readline()).decode("latin-1").strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = request[1]
        say({"http": request[0], "path": path, "headers": headers, "body": body.decode("utf-8", "replace")})
        if path == "/slow":
            await asyncio.sleep(60)
        status, more, answer = "200 OK", "", b"ok"
        if path.startswith("/status/"):
            status, answer = path.split("/")[2] + " As asked", b"as you asked"
        if path == "/redirect":
            status, more = "302 Found", "Location: /elsewhere\r\n"
        if path == "/endless":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        writer.write(f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(answer)}\r\nConnection: close\r\n\r\n".encode()
                     + answer)
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


def smtp_server(context):
    async def serve(reader, writer):
        mail = {"tls": False}

        async def reply(text):
            writer.write((text + "\r\n").encode())
            await writer.drain()

        try:
            await reply("220 receiver.test ESMTP")
            while (line := (await reader.readline()).decode("latin-1")):
                command = line.strip()
                verb = command.upper()
                if verb.startswith("EHLO"):
                    more = "250-STARTTLS\r\n" if context and not mail["tls"] else ""
                    await reply("250-receiver.test\r\n" + more + "250-AUTH PLAIN\r\n250 8BITMIME")
                elif verb == "STARTTLS" and context:
                    await reply("220 go on")
                    await writer.start_tls(context)
                    mail["tls"] = True
                elif verb.startswith("AUTH PLAIN"):
                    token = command[10:].strip()
                    if not token:
                        await reply("334 ")
                        token = (await reader.readline()).decode().strip()
                    mail["login"] = base64.b64decode(token).decode().split("\0")[1:]
                    await reply("235 welcome" if mail["login"][1] == "right" else "535 no")
                elif verb.startswith("MAIL FROM:"):
                    mail["from"] = command[10:]
                    mail["to"] = []
                    await reply("250 ok")
                elif verb.startswith("RCPT TO:"):
                    if "nobody" in command:
                        await reply("550 no such user")
                    else:
                        mail["to"].append(command[8:])
                        await reply("250 ok")
                elif verb == "DATA":
                    await reply("354 go on")
                    text = b""
                    while (part := await reader.readline()) != b".\r\n":
                        if not part:
                            return
                        text += part[1:] if part.startswith(b".") else part
                    say(dict(mail, smtp="mail", message=text.decode("utf-8", "replace")))
                    await reply("250 taken")
                elif verb == "QUIT":
                    await reply("221 bye")
                    return
                else:
                    await reply("502 unknown")
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    return serve


async def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    http = await asyncio.start_server(serve_http, "127.0.0.1", 0)
    smtp = await asyncio.start_server(smtp_server(context), "127.0.0.1", 0)
    ports = {"http": http, "smtp": smtp}
    if context:
        ports["https"] = await asyncio.start_server(serve_http, "127.0.0.1", 0, ssl=context)
    say({name: server.sockets[0].getsockname()[1] for name, server in ports.items()})
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
