// slow: each comparison of contracts takes seconds
// no database: documents are compared
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { breakingChanges, mayBreak } from '../../contract/breaking.js'
import { outcome } from '../support/outcome.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const OPENAPI = fileURLToPath(new URL('../../../openapi.json', import.meta.url))
const CONTRACT = fileURLToPath(new URL('../../contract/contract.js', import.meta.url))

// biome-ignore lint/suspicious/noExplicitAny: a document is changed in every place
type Document = any
type Change = (document: Document) => unknown

const create = (document: Document) => document.components.schemas.EmployeeCreate
const list = (document: Document) => document.paths['/employees'].get

/** Each with the line that must tell of it. */
const BREAKING: Record<string, [Change, RegExp]> = {
  'an operation that is removed': [
    (document) => delete document.paths['/employees/{id}'].delete,
    /^\/employees\/\{id\} delete: Operation .* was removed/,
  ],
  'a property that an answer loses': [
    (document) => delete document.components.schemas.Employee.properties.department,
    /responses .*`department` of `Employee` was removed/,
  ],
  'properties that an answer may leave out': [
    (document) => {
      document.components.schemas.Employee.required = ['id', 'salary']
    },
    /responses .*required/i,
  ],
  'a new property that a request needs': [
    (document) => {
      create(document).properties.badge = { type: 'string' }
      create(document).required.push('badge')
    },
    /requestBody .*`badge`/,
  ],
  'an enum where there was none': [
    (document) => {
      create(document).properties.department.enum = ['Sales']
    },
    /requestBody .*department: .*enum/i,
  ],
  'narrower bounds in a body': [
    (document) => {
      create(document).properties.salary.maximum = 1000
    },
    /post requestBody .*Upper bound of `salary`/,
  ],
  'narrower bounds in the query': [
    (document) => {
      list(document).parameters.find(isNamed('limit')).schema.maximum = 100
    },
    /get parameters .*Upper bound/,
  ],
  'a parameter that is removed': [
    (document) =>
      list(document).parameters.splice(list(document).parameters.findIndex(isNamed('after')), 1),
    /get parameters .*`after`.* was removed/,
  ],
  'a status that is removed': [
    (document) => delete document.paths['/employees/{id}'].get.responses[304],
    /get responses 304: /,
  ],
  'a header that is removed': [
    (document) => delete document.paths['/employees/{id}'].get.responses[200].headers.ETag,
    /get responses 200 headers ETag: /,
  ],
  'another type in an answer': [
    (document) => {
      document.components.schemas.Employee.properties.salary.type = 'string'
    },
    /responses .* salary: /,
  ],
  'another type in a request': [
    (document) => {
      document.components.schemas.EmployeePatch.properties.salary.type = 'integer'
    },
    /put requestBody .* salary: /,
  ],
  'a key that is needed now': [(document) => document.security.pop(), /^security/],
  'another name of a method in clients': [
    (document) => {
      list(document).operationId = 'getEmployees'
    },
    /`operationId` of operation/,
  ],
}

const HARMLESS: Record<string, Change> = {
  'a new property that a request may have': (document) => {
    create(document).properties.badge = { type: 'string' }
  },
  'a new header that a request may have': (document) => {
    document.paths['/employees'].post.parameters.push({
      in: 'header',
      name: 'Prefer',
      description: 'What the answer may leave out',
      schema: { type: 'string' },
    })
  },
  'a new operation': (document) => {
    const { get } = document.paths['/employees/high-salary']
    document.paths['/a/new/operation'] = { get: { ...get, operationId: 'listWhatIsNew' } }
  },
  'other words': (document) => {
    document.components.schemas.Employee.description = 'Somebody who works here'
    list(document).description = 'Everybody'
  },
  'a new header that an answer may have': (document) => {
    list(document).responses[200].headers['X-Total'] = {
      description: 'How many there are',
      schema: { type: 'integer' },
    }
  },
  'a new status': (document) => {
    list(document).responses[404] = list(document).responses[400]
  },
}

t.test('whatever a client could miss is found, and named', async (t) => {
  const { file, changed } = await released(t)
  // Together: each time, the diff takes a second.
  const present = changed((document) => {
    for (const [change] of Object.values(BREAKING)) change(document)
  })
  const found = breakingChanges(file, present)
  for (const [name, [, line]] of Object.entries(BREAKING)) {
    t.ok(
      found.some((change) => line.test(change)),
      `${name}: ${line}`,
    )
  }
  for (const line of found) {
    t.ok(
      Object.values(BREAKING).some(([, expected]) => expected.test(line)),
      line,
    )
  }
})

t.test('what no client can miss is no breaking change', async (t) => {
  const { file, changed } = await released(t)
  const present = changed((document) => {
    for (const change of Object.values(HARMLESS)) change(document)
  })
  t.strictSame(breakingChanges(file, present), [])
})

t.test('a breaking change needs a version that says so', async (t) => {
  const { changed, check } = await released(t)
  const renamed: Change = (document) => {
    list(document).operationId = 'getEmployees'
  }
  t.match(await check(changed(renamed)), {
    code: 1,
    stderr: /0\.1\.0 breaks what clients of 0\.1\.0 rely on:\n- .+\n\n.*raise the minor number/,
  })

  const risen = changed((document) => {
    renamed(document)
    document.info.version = '0.2.0'
  })
  t.match(await check(risen), { code: 0, stdout: 'breaks, as the version says' })
})

t.test('a document that is badly made is refused', async (t) => {
  const { changed, check } = await released(t)
  const bad = changed((document) => {
    delete list(document).operationId
  })
  t.match(await check(bad), { code: 1, stderr: 'operation-operationId' })
})

t.test('a version may break as Semantic Versioning has it', async (t) => {
  t.notOk(mayBreak('0.1.0', '0.1.1'))
  t.ok(mayBreak('0.1.0', '0.2.0'))
  t.ok(mayBreak('0.9.0', '1.0.0'))
  t.notOk(mayBreak('1.0.0', '1.1.0'))
  t.ok(mayBreak('1.9.9', '2.0.0'))
  t.notOk(mayBreak('1.1.0', '0.9.0'))
})

/** A released contract of this test's own, changed ones, and the check of those against it. */
async function released(t: Test) {
  const directory = await temporaryDirectory(t)
  const file = join(directory, 'released.json')
  const document = JSON.parse(readFileSync(OPENAPI, 'utf8'))
  document.info.version = '0.1.0'
  writeFileSync(file, JSON.stringify(document))

  const changed = (change: Change) => {
    const present = join(directory, 'openapi.json')
    const copy = structuredClone(document)
    change(copy)
    writeFileSync(present, JSON.stringify(copy))
    return present
  }
  const check = (present: string) => {
    const files = ['--present', present, '--released', file]
    return outcome(
      spawn(process.execPath, [CONTRACT, ...files], { stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  }
  return { file, changed, check }
}

function isNamed(name: string) {
  return (parameter: { name: string }) => parameter.name === name
}
