"""Handles messages with genesis. Usage: with_genesis.py PORT"""
import asyncio
import sys

from genesis.outbound import Outbound


async def handle(session):
    await session.sendmsg("execute", "set", "colour=blue", block=True, timeout=5)
    text = "${from_user}, you said: ${_body}"
    done = await session.sendmsg("execute", "reply", text, block=True, timeout=5)
    assert done["Application"] == "reply", done
    print("handled", session.context["_body"], flush=True)


async def main():
    server = Outbound(handle, host="127.0.0.1", port=int(sys.argv[1]))
    await server.start(block=False)
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
