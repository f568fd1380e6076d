def fsapi(session, stream, env, args):
    stream.write("blocked" if args == "777" else "open")
