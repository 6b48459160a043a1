import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Recorded, Started } from './protocol.js'

/** The limit of the platform: `node:http` that sends recorded answers. */
export async function startNode(answers: Recorded[]): Promise<Started> {
  const byPath = new Map(answers.map((answer) => [answer.path, answer]))
  const server = createServer((request, response) => {
    const answer = byPath.get(request.url ?? '')
    if (!answer) return response.writeHead(404).end()
    return response
      .writeHead(200, { ...answer.headers, 'content-length': answer.body.length })
      .end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
