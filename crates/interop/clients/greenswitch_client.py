"""greenswitch: HOST PORT PASSWORD FORMAT RECIPIENT; a line for each thing that went well."""

import gevent.monkey

gevent.monkey.patch_all()

import sys

import gevent.event
import greenswitch



def body_of(event):
    """It takes a body for lines that go on with the header before: Content-Length, the last one."""
    return event.headers["Content-Length"].split("\n")[-1]


host, port, password, form, recipient = sys.argv[1:]
client = greenswitch.InboundESL(host=host, port=int(port), password=password)
client.connect()
came, reported, job_done = (gevent.event.AsyncResult() for _ in range(3))
client.register_handle("MESSAGE", came.set)
client.register_handle("BACKGROUND_JOB", job_done.set)
client.register_handle("SMS::DELIVERY_REPORT", lambda event: event.headers["from"][:6] == "server" and reported.set(event))
client.send("events plain MESSAGE BACKGROUND_JOB CUSTOM SMS::DELIVERY_REPORT")
print("subscribed", flush=True)
event = came.get(timeout=10)
print("MESSAGE", event.headers["from_user"], body_of(event), flush=True)
print("API", client.send("api echo one two").data, flush=True)
client.send("bgapi echo three\nJob-UUID: job-1")
event = job_done.get(timeout=10)
print("JOB", event.headers["Job-UUID"], body_of(event), flush=True)
body = "žluťoučký\n\nkůň"
reply = client.send(
    "sendevent CUSTOM\nEvent-Subclass: SMS::SEND_MESSAGE\ndest_proto: sip\nfrom: server@127.0.0.1\nto: %s\n"
    "type: text/plain\nblocking: true\nContent-Length: %d\n\n%s" % (recipient, len(body.encode()), body)
)
print("SENT", reply.data[:3], flush=True)
print("REPORT", reported.get(timeout=10).headers["Status"], flush=True)
client.stop()
print("END 0", flush=True)
