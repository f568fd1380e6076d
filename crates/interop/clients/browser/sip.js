// SIP.js in a web page. Tells "USER registered", "USER refused CODE", "USER disconnected", "USER received FROM TYPE TEXT",
// "USER status CODE".
import { Messager, Registerer, RegistererState, UserAgent } from 'sip.js'
import { obey, tell } from './channel'

const agents = {}

obey({
  async start (url, host, user, password) {
    const agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${host}`),
      transportOptions: { server: url },
      authorizationUsername: user,
      authorizationPassword: password,
      delegate: {
        onMessage (message) {
          const { request } = message
          tell(user, 'received', request.from.uri.user, request.getHeader('Content-Type'), request.body)
          message.accept()
        },
      },
    })
    agents[user] = agent
    try {
      await agent.start()
    } catch {
      return tell(user, 'disconnected')
    }
    const registerer = new Registerer(agent)
    registerer.stateChange.addListener((state) => {
      if (state === RegistererState.Registered) tell(user, 'registered')
    })
    const onReject = ({ message }) => tell(user, 'refused', message.statusCode)
    registerer.register({ requestDelegate: { onReject } })
  },
  send (user, uri, text) {
    const status = ({ message }) => tell(user, 'status', message.statusCode)
    const requestDelegate = { onAccept: status, onReject: status }
    new Messager(agents[user], UserAgent.makeURI(uri), text, 'text/plain').message({ requestDelegate })
  },
})
