// Serves a web page to a browser on loopback: LIBRARY PORT CERTIFICATE. The page is `LIBRARY.js` beside this file with all that it
// requires. A line of standard input is a command for the page, which fetches it; what the page has to tell is printed.
// First of all: "spki HASH", by which a browser can be told to believe the certificate.
const crypto = require('crypto')
const fs = require('fs')
const http = require('http')
const path = require('path')
const readline = require('readline')
const esbuild = require('esbuild')

const [library, port, certificate] = process.argv.slice(2)

const script = esbuild.buildSync({
  entryPoints: [path.join(__dirname, `${library}.js`)],
  nodePaths: [process.env.NODE_PATH],
  bundle: true,
  write: false,
}).outputFiles[0].text

// Commands that nobody has fetched, and a page that waits for one.
const commands = []
let waiting = null

function hand () {
  if (!waiting || commands.length === 0) return
  waiting.end(commands.shift())
  waiting = null
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => { commands.push(line); hand() })
  .on('close', () => process.exit(0))

http.createServer((request, response) => {
  switch (request.url) {
    case '/':
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      return response.end('<!DOCTYPE html><title>chat</title><script src="/page.js"></script>')
    case '/page.js':
      response.setHeader('Content-Type', 'text/javascript; charset=utf-8')
      return response.end(script)
    case '/command':
      waiting = response
      return hand()
    case '/seen':
      return request.setEncoding('utf8').on('data', (text) => process.stdout.write(text)).on('end', () => {
        process.stdout.write('\n')
        response.end()
      })
    default:
      response.statusCode = 404
      response.end()
  }
}).listen(Number(port), '127.0.0.1', () => {
  const key = new crypto.X509Certificate(fs.readFileSync(certificate)).publicKey
  const hash = crypto.createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('base64')
  console.log('spki', hash)
})
