export interface KindOfProblem {
  status: number
  title: string
  meaning: string
  /** What to do. */
  remedy: string
  /** A `detail` that such a problem has. */
  example: string
  /** Where it was answered; unless it is told, /employees. */
  instance?: string
  /** Those of errors that are such a problem. */
  codes: string[]
}

/**
 * Every kind of problem that a client can be told of, by the name under which /problems/ explains it. The
 * first one of a status stands for errors of that status which have no kind of their own.
 */
export const allKinds = {
  'bad-request': {
    status: 400,
    title: 'The request cannot be taken as it is',
    meaning: 'Something about the request is wrong, and no other kind of problem says it better.',
    remedy: 'Read `detail`, and change the request: sent again as it is, it fails again.',
    example: "Method 'POST' must provide a 'Content-Type' header.",
    codes: [],
  },
  validation: {
    status: 400,
    title: 'A field of the request breaks a rule',
    meaning:
      'The request was understood, and a field of its path, query, headers or body is not as the contract says. Nothing was changed.',
    remedy:
      '`errors` names each field by a JSON Pointer, with a `code` for programs and a `message` for people. Correct them, and send the request again.',
    example: '/body/salary must be >= 0, got -1',
    codes: ['FST_ERR_VALIDATION', 'BAD_LINES'],
  },
  'malformed-body': {
    status: 400,
    title: 'The body cannot be read',
    meaning:
      'The body is empty, cut off, nested too deeply, or not JSON in UTF-8, so no field of it was looked at.',
    remedy: 'Send one JSON value in UTF-8, with a Content-Length that is its length in bytes.',
    example: 'The body is not valid UTF-8',
    codes: [
      'BODY_CUT_OFF',
      'FST_ERR_CTP_EMPTY_BODY',
      'FST_ERR_CTP_EMPTY_JSON_BODY',
      'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
      'FST_ERR_CTP_INVALID_JSON_BODY',
      'FST_ERR_CTP_INVALID_UTF8',
      'FST_ERR_CTP_TOO_DEEP',
    ],
  },
  'malformed-url': {
    status: 400,
    title: 'The URL cannot be read',
    meaning: 'The path has a percent sign that begins no byte, or bytes that are no UTF-8.',
    remedy: 'Encode what you put into a path: encodeURIComponent in JavaScript, quote in Python.',
    example: "'/employees/%E0%A4%A' is not a valid url component",
    instance: '/employees/%E0%A4%25A',
    codes: ['FST_ERR_BAD_URL', 'FST_ERR_INVALID_URL'],
  },
  'malformed-host': {
    status: 400,
    title: 'The request does not say which host it is for',
    meaning: 'HTTP/1.1 needs one Host header, and there is none, or there are two.',
    remedy: 'Send one. HTTP clients do so by themselves; look at what stands between.',
    example: 'HTTP/1.1 requires a Host header (RFC 9112, 3.2)',
    codes: ['NO_HOST', 'TWO_HOSTS'],
  },
  'not-http': {
    status: 400,
    title: 'What was sent is not HTTP',
    meaning: 'The parser found no request in the bytes that came, and the connection is closed.',
    remedy:
      'Ask by HTTP/1.1: http and not https, unless a proxy in front speaks TLS. What a program put into headers may have line breaks.',
    example: 'This is not HTTP: Invalid method encountered',
    instance: '',
    codes: [],
  },
  'key-needed': {
    status: 401,
    title: 'A key is needed',
    meaning: 'This service is asked with an API key, and the request shows none.',
    remedy: 'Send a key that its operator has given you: `Authorization: Bearer KEY`.',
    example: 'Send a key: "Authorization: Bearer KEY"',
    codes: ['KEY_NEEDED'],
  },
  'key-unknown': {
    status: 401,
    title: 'The key is not known here',
    meaning: 'The request shows a key, and it is none of those that are configured now.',
    remedy:
      'Look whether it is whole, and of this service. If it was withdrawn, ask for a new one.',
    example: 'This key is not known here',
    codes: ['KEY_UNKNOWN'],
  },
  'key-may-only-read': {
    status: 403,
    title: 'The key may only read',
    meaning: 'The key is known, and its role is `read`. Nothing was changed.',
    remedy: 'Use a key whose role is `write`. Sending the request again does not help.',
    example: 'This key may read, and not write',
    codes: ['KEY_MAY_ONLY_READ'],
  },
  'not-found': {
    status: 404,
    title: 'There is nothing at this path',
    meaning: 'No operation of the API has this path, whatever employees there are.',
    remedy: 'Compare the path with /openapi.json: letters, slashes at the end, and the base URL.',
    example: 'There is nothing at /employee/7',
    instance: '/employee/7',
    codes: ['FST_ERR_NOT_FOUND'],
  },
  'no-such-employee': {
    status: 404,
    title: 'There is no such employee',
    meaning: 'Nobody has this id: it was never given, or its employee was deleted.',
    remedy: 'Find the id by GET /employees. An id is never given twice, so this one stays free.',
    example: 'There is no employee 7',
    instance: '/employees/7',
    codes: ['NO_SUCH_EMPLOYEE'],
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path does not have this method',
    meaning: 'There is something at the path, and it cannot be asked in this way.',
    remedy: 'Use one of the methods that the header Allow lists.',
    example: 'DELETE is not possible here; Allow says what is',
    codes: [],
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    meaning: 'Its headers or its body did not come in time, and the connection is closed.',
    remedy: 'Send it again, in one go: headers within 10 seconds, all of it within 30.',
    example: 'The request took too long to arrive',
    instance: '',
    codes: [],
  },
  'precondition-failed': {
    status: 412,
    title: 'The employee is not as expected',
    meaning:
      'If-Match or If-None-Match says what the employee must be, and somebody has changed it since it was read. Nothing was changed now.',
    remedy: 'Read the employee again, decide anew, and send the change with the new ETag.',
    example:
      'The employee is not as If-Match expects: its entity tag is "jQHVY-QvCpFNTlNngskv6a". Read it again, then decide',
    instance: '/employees/1',
    codes: ['PRECONDITION_FAILED'],
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    meaning:
      'A body has at most 64 KiB, an array of employees 1 MiB, lines of them 32 MiB and 50,000; and its chunks have extensions of a few bytes.',
    remedy:
      'Send less at once: of many employees 1,000 in an array, or 50,000 in lines (application/x-ndjson).',
    example:
      'Request body is too large: at most 64 KiB, an array of employees 1 MiB, lines of them 32 MiB',
    codes: ['FST_ERR_CTP_BODY_TOO_LARGE', 'TOO_MANY_LINES'],
  },
  'uri-too-long': {
    status: 414,
    title: 'A part of the path is too long',
    meaning: 'Where an id belongs there are more than 1000 characters.',
    remedy: 'Ids have at most 16 digits: look at what was put into the path.',
    example: "'/employees/11111111111111111111' is exceeding the max param length",
    instance: '/employees/11111111111111111111',
    codes: ['FST_ERR_MAX_PARAM_LENGTH'],
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of a type that is not read here',
    meaning:
      'Bodies are JSON, and for PATCH JSON Merge Patch (RFC 7396) as well; to create employees, also lines of JSON. They are read as they are, without a Content-Encoding.',
    remedy:
      'Send `Content-Type: application/json`, or for PATCH application/merge-patch+json, or for POST application/x-ndjson.',
    example:
      'Unsupported Media Type: send Content-Type: application/json, or for PATCH application/merge-patch+json, or for POST application/x-ndjson',
    codes: ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'ENCODED_BODY'],
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation cannot be met',
    meaning: 'The header Expect asks for something else than 100-continue.',
    remedy: 'Leave the header out.',
    example: 'Expect knows 100-continue alone (RFC 9110, 10.1.1)',
    codes: ['EXPECTATION_FAILED'],
  },
  'misdirected-request': {
    status: 421,
    title: 'This host is not served here',
    meaning:
      'The name that the request has in Host is none by which this service is asked, so that no page of the internet reads salaries through a browser of this machine.',
    remedy: 'Ask by localhost, or have the operator name the host in ALLOWED_HOSTS.',
    example:
      'The Host of this request is not served here; ALLOWED_HOSTS says which ones are, beside localhost',
    codes: ['MISDIRECTED'],
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key stands for another request',
    meaning: 'It was sent with another body in the last 24 hours. Nothing was changed.',
    remedy: 'Make a new key for each new request; use one again only to repeat the very same one.',
    example:
      'Idempotency-Key: a key stands for one request, and this one was sent with another body less than 24 hours ago; send a new key. Nothing was changed',
    codes: ['IDEMPOTENCY_KEY_REUSED'],
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    meaning: 'This client has sent all the requests that it has in a minute.',
    remedy: 'Wait as many seconds as Retry-After says. RateLimit-Remaining tells beforehand.',
    example: 'More than 600 requests in a minute; try again in 7 seconds',
    codes: ['TOO_MANY_REQUESTS'],
  },
  'too-many-refusals': {
    status: 429,
    title: 'Too many requests without a valid key',
    meaning: 'So many came from this address within a minute that it is not even told why.',
    remedy: 'Send a valid key, which is served at once; or wait as long as Retry-After says.',
    example: 'More than 30 requests without a valid key in a minute; try again in 7 seconds',
    codes: ['TOO_MANY_REFUSALS'],
  },
  'too-many-lists': {
    status: 429,
    title: 'Too many whole lists at once',
    meaning: 'This client reads as many whole lists as one may already.',
    remedy: 'Read one of them to its end, or read pages: GET /employees?limit=1000.',
    example:
      'You read 8 whole lists at once already; read one of them to its end, or read pages (?limit=)',
    codes: ['TOO_MANY_AT_ONCE'],
  },
  'too-many-imports-of-one': {
    status: 429,
    title: 'This client imports already',
    meaning: 'One client may send employees in lines once at a time. Nothing was changed.',
    remedy: 'Send it when the one before was answered.',
    example: 'You import already; wait for its answer. Nothing was changed',
    codes: ['IMPORTS_ALREADY'],
  },
  'too-many-idempotency-keys': {
    status: 429,
    title: 'Too many idempotency keys',
    meaning:
      'This client has used as many keys within 24 hours as one may. Nothing was changed; keys that were used are answered still.',
    remedy: 'Wait as Retry-After says, or create without a key what need not be repeated.',
    example:
      'Idempotency-Key: this client has used 100000 keys within 24 hours, which is all it may; Retry-After says when there is room for one more. Nothing was changed',
    codes: ['TOO_MANY_IDEMPOTENCY_KEYS'],
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    meaning: 'The line of the request and its headers have more than 16 KiB in all.',
    remedy: 'Send fewer or shorter ones; cookies, which mean nothing here, are often most of it.',
    example: 'The headers are too large',
    instance: '',
    codes: [],
  },
  internal: {
    status: 500,
    title: 'The service failed',
    meaning: 'Something went wrong that nobody foresaw, and you have no part in it.',
    remedy:
      'Tell the operator the X-Request-Id of the answer: it finds the fault in the log. What was sent with an Idempotency-Key can be sent again with it.',
    example: 'Something went wrong here; the request id finds it in the log',
    codes: [],
  },
  unavailable: {
    status: 503,
    title: 'Not now',
    meaning: 'The service cannot do this for the moment.',
    remedy: 'Try again when Retry-After says.',
    example: 'The primary process does not tell the figures',
    instance: '/metrics',
    codes: ['FST_ERR_HANDLER_TIMEOUT', 'NO_FIGURES'],
  },
  overloaded: {
    status: 503,
    title: 'The service is overloaded',
    meaning:
      'It has more to do than it can, and turns away what it has not begun. Nothing was changed.',
    remedy: 'Try again when Retry-After says, and later each time.',
    example: 'The service is overloaded; try again later',
    codes: ['TOO_MANY_WRITES', 'TOO_MANY_BODIES'],
  },
  'too-many-imports': {
    status: 503,
    title: 'Too many imports are under way',
    meaning: 'As many clients as may send employees in lines at once. Nothing was changed.',
    remedy: 'Try again when Retry-After says.',
    example: 'Too many imports are under way already; nothing was changed, try again in a moment',
    codes: ['TOO_MANY_IMPORTS'],
  },
  'import-too-long': {
    status: 503,
    title: 'The import would keep others waiting for too long',
    meaning:
      'While very many employees are created other writes wait, and so long that they would give up. Nothing was changed.',
    remedy: 'Send fewer at once, or try again when there is less to do.',
    example:
      'To create all of these at once takes the database longer than other writes wait (4000 ms); nothing was changed, send fewer at once, or try again in a moment',
    codes: ['IMPORT_TOO_LONG', 'IMPORT_TIMEOUT'],
  },
  'too-many-readers': {
    status: 503,
    title: 'Too many long answers are being read',
    meaning: 'As many whole lists are under way as the database stands, of all clients together.',
    remedy:
      'Try again when Retry-After says, or read pages, which go on: GET /employees?limit=1000.',
    example: 'Too many long answers are being read already; try again in a moment',
    codes: ['TOO_MANY_SNAPSHOTS', 'TOO_MANY_COPIES'],
  },
  'database-unavailable': {
    status: 503,
    title: 'The database cannot do this now',
    meaning: 'It is away, locked or full. Nothing was changed.',
    remedy: 'Try again when Retry-After says: no repetition does a thing twice.',
    example:
      'The database cannot do this now (database is locked); nothing was changed, try again in a moment',
    codes: ['DATABASE_UNAVAILABLE'],
  },
  'outcome-unknown': {
    status: 503,
    title: 'Nobody knows whether it was done',
    meaning: 'The database was lost while it kept the change: the change is there, or it is not.',
    remedy:
      'Send it again under the same Idempotency-Key, if it had one; otherwise look at what is there before you send anything again.',
    example:
      'The database was lost while it kept this (connection terminated): it was done, or it was not. What was sent with an Idempotency-Key can be sent again with it; look before you send anything else again',
    codes: ['OUTCOME_UNKNOWN'],
  },
  closing: {
    status: 503,
    title: 'The service is closing',
    meaning: 'This process ends soon, and wants no new work of a load balancer.',
    remedy: 'Ask another process, or this one again when it has been started anew.',
    example: 'The service is closing',
    instance: '/readyz',
    codes: ['CLOSING'],
  },
} satisfies Record<string, KindOfProblem>
