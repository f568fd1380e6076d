"""ESL.py as a script uses it: HOST PORT PASSWORD FORMAT RECIPIENT; a line for each thing that went well."""

import sys

import ESL

host, port, password, form, recipient = sys.argv[1:]
con = ESL.ESLconnection(host, port, password)
assert con.connected() == 1
con.events(form, "MESSAGE BACKGROUND_JOB CUSTOM SMS::DELIVERY_REPORT")
print("subscribed", flush=True)


def wait(name, header, value):
    """The next event of that name with that header; others go by."""
    while True:
        event = con.recvEventTimed(10000)
        assert event is not None, "no %s" % name
        if event.getType() == name and event.getHeader(header) == value:
            return event


event = wait("MESSAGE", "from_user", "1004")
print("MESSAGE", event.getHeader("from_user"), event.getBody(), flush=True)
print("API", con.api("echo", "one two").getBody(), flush=True)
job = con.bgapi("echo", "three", "job-1")
assert job.getHeader("Job-UUID") == "job-1", job.serialize()
event = wait("BACKGROUND_JOB", "Job-UUID", "job-1")
print("JOB", event.getHeader("Job-UUID"), event.getBody(), flush=True)

send = ESL.ESLevent("CUSTOM", "SMS::SEND_MESSAGE")
send.addHeader("dest_proto", "sip")
send.addHeader("from", "server@127.0.0.1")
send.addHeader("to", recipient)
send.addHeader("type", "text/plain")
send.addHeader("blocking", "true")
send.addBody("žluťoučký\n\nkůň")
print("SENT", con.sendEvent(send).getHeader("Reply-Text")[:3], flush=True)
event = wait("CUSTOM", "from", "server@127.0.0.1")
print("REPORT", event.getHeader("Status"), flush=True)
assert con.recvEventTimed(1) is None and con.connected()
con.send("exit")
event = con.recvEvent()
while event.getType() != "SERVER_DISCONNECTED":
    event = con.recvEvent()
print("END", con.connected(), flush=True)
