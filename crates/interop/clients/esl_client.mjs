// esl: HOST PORT PASSWORD FORMAT RECIPIENT; a line for each thing that went well.
import { createRequire } from 'node:module'

const { FreeSwitchClient, once } = createRequire(process.cwd() + '/')('esl')

const [host, port, password, , recipient] = process.argv.slice(2)
const quiet = { debug() {}, info() {}, error: console.error }
const client = new FreeSwitchClient({ host, port: Number(port), password, logger: quiet })
const connected = once(client, 'connect')
await client.connect()
const [call] = await connected
const came = new Promise((resolve) => call.once('MESSAGE', resolve))
const reported = new Promise((resolve) =>
  call.on('CUSTOM', (event) => event.body.from === 'server@127.0.0.1' && resolve(event)))
await call.event_json('MESSAGE', 'BACKGROUND_JOB', 'CUSTOM', 'SMS::DELIVERY_REPORT')
console.log('subscribed')
const message = await came
console.log('MESSAGE', message.body.from_user, message.body._body)
console.log('API', (await call.api('echo one two')).body)
console.log('JOB', 'job-1', (await call.bgapi('echo three', 10000)).body._body)
const sent = await call.sendevent('CUSTOM', {
  'Event-Subclass': 'SMS::SEND_MESSAGE',
  dest_proto: 'sip',
  from: 'server@127.0.0.1',
  to: recipient,
  type: 'text/plain',
  blocking: 'true',
  _body: 'from esl',
})
console.log('SENT', sent.headers['Reply-Text'].slice(0, 3))
console.log('REPORT', (await reported).body.Status)
await client.end()
console.log('END 0')
process.exit(0)
