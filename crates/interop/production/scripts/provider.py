"""The way out: a provider that is reached over HTTP."""
import urllib.parse

from freeswitch import API, consoleLog, getGlobalVariable


def chat(message, args):
    to, number, text = args.split("|", 2)
    data = urllib.parse.urlencode({"to": to, "from": number, "text": text})
    url = getGlobalVariable("provider") + "/send?version=1&kind=sms"
    # curl takes off one encoding.
    answer = API().execute("curl", "%s post %s" % (url, urllib.parse.quote(data)))
    consoleLog("info", "provider: %s\n" % answer)
    message.chat_execute("set", "_result=%s" % ("queued" if "queued" in answer else "failed"))
