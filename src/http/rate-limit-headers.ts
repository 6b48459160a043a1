interface Quota {
  /** What the policy is called. */
  policy: string
  /** Requests in a window of so many seconds. */
  quota: number
  window: number
  /** Requests left of them, and seconds until there are as many again. */
  remaining: number
  reset: number
}

/**
 * What tells a client of its quota: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/,
 * and the three headers of draft 06, which clients of before know.
 */
export function rateLimitHeaders({ policy, quota, window, remaining, reset }: Quota) {
  return {
    'ratelimit-policy': `"${policy}";q=${quota};w=${window}`,
    ratelimit: `"${policy}";r=${remaining};t=${reset}`,
    'ratelimit-limit': quota,
    'ratelimit-remaining': remaining,
    'ratelimit-reset': reset,
  }
}
