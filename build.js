// Compiles what has changed since the last time, and checks all types: node build.js [PROGRAM ...]
//
// A program is run in this very process, so that a signal reaches it: the scripts of package.json begin
// with exec, without which npm signals a shell that dies and leaves it behind. It is not run if a type is
// wrong; then dist/ stays as it was, too. Nor is it if a signal comes before, which ends the compiler.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [program] = process.argv.splice(2, 1)
if (program === undefined) process.exitCode = await build()
else await run(resolve(program))

/** @param {string} program */
async function run(program) {
  // In a process of its own, as the compiler keeps hundreds of megabytes. What it says goes to stderr:
  // the output is the program's.
  let stopped
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const compiler = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: ['ignore', 2, 2],
  })
  // Which takes long where nothing is compiled yet.
  if (!existsSync('dist/.tsbuildinfo')) console.error('Compiling, for the first time …')
  const [status] = await once(compiler, 'exit')
  if (stopped) {
    console.error('Stopped while it was built: nothing was begun')
    process.exit(128 + constants.signals[stopped])
  }
  if (status !== 0) process.exit(1)
  process.off('SIGINT', stop).off('SIGTERM', stop)
  process.argv[1] = program
  await import(pathToFileURL(program).href)

  function stop(signal) {
    stopped = signal
    compiler.kill(signal)
  }
}

/** @returns the exit code */
async function build() {
  const { default: ts } = await import('typescript')
  const unrecoverable = (diagnostic) => report([diagnostic])
  const config = ts.getParsedCommandLineOfConfigFile(
    'tsconfig.json',
    // As a relative path it would count as changed each time.
    { incremental: true, tsBuildInfoFile: resolve('dist/.tsbuildinfo') },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: unrecoverable },
  )
  if (!config) return 1
  const { options, fileNames: rootNames, errors: configFileParsingDiagnostics } = config
  const host = { ...ts.createIncrementalCompilerHost(options), writeFile }
  const program = ts.createIncrementalProgram({
    rootNames,
    options,
    configFileParsingDiagnostics,
    host,
  })
  const errors = [
    ...program.getConfigFileParsingDiagnostics(),
    ...program.getOptionsDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program.getSemanticDiagnostics(),
  ]
  // Nor is it kept what was checked, so that the next build finds the same.
  if (errors.length > 0) return report(errors)
  program.emit()
  removeOrphans()
  return 0

  function report(diagnostics) {
    const format = process.stderr.isTTY
      ? ts.formatDiagnosticsWithColorAndContext
      : ts.formatDiagnostics
    process.stderr.write(
      format(diagnostics, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => process.cwd(),
        getNewLine: () => '\n',
      }),
    )
    return 1
  }
}

/** Whole or not at all, for whoever starts a program meanwhile; and not if it is there already. */
function writeFile(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return
  mkdirSync(dirname(path), { recursive: true })
  const whole = `${path}.${process.pid}`
  writeFileSync(whole, text)
  renameSync(whole, path)
}

/** Removes what has no source any more: routes and views are found by their folder. */
function removeOrphans() {
  const { include } = JSON.parse(readFileSync('tsconfig.json', 'utf8'))
  for (const folder of include.filter((folder) => existsSync(join('dist', folder)))) {
    for (const name of readdirSync(join('dist', folder), { recursive: true })) {
      const [, source] = /^(.*)\.js(\.map)?$/.exec(join(folder, name)) ?? []
      if (source && !existsSync(`${source}.ts`)) rmSync(join('dist', folder, name), { force: true })
    }
  }
}
