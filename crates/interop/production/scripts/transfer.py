import freeswitch


def chat(message, args):
    sender, recipient, amount = args.split()
    freeswitch.consoleLog("notice", "transfer of %s from %s to %s\n" % (amount, sender, recipient))
    message.chat_execute("set", "_result=%s & %s: %s moved" % (sender, recipient, amount))
