import { METHODS } from 'node:http'
import fc from 'fast-check'
import type { Route } from '../support/served-routes.js'

export interface Question {
  method: string
  path: string
  headers: Record<string, string>
  /** A byte in each character, so that a question can be written down. */
  body: string
}

/** Nothing but the router and Node's client say what may be asked. */
export function questions(routes: readonly Route[]): fc.Arbitrary<Question> {
  return fc
    .record({
      route: fc.constantFrom(...routes),
      other: fc.constantFrom(...METHODS.filter((method) => method !== 'CONNECT')),
      isOther: oneIn(5),
      segment,
      query,
      headers,
      isJson: fc.boolean(),
      body,
    })
    .map(({ route, other, isOther, segment, query, headers, isJson, body }) => ({
      method: isOther ? other : route.method,
      path: route.url.replaceAll(/:\w+|\*/g, () => segment) + query,
      headers: isJson ? { ...headers, 'content-type': 'application/json' } : headers,
      body,
    }))
}

const oneIn = (count: number) => fc.integer({ min: 1, max: count }).map((die) => die === 1)
const utf8 = (text: string) => Buffer.from(text).toString('latin1')

const text = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.toWellFormed())
const number = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer(), fc.double())
const anything = fc.oneof(number.map(String), text)

const ODD = ['', '..', '%', '%00', '%zz', '%2f', 'x'.repeat(1001), '1?', '01', '1e3', 'index.css']
const segment = fc.oneof(
  fc.integer({ min: 1, max: 200 }).map(String),
  anything.map(encodeURIComponent),
  fc.constantFrom(...ODD),
)
const parameter = fc.constantFrom(
  ...'limit after at department sort q salary_min salary_max limit[] x'.split(' '),
)
const query = fc.oneof(
  fc.constant(''),
  fc
    .dictionary(parameter, anything, { maxKeys: 3 })
    .map((query) => `?${new URLSearchParams(query)}`),
  fc.webQueryParameters().map((query) => `?${query}`),
)

const CONDITIONS = ['if-match', 'if-none-match', 'idempotency-key', 'content-type', 'accept']
const OTHERS = ['range', 'origin', 'x-request-id', 'authorization', 'cookie', 'x-forwarded-for']
const name = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...CONDITIONS, ...OTHERS) },
  // Nearly all of their values end a request early.
  fc.constantFrom('host', 'expect'),
)
const VALUES = ['*', '"1"', 'W/"1", "2"', 'application/json', '100-continue', 'localhost', '']
// What a client of node:http can put into a header at all.
const visible = fc
  .integer({ min: 0x20, max: 0xff })
  .filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code))
const value = fc.oneof(fc.string({ unit: visible, maxLength: 60 }), fc.constantFrom(...VALUES))
const headers = fc.dictionary(name, value, { maxKeys: 4 })

const word = fc.stringMatching(/^[a-z]{1,20}$/)
const good = fc.record({ name: word, salary: fc.integer({ min: 0, max: 2e5 }), department: word })
const employee = fc.record({ name: text, salary: number, department: text }, { requiredKeys: [] })
const body = fc.oneof(
  fc.constant(''),
  { weight: 2, arbitrary: good.map((employee) => JSON.stringify(employee)) },
  { weight: 2, arbitrary: employee.map((employee) => utf8(JSON.stringify(employee))) },
  fc.json().map(utf8),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)
