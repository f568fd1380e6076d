// Between the page and the test.

// Resolved once all was told that is to be told.
let told = Promise.resolve()

/** Tells the test, in order. */
exports.tell = (...words) => {
  told = told.then(() => fetch('/seen', { method: 'POST', body: words.join(' ') }))
}

/** Tells "here", then does what the test commands: "start URL HOST USER PASSWORD", "send USER URI TEXT". */
exports.obey = async ({ start, send }) => {
  exports.tell('here')
  for (;;) {
    const [command, ...words] = (await (await fetch('/command')).text()).split(' ')
    if (command === 'start') start(...words)
    if (command === 'send') send(words[0], words[1], words.slice(2).join(' '))
  }
}
