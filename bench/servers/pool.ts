import Fastify from 'fastify'
import { Pool } from 'pg'
import type { Started } from './protocol.js'

const INSERT = `INSERT INTO employees (name, salary, department) VALUES ($1, $2, $3)
  RETURNING id::int, name, salary, department`

interface Body {
  name: string
  salary: number
  department: string
}

/** How it is mostly done: a pool of eight connections, and a commit for each request. */
export async function startPool(databaseUrl: string): Promise<Started> {
  const pool = new Pool({ connectionString: databaseUrl, max: 8 })
  const app = Fastify()
  app.post<{ Body: Body }>('/employees', async ({ body }, reply) => {
    const values = [body.name, body.salary, body.department]
    const { rows } = await pool.query({ name: 'insert', text: INSERT, values })
    return reply.code(201).send(rows[0])
  })
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}
