"""genesis: HOST PORT PASSWORD FORMAT RECIPIENT; a line for each thing that went well."""

import asyncio
import sys

from genesis import Inbound

host, port, password, form, recipient = sys.argv[1:]
body = "žluťoučký\n\nkůň"


async def main():
    loop = asyncio.get_running_loop()
    came, job_done, reported = (loop.create_future() for _ in range(3))

    def once(future, start=""):
        async def handle(event):
            if not future.done() and event["from" if start else "Event-Name"].startswith(start):
                future.set_result(event)

        return handle

    async with Inbound(host, int(port), password) as client:
        client.on("MESSAGE", once(came))
        client.on("BACKGROUND_JOB", once(job_done))
        client.on("SMS::DELIVERY_REPORT", once(reported, "server"))
        await client.send("events plain MESSAGE BACKGROUND_JOB CUSTOM SMS::DELIVERY_REPORT")
        print("subscribed", flush=True)
        event = await asyncio.wait_for(came, 10)
        print("MESSAGE", event["from_user"], event.body, flush=True)
        print("API", (await client.send("api echo one two")).body, flush=True)
        await client.send("bgapi echo three\nJob-UUID: job-1")
        event = await asyncio.wait_for(job_done, 10)
        print("JOB", event["Job-UUID"], event.body, flush=True)
        reply = await client.send(
            "sendevent CUSTOM\nEvent-Subclass: SMS::SEND_MESSAGE\ndest_proto: sip\nfrom: server@127.0.0.1\n"
            "to: %s\ntype: text/plain\nblocking: true\nContent-Length: %d\n\n%s"
            % (recipient, len(body.encode()), body)
        )
        print("SENT", reply["Reply-Text"][:3], flush=True)
        print("REPORT", (await asyncio.wait_for(reported, 10))["Status"], flush=True)
    print("END 0", flush=True)


asyncio.run(main())
