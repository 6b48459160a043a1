// slow: it makes releases of a copy of the project, and compares contracts
// no database: it is about versions
import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ProjectCopy } from '../support/project-copy.js'

t.setTimeout(300_000)

const { version: PRESENT } = JSON.parse(await (await ProjectCopy.create(t)).read('package.json'))

t.test(
  'the first release has every commit, and a version that is raised already stands',
  async (t) => {
    const project = await repository(t)
    await project.commit('Serve *employees*')
    t.notMatch((await project.release('--dry-run', '--since=HEAD~1')).stdout, '- Begin')
    const { code, stdout } = await project.release()
    t.equal(code, 0)
    t.match(stdout, `0.1.0 → ${PRESENT}`)
    t.match(stdout, `git push origin main v${PRESENT}`)
    t.equal(project.git('status', '--porcelain'), '', 'all of it is committed')
    t.equal(project.git('log', '-1', '--format=%s'), `Release ${PRESENT}`)
    t.equal(project.git('cat-file', '-t', `v${PRESENT}`), 'tag', 'annotated')
    t.match(project.git('tag', '--list', '--format=%(contents)'), 'Serve \\*employees\\*')
    t.match(
      await project.read('CHANGELOG.md'),
      new RegExp(
        `^## ${PRESENT} \\(\\d{4}-\\d\\d-\\d\\d\\)\\n[\\s\\S]*\\n- Serve \\\\\\*employees\\\\\\* \\(\\w+\\)\\n- Begin \\(\\w+\\)\\n$`,
        'm',
      ),
    )
    t.equal(await project.read('contract/released.json'), await project.read('openapi.json'))

    const undo = /^To undo it: +(.*)$/m.exec(stdout)?.[1] ?? ''
    spawnSync('sh', ['-c', undo], { cwd: project.directory })
    t.equal(project.git('tag', '--list'), '')
    t.equal(project.git('log', '-1', '--format=%s'), 'Serve *employees*')
  },
)

t.test(
  'a release raises the version wherever it stands, and tells of its commits alone',
  async (t) => {
    const project = await repository(t, `v${PRESENT}`)
    await project.commit('Answer sooner')
    await project.commit('Answer at once')
    const before = project.git('rev-parse', 'HEAD')
    const dry = await project.release('minor', '--dry-run')
    t.match(dry, { code: 0, stdout: 'Nothing was changed' })
    t.equal(project.git('rev-parse', 'HEAD'), before)
    t.equal(project.git('status', '--porcelain'), '')

    t.match(await project.release('minor'), { code: 0, stdout: '- Answer at once' })
    t.equal(project.git('tag', '--list', 'v0.3.0'), 'v0.3.0')
    const versions = await Promise.all(
      ['package.json', 'package-lock.json', 'openapi.json', 'contract/released.json'].map(
        async (path) => {
          const document = JSON.parse(await project.read(path))
          return [document.version, document.packages?.[''].version, document.info?.version]
        },
      ),
    )
    t.strictSame([...new Set(versions.flat().filter(Boolean))], ['0.3.0'])
    await project.commit('Answer before')
    t.match(await project.release(), { code: 0 })
    const changelog = await project.read('CHANGELOG.md')
    t.match(
      changelog,
      /\n## 0\.3\.1 .*\n\n- Answer before \(\w+\)\n\n## 0\.3\.0 .*\n\n- Answer at once \(\w+\)\n- Answer sooner \(\w+\)\n$/,
    )
    t.equal(changelog.match(/^# /gm)?.length, 1)
  },
)

t.test('what breaks clients needs a version that says so, which the changelog names', async (t) => {
  const project = await repository(t, `v${PRESENT}`, (contract) => {
    // What the release before had, and the routes do not any more.
    contract.paths['/employees/gone'] = {
      get: { ...contract.paths['/livez'].get, operationId: 'getGone' },
    }
  })
  await project.commit('Take something away')
  const before = project.git('rev-parse', 'HEAD')
  const { code, stderr } = await project.release()
  t.equal(code, 1)
  t.match(stderr, /0\.2\.1 would break .*0\.2\.0.*\n- .*\/employees\/gone.* was removed/)
  t.match(stderr, 'npm run release -- minor')
  t.equal(project.git('rev-parse', 'HEAD'), before)
  t.match(await project.release('minor'), { code: 0 })
  t.match(await project.read('CHANGELOG.md'), /^Breaks clients:\n\n- .*\/employees\/gone/m)
})

t.test('what is not committed, another branch and nothing new are refused', async (t) => {
  const project = await repository(t, `v${PRESENT}`)
  t.match(await project.release(), { code: 1, stderr: `no commit since v${PRESENT}` })
  await project.commit('Answer sooner')
  await project.write('new.txt', '')
  t.match(await project.release(), { code: 1, stderr: /not committed.*\n\?\? new\.txt/ })
  await rm(join(project.directory, 'new.txt'))
  project.git('switch', '--quiet', '--create', 'topic')
  t.match(await project.release(), { code: 1, stderr: 'made on main, and this is topic' })
  await project.commit('Go another way')
  project.git('tag', 'v0.2.1')
  project.git('switch', '--quiet', 'main')
  await project.commit('Answer at once')
  t.match(await project.release(), { code: 1, stderr: 'There is a tag v0.2.1 already' })
})

t.test('a contract that is not what the routes declare is refused', async (t) => {
  const project = await repository(t, `v${PRESENT}`)
  const contract = JSON.parse(await project.read('openapi.json'))
  contract.info.description = 'Something else'
  await project.write('openapi.json', `${JSON.stringify(contract, null, 2)}\n`)
  await project.commit('Say something else')
  t.match(await project.release(), { code: 1, stderr: 'run "npm run openapi"' })
})

t.test('a release that cannot be committed changes nothing', async (t) => {
  const project = await repository(t, `v${PRESENT}`)
  await project.commit('Answer sooner')
  await project.write('.git/hooks/pre-commit', '#!/bin/sh\necho no >&2\nexit 1\n')
  spawnSync('chmod', ['+x', '.git/hooks/pre-commit'], { cwd: project.directory })
  t.match(await project.release(), { code: 1, stderr: /no\nNothing was changed/ })
  t.equal(project.git('status', '--porcelain'), '')
  t.equal(project.git('tag', '--list'), `v${PRESENT}`)
})

/**
 * A copy of the project as a repository of its own, on main.
 *
 * @param tag that it bears, if any
 * @param change makes the contract another one at that tag
 */
// biome-ignore lint/suspicious/noExplicitAny: a document is changed in any place
async function repository(t: Test, tag?: string, change?: (contract: any) => void) {
  const project = await ProjectCopy.create(t)
  const { directory } = project
  const git = (...parameters: string[]) => {
    const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
    const options = { cwd: directory, encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync('git', [...who, ...parameters], options)
    if (status !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  const commit = (subject: string) => {
    git('add', '--all')
    git('commit', '--quiet', '--allow-empty', `--message=${subject}`)
  }
  git('init', '--quiet', '--initial-branch=main')
  git('config', 'user.name', 'Ada')
  git('config', 'user.email', 'ada@example.org')
  const ours = await project.read('openapi.json')
  if (change) {
    const contract = JSON.parse(ours)
    change(contract)
    await project.write('openapi.json', JSON.stringify(contract))
  }
  commit('Begin')
  if (tag) git('tag', tag)
  if (change) await project.write('openapi.json', ours)
  return {
    directory,
    git,
    commit,
    read: (path: string) => project.read(path),
    write: (path: string, text: string) => project.write(path, text),
    release: (...parameters: string[]) => project.run('dist/release/release.js', ...parameters),
  }
}
