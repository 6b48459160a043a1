/** What holds for all operations: the beginning of the contract, in Markdown. */
export const GUIDE = `A JSON API over employees and their salaries, with reports that are answered from cache and are never stale.

## Keys

Where keys are configured, send one: \`Authorization: Bearer KEY\`. A key may \`read\`, or \`write\`, which may read too.
Without a key an answer is a 401, and a write with one that may only read is a 403.

## Paging

\`GET /employees?limit=100\` is a page, and its \`Link\` with \`rel="next"\` the URL of the next one, as long as there is one.
\`sort\` and the filters go with \`limit\`; \`Prefer: count=exact\` tells in \`X-Total-Count\` how many there are on all pages.
Without \`limit\` everybody is streamed as one array.

## Many at once

\`POST /employees\` takes an array of up to 1,000, too, or up to 50,000 lines of \`application/x-ndjson\`: all of them are
created, or none.

## Conditional requests

An employee and a report have an \`ETag\`. With \`If-None-Match\` you are told 304 while it is what you have. With
\`If-Match\` a change is a 412 if somebody else was faster, so that nobody undoes what they have not seen.
A \`POST\` that you heard no answer to can be sent again under its \`Idempotency-Key\`: nobody is created twice.

## Problems

Every error is \`application/problem+json\` (RFC 9457). Go by its \`type\`, which [leads to what it means](/problems/) and
what to do; a 400 says in \`errors\` which field is wrong, and has a \`code\` for each. With a 429 or a 503, \`Retry-After\` says
when to try again.

## Caching

A report shows every write that was acknowledged before you asked. Keep it, and ask before each use with
\`If-None-Match\`: that costs next to nothing. \`Cache-Status\` (RFC 9211) says where an answer came from.
`
