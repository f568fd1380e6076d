// modesl: HOST PORT PASSWORD FORMAT RECIPIENT; a line for each thing that went well.
const esl = require('modesl')

const [host, port, password, form, recipient] = process.argv.slice(2)
const names = ['MESSAGE', 'BACKGROUND_JOB', 'CUSTOM', 'SMS::DELIVERY_REPORT']

const con = new esl.Connection(host, Number(port), password, () => {
  con.events(form, names, () => console.log('subscribed'))
})

con.once('esl::event::MESSAGE::*', (event) => {
  console.log('MESSAGE', event.getHeader('from_user'), event.getBody())
  con.api('echo', ['one two'], (answer) => {
    console.log('API', answer.getBody())
    con.bgapi('echo', ['three'], 'job-1', (job) => {
      console.log('JOB', job.getHeader('Job-UUID'), job.getBody())
      send()
    })
  })
})

function send() {
  con.on('esl::event::CUSTOM::*', (event) => {
    if (event.getHeader('from') !== 'server@127.0.0.1') return
    console.log('REPORT', event.getHeader('Status'))
    con.disconnect()
    console.log('END 0')
    process.exit(0)
  })
  const event = new esl.Event('CUSTOM', 'SMS::SEND_MESSAGE')
  const headers = { dest_proto: 'sip', from: 'server@127.0.0.1', to: recipient, type: 'text/plain', blocking: 'true' }
  for (const [name, value] of Object.entries(headers)) event.addHeader(name, value)
  // It counts letters where octets count, so what it sends has one octet a letter.
  event.addBody('from modesl')
  con.sendEvent(event, (reply) => console.log('SENT', reply.getHeader('Reply-Text').slice(0, 3)))
}
