// JsSIP in a web page. Tells "USER registered", "USER refused CAUSE", "USER disconnected", "USER received FROM TYPE TEXT",
// "USER status CODE".
const JsSIP = require('jssip')
const { obey, tell } = require('./channel')

const agents = {}

obey({
  start (url, host, user, password) {
    const ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(url)],
      uri: `sip:${user}@${host}`,
      password,
      register: true,
    })
    ua.on('registered', () => tell(user, 'registered'))
    ua.on('registrationFailed', ({ cause }) => tell(user, 'refused', cause))
    ua.on('disconnected', () => tell(user, 'disconnected'))
    ua.on('newMessage', ({ originator, request }) => {
      if (originator !== 'remote') return
      tell(user, 'received', request.from.uri.user, request.getHeader('Content-Type'), request.body)
    })
    ua.start()
    agents[user] = ua
  },
  send (user, uri, text) {
    agents[user].sendMessage(uri, text, {
      contentType: 'text/plain',
      eventHandlers: {
        succeeded: ({ response }) => tell(user, 'status', response.status_code),
        failed: ({ response, cause }) => tell(user, 'status', response ? response.status_code : cause),
      },
    })
  },
})
