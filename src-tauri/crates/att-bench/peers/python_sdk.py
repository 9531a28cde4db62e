"""The Python SDK: `default` makes an HTTP client per server, `shared` one context of certificates for all."""

import asyncio
import json
import os
import ssl
import sys
import time

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

how, job = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
certificates = ssl.create_default_context() if how == "shared" else None


def rss_kib():
    for line in open("/proc/self/status", encoding="utf-8"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])


def client(url):
    if certificates is None:
        return Client(url, mode="legacy")
    http = httpx2.AsyncClient(verify=certificates, timeout=httpx2.Timeout(30, read=300))
    return Client(streamable_http_client(url, http_client=http), mode="legacy")


async def main():
    before, begun, listed, end = rss_kib(), time.perf_counter(), asyncio.Queue(), asyncio.Event()

    async def run(server):
        try:
            async with client(server["url"]) as session:
                await session.list_tools()
                if server["healthy"]:
                    await listed.put(session)
                await end.wait()
        except BaseException:
            if server["healthy"] and not end.is_set():
                raise

    tasks = [asyncio.create_task(run(server)) for server in job["servers"]]
    sessions = [await listed.get() for server in job["servers"] if server["healthy"]]
    measured = {"ready_ms": (time.perf_counter() - begun) * 1000}
    await asyncio.sleep(1)
    measured["memory_kib"] = rss_kib() - before
    if job["calls"]:
        times = []
        for number in range(job["calls"]):
            began = time.perf_counter()
            await sessions[0].call_tool("echo", {"text": "hello"})
            times.append((time.perf_counter() - began) * 1e6)
        times = sorted(times[len(times) // 10 :])
        measured["p50_us"], measured["p99_us"] = times[len(times) // 2], times[len(times) * 99 // 100]
        left = job["calls"]

        async def calls():
            for _ in range(left // 64):
                await sessions[0].call_tool("echo", {"text": "hello"})

        began = time.perf_counter()
        await asyncio.gather(*(calls() for _ in range(64)))
        measured["per_second"] = left // 64 * 64 / (time.perf_counter() - began)
    print(json.dumps(measured), flush=True)
    end.set()
    for task in tasks:
        task.cancel()
    os._exit(0)


asyncio.run(main())
