// slow: it builds a copy of the project
import t from 'tap'
import { dialect } from '../support/any-database.js'
import { documented } from '../support/documented.js'
import { ProjectCopy } from '../support/project-copy.js'

/** The files of the README's example, by the path that their first line says. */
const example = new Map(
  [documented('view'), documented('route of the view')].map((block) => {
    const [, path = '', text = ''] = /^\/\/ (\S+)\n([\s\S]*)$/.exec(block) ?? []
    return [path, text]
  }),
)
const [definition = '', route = ''] = example.keys()

/** What asks of every view; and of its place in the contract, which is the same over any database. */
const OF_VIEWS = 'cache/views.property'
const TESTS = dialect === 'sqlite' ? [OF_VIEWS, 'http/contract', 'http/every-example'] : [OF_VIEWS]

t.setTimeout(300_000)

t.test("the README's view is its definition and its route, and nothing else", async (t) => {
  t.match(definition, /^drizzle\/views\//)
  t.match(route, /^routes\//)
  t.equal(example.size, 2)
  const project = await ProjectCopy.create(t)
  for (const [path, text] of example) await project.write(path, text)
  await project.succeed('build.js')
  await project.succeed('dist/src/commands/openapi.js')

  for (const test of TESTS) {
    const { stdout } = await project.succeed(`dist/test/${test}.test.js`)
    t.match(stdout, /payroll/i, `${test} asks of the new view, too`)
  }

  t.test('a predicate that is too narrow fails by the name of the view', async (t) => {
    // As it is built: a build of it all would find nothing else to do.
    const path = `dist/${definition.replace(/\.ts$/, '.js')}`
    const built = await project.read(path)
    const narrow = built.replace(
      ' sql: ',
      ' matters: (row) => `$' + '{row}.salary > 200000`,\n  sql: ',
    )
    t.not(narrow, built)
    await project.write(path, narrow)
    const { code, stdout } = await project.run(`dist/test/${OF_VIEWS}.test.js`)
    t.equal(code, 1)
    t.match(stdout, /^ {0,4}not ok .*after any writes payroll_by_dept is never stale/m)
    t.match(stdout, /payroll_by_dept as served: /)
    t.notMatch(stdout, /^ {0,4}not ok .*(?:high_salary_emps|top2_by_dept)/m)
  })
})
