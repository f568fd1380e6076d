"""Who a phone belongs to: its number, its credit, the extension behind a number."""
from freeswitch import consoleLog

NUMBERS = {"1004": "639", "1005": "640", "1006": "641"}
BALANCES = {"1004": 100, "1005": 3, "1006": 0}


def chat(message, args):
    number = NUMBERS.get(args, "")
    consoleLog("info", "number of %s: %s\n" % (args, number))
    message.chat_execute("set", "_result=%s" % number)


def balance(message, args):
    message.chat_execute("set", "_result=%d" % BALANCES.get(args, 0))


def port(session, stream, env, args):
    stream.write(next((user for user, number in NUMBERS.items() if number == args), ""))
