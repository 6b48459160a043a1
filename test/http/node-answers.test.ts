// no database: what the parser of HTTP refuses
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import t from 'tap'
import { build } from '../support/build.js'

const requests: [what: string, headers: string, status: number][] = [
  ['no Host', 'Connection: close', 400],
  ['Host twice', 'Host: localhost\r\nHost: localhost\r\nConnection: close', 400],
  ['two Hosts', 'Host: localhost\r\nX-A: 1\r\nhOST: evil.example\r\nConnection: close', 400],
  ['an expectation nobody knows', 'Host: localhost\r\nExpect: nothing\r\nConnection: close', 417],
]

for (const [what, headers, status] of requests) {
  t.test(`${what}: a problem, in place of the empty answer that Node would give`, async (t) => {
    const app = await build(t)
    await app.listen({ port: 0 })
    const { port } = app.server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.write(`GET /employees HTTP/1.1\r\n${headers}\r\n\r\n`)
    await once(socket, 'close')
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    t.match(answer, /content-type: application\/problem\+json/i)
    const body = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1))
    t.equal(body.status, status)
    t.match(answer, /^x-content-type-options: nosniff\r$/im)
    t.match(answer, /^x-request-id: [0-9a-f]{32}\r$/im)
  })
}
