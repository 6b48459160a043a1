import { fieldCodeNames, fieldCodes } from './field-codes.js'
import { type Kind, kindNames, kinds, typeOf } from './kinds.js'
import { problem } from './problem.js'
import { FieldError } from './schemas.js'

/** What is told of something, for people and for programs. */
export interface Page {
  html: string
  json: object
}

/** What a kind of problem means, and what to do. */
export function pageOf(kind: Kind): Page {
  const { title, status, meaning, remedy } = kinds[kind]
  const isOfFields = status === 400
  const example = exampleOf(kind)
  const body = `
    <header>
      <p><a href="/problems/">All problems</a></p>
      <h1>${text(title)}</h1>
      <p><code>${text(typeOf(kind))}</code>, status ${status}</p>
    </header>
    <main class="told">
      <section>
        <h2>What it means</h2>
        <p>${text(meaning)}</p>
        <h2>What to do</h2>
        <p>${text(remedy)}</p>
        <h2>For example</h2>
        <pre><code tabindex="0">${text(JSON.stringify(example, null, 2))}</code></pre>
      </section>
      ${isOfFields ? FIELDS : ''}
    </main>`
  return {
    html: page(title, body),
    json: {
      type: typeOf(kind),
      title,
      status,
      meaning,
      remedy,
      example,
      ...(isOfFields && { codes }),
    },
  }
}

/** Every kind of problem, and every code that a field of a request can have. */
export function indexPage(): Page {
  const rows = kindNames.map((kind) => {
    const { status, title, meaning } = kinds[kind]
    return `<dt id="${kind}">${status} <a href="${typeOf(kind)}">${text(title)}</a></dt>
          <dd>${text(meaning)}</dd>`
  })
  const body = `
    <header>
      <h1>Problems</h1>
      <p>Every error of this API is a problem document (RFC 9457). Its <code>type</code> leads to one of
        these pages; programs compare it, and read nothing out of <code>detail</code>.</p>
    </header>
    <main class="told">
      <section>
        <h2>By status</h2>
        <dl>
          ${rows.join('\n          ')}
        </dl>
      </section>
      ${FIELDS}
    </main>`
  const problems = kindNames.map((kind) => {
    const { title, status, meaning, remedy } = kinds[kind]
    return { type: typeOf(kind), title, status, meaning, remedy }
  })
  return { html: page('Problems', body), json: { problems, codes } }
}

function exampleOf(kind: Kind) {
  const { example, instance = '/employees' } = kinds[kind]
  return problem(kind, example, instance, kind === 'validation' ? FieldError.examples : undefined)
}

const codes = fieldCodeNames.map((code) => ({ code, meaning: fieldCodes[code].meaning }))

const FIELDS = `<section>
        <h2>Fields</h2>
        <p>A 400 lists in <code>errors</code> what is wrong, each with one of these codes.</p>
        <dl>
          ${codes.map(({ code, meaning }) => `<dt id="${code}"><code>${code}</code></dt><dd>${text(meaning)}</dd>`).join('\n          ')}
        </dl>
      </section>`

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${text(title)} · Employees</title>
    <link rel="icon" href="/page/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/page/page.css" />
  </head>
  <body>${body}
  </body>
</html>
`
}

/** As HTML has it; what stands between backquotes is code. */
function text(plain: string): string {
  return plain
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/`([^`]*)`/g, '<code>$1</code>')
}
