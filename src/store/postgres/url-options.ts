/**
 * What may stand behind the `?` of a URL, and what each may be, if not anything. The driver passes over what it
 * does not know, so that one letter too few would be a connection without TLS.
 */
const OPTIONS = new Map<string, readonly string[] | undefined>([
  ['sslmode', ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full']],
  ['sslrootcert', undefined],
  ['sslcert', undefined],
  ['sslkey', undefined],
  ['sslnegotiation', ['postgres', 'direct']],
  ['ssl', ['true']],
  ['uselibpqcompat', ['true', 'false']],
  ['application_name', undefined],
  ['options', undefined],
  ['user', undefined],
  ['password', undefined],
])

/**
 * @param query what stands behind the `?`
 * @throws an error that names the option, and never its value
 */
export function assertOptions(query: string): void {
  const given = new URLSearchParams(query)
  for (const [name, value] of given) {
    const values = OPTIONS.get(name)
    if (!OPTIONS.has(name)) {
      // What has no value may be a part of a password.
      const isShown = value !== '' && /^\w{1,40}$/.test(name)
      const what = isShown ? `it has no option ${name}` : 'one of its options is unknown'
      throw new Error(`${what}: write ${listed(OPTIONS.keys())}`)
    }
    if (value === '') throw new Error(`its option ${name} has no value`)
    if (values && !values.includes(value)) {
      throw new Error(`its option ${name} must be ${listed(values)}`)
    }
  }
  const isVerifyCa = given.get('sslmode') === 'verify-ca' && given.get('uselibpqcompat') === 'true'
  if (isVerifyCa && !given.has('sslrootcert')) {
    throw new Error('its option sslmode=verify-ca needs sslrootcert, or let it be verify-full')
  }
}

function listed(names: Iterable<string>): string {
  return [...names].join(', ').replace(/, ([\w-]+)$/, ' or $1')
}
