import type { Answer } from './view-cache.js'

type CacheStatus = (answer: Pick<Answer, 'source' | 'ttl'>) => string

/**
 * Makes the Cache-Status of an answer (RFC 9211), which says, where answers may be older than the request,
 * by how many milliseconds.
 */
export function cacheStatusWith(maxStalenessMs: number): CacheStatus {
  if (maxStalenessMs === 0) return cacheStatus
  const parameter = `; employees-max-staleness=${maxStalenessMs}`
  return (answer) => cacheStatus(answer) + parameter
}

function cacheStatus({ source, ttl }: Pick<Answer, 'source' | 'ttl'>): string {
  switch (source) {
    case 'not_modified':
      return 'employees; hit; detail=version'
    case 'near':
    case 'redis':
      return `employees; hit; ttl=${Math.ceil(ttl / 1000)}; detail=${source}`
    case 'collapsed':
    case 'stored':
      return `employees; fwd=miss; ${source}`
    case 'parts':
      return 'employees; fwd=miss; detail=parts'
    case 'passed':
      return 'employees; fwd=miss'
  }
}
