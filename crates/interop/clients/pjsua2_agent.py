"""One pjsua2 user: registers, then sends each "URI TEXT" line of its standard input as a MESSAGE, and prints what
it sees: "registered CODE", "received FROM TYPE TEXT", "status TO CODE"."""
import os
import select
import sys

import pjsua2 as pj


class Account(pj.Account):
    def onRegState(self, prm):
        print("registered", prm.code, flush=True)

    def onInstantMessage(self, prm):
        print("received", prm.fromUri, prm.contentType, prm.msgBody, flush=True)

    def onInstantMessageStatus(self, prm):
        print("status", prm.toUri, prm.code, flush=True)


def endpoint(transport):
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 1
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    ep = pj.Endpoint()
    ep.libCreate()
    ep.libInit(config)
    settings = pj.TransportConfig()
    settings.port, settings.boundAddress = 0, os.environ.get("PJSUA2_ADDRESS", "127.0.0.1")
    kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
    if transport == "tls" and len(sys.argv) > 5:
        settings.tlsConfig.CaListFile, settings.tlsConfig.verifyServer = sys.argv[5], True
    ep.transportCreate(kinds[transport], settings)
    ep.libStart()
    return ep


def main(server, transport, user, password, authority=None):
    ep = endpoint(transport)
    config = pj.AccountConfig()
    config.idUri = f"sip:{user}@{server}"
    config.regConfig.registrarUri = f"sip:{server};transport={transport}"
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    account = Account()
    account.create(config)
    buddies = []
    while True:
        ep.libHandleEvents(20)
        if select.select([sys.stdin], [], [], 0)[0]:
            line = sys.stdin.readline()
            if not line:
                os._exit(0)
            uri, _, text = line.rstrip("\n").partition(" ")
            buddy, setting, message = pj.Buddy(), pj.BuddyConfig(), pj.SendInstantMessageParam()
            setting.uri, message.content = f"{uri};transport={transport}", text
            buddy.create(account, setting)
            buddy.sendInstantMessage(message)
            buddies.append(buddy)  # pjsua2 forgets the answer of a buddy that Python has dropped


main(*sys.argv[1:])
