// Handles messages with modesl. Usage: with_modesl.js PORT
const esl = require('modesl');

const port = Number(process.argv[2]);
const server = new esl.Server({ host: '127.0.0.1', port, myevents: true }, () => console.log('listening'));

server.on('connection::ready', (message) => {
    message.on('error', (error) => console.log('broke', error));
    message.execute('set', 'colour=blue', () => {
        message.execute('reply', '${from_user}, you said: ${_body}', (done) => {
            if (done.getHeader('Application') !== 'reply') throw new Error(done.serialize());
            console.log('handled', message.getInfo().getBody());
            message.disconnect();
        });
    });
});
