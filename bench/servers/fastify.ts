import Fastify from 'fastify'
import { Employee, EmployeeCreate, employeeComponents } from '../../src/employees/schemas.js'
import { json } from '../../src/http/responses.js'
import { buildValidator } from '../../src/http/validation.js'
import { problemComponents, ref } from '../../src/problems/schemas.js'
import { ONE } from '../loads.js'
import type { Recorded, Started } from './protocol.js'

/**
 * The limit of the framework: Fastify without a plugin or a hook, which sends recorded answers, and
 * checks a POST as the service does and stores nothing.
 */
export async function startFastify(answers: Recorded[]): Promise<Started> {
  const app = Fastify({ schemaController: { compilersFactory: { buildValidator } } })
  for (const schema of [...employeeComponents, ...problemComponents]) app.addSchema(schema)
  for (const { path, headers, body } of answers) {
    const [route] = path.split('?') as [string]
    // A route by id, as the service has it.
    app.get(path === ONE ? '/employees/:id' : route, (_request, reply) =>
      reply.headers(headers).send(body),
    )
  }
  const schema = {
    body: ref(EmployeeCreate),
    response: { 201: json(Employee, 'The new employee') },
  }
  const one = answers.find(({ path }) => path === ONE)
  app.post('/employees', { schema }, (request, reply) => {
    reply.code(201).headers({ ...one?.headers, location: '/employees/1' })
    return { id: 1, ...(request.body as EmployeeCreate) }
  })
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}
