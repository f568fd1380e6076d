#!/usr/bin/env python3
# A message from outside, as FreeSWITCH's page on mod_sms shows it: HOST PORT PASSWORD RECIPIENT.
import sys

from ESL import *

host, port, password, recipient = sys.argv[1:]
con = ESLconnection(host, port, password)
event = ESLevent("CUSTOM", "SMS::SEND_MESSAGE")
event.addHeader("proto", "sip")
event.addHeader("dest_proto", "sip")
event.addHeader("from", "1004@127.0.0.1")
event.addHeader("from_full", "sip:1004@127.0.0.1")
event.addHeader("to", recipient)
event.addHeader("subject", "sip:" + recipient)
event.addHeader("type", "text/plain")
event.addHeader("hint", "the hint")
event.addHeader("replying", "true")
event.addHeader("sip_profile", "internal")
event.addBody("Hello from Python")
con.sendEvent(event)
