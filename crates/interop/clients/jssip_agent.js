// JsSIP as a web page runs it, with the WebSocket of `ws` in the browser's place: URL HOST USER PASSWORD. Registers, then sends
// each "URI TEXT" line of its standard input, and prints what it sees: "registered", "received FROM TYPE TEXT",
// "status CODE".
global.WebSocket = class extends require('ws') {
  constructor(url, protocol) {
    super(url, protocol, { origin: process.env.ORIGIN })
  }
}
const JsSIP = require('jssip')

const [url, host, user, password] = process.argv.slice(2)

const ua = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(url)],
  uri: `sip:${user}@${host}`,
  password,
  register: true,
})

ua.on('registered', () => console.log('registered'))
ua.on('registrationFailed', (event) => console.log('refused', event.cause))
ua.on('disconnected', () => console.log('disconnected'))
ua.on('newMessage', ({ originator, request }) => {
  if (originator !== 'remote') return
  console.log('received', request.from.uri.user, request.getHeader('Content-Type'), request.body)
})
ua.start()

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [uri, ...words] = line.split(' ')
  ua.sendMessage(uri, words.join(' '), {
    contentType: 'text/plain',
    eventHandlers: {
      succeeded: ({ response }) => console.log('status', response.status_code),
      failed: ({ response, cause }) => console.log('status', response ? response.status_code : cause),
    },
  })
}).on('close', () => process.exit(0))
