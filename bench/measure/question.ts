import { setTimeout } from 'node:timers/promises'
import type { Load, Question } from '../loads.js'
import { ServerProcess, type Target } from '../servers/process.js'
import type { Levels } from '../servers/protocol.js'
import { type Measured, measure } from './load.js'
import { type Answer, answerOf } from './wire.js'

/** How often it is asked whether an answer is as it must be by now, and how long between, in milliseconds. */
const ATTEMPTS = 120
const PAUSE_MS = 25

/** What the service says of an answer from each level (RFC 9211); the others say nothing. */
const STATUS: Record<Levels, RegExp> = {
  near: /detail=near/,
  redis: /detail=redis/,
  // Nor made of an older entry and what has changed since.
  none: /fwd=miss(?!.*detail=)/,
}

/** An answer never is as the question wants it: in that coding, from that level of the cache. */
export class OtherAnswer extends Error {}

/**
 * Measures what a question asks for, and puts back what it changed.
 *
 * @throws {OtherAnswer}
 */
export async function measureOn(
  server: Target,
  question: Question,
  seconds: number,
): Promise<Measured> {
  const { levels, writes } = question
  const process = server instanceof ServerProcess ? server : undefined
  if (levels) await process?.ask('use', levels)
  try {
    await untilAsAsked(server, question)
    const requests = await requestsOf(question, server.url)
    const [request] = requests
    const bytes = request && !writes ? (await answerOf(server.url, request)).bytes : undefined
    return { ...(await measure(server, { ...question, requests }, seconds)), bytes }
  } finally {
    if (levels) await process?.ask('use', 'near')
    if (writes) await process?.ask('restore')
  }
}

/** With the entity tag of now, if what they ask is whether it is still that. */
async function requestsOf(
  { requests, conditional }: Question,
  url: string,
): Promise<Load['requests']> {
  if (!conditional) return requests
  return Promise.all(
    requests.map(async (request) => {
      const { headers } = await answerOf(url, request)
      return { ...request, headers: { 'if-none-match': headers.etag ?? '' } }
    }),
  )
}

/** What is sent in a coding is made after the first one who asks, as is what is in the cache. */
async function untilAsAsked({ url }: Target, question: Question): Promise<void> {
  const { name, levels, requests } = question
  const [request] = requests
  if (!request || !levels) return
  let status: unknown
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const answer = await answerOf(url, request)
    status = answer.headers['cache-status']
    if (isAsAsked(answer, question)) return
    await setTimeout(PAUSE_MS)
  }
  throw new OtherAnswer(`${name}: it was never answered so, at last from "${status}"`)
}

function isAsAsked({ headers }: Answer, { coding, levels }: Question): boolean {
  const status = headers['cache-status']
  if (status !== undefined && levels && !STATUS[levels].test(`${status}`)) return false
  return headers['content-encoding'] === coding
}
