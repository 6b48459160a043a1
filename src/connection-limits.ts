/** Assumed where the system does not tell: what Linux gives a process unless told otherwise. */
const USUAL_DESCRIPTORS = 1024
/** For what is no client: 64 snapshots of two files each, */
const FOR_SNAPSHOTS = 128
/** the process itself (about 25), its log, Redis, the database and its temporary files, and spare. */
const FOR_ITSELF = 64
/** More clients are no use to a process that serves on one core, and each takes about 10 KiB. */
const CAP = 8192
/** Older releases of Node need about 200 to load the program; and macOS gives 256, which is to do. */
const MINIMUM = 64

/** How many clients may be connected to this process at once. */
export interface ConnectionLimits {
  maxConnections: number
  maxConnectionsPerAddress: number
}

/**
 * The limits of connections, so that the descriptors that files need are never taken by clients.
 *
 * @param all what is configured, if anything
 * @param perAddress what is configured, if anything; half of all by default
 * @param descriptors how many this process may have open
 * @throws an error that names the variable, or what the system must allow
 */
export function connectionLimits(
  all: number | undefined,
  perAddress: number | undefined,
  descriptors: number = descriptorLimit(),
): ConnectionLimits {
  const reserved = FOR_SNAPSHOTS + FOR_ITSELF
  const possible = descriptors - reserved
  if (possible < MINIMUM) {
    throw new Error(
      `The process may open ${descriptors} files, and keeps ${reserved} for other things than ` +
        `clients: let it open ${reserved + MINIMUM} or more ("ulimit -n")`,
    )
  }
  if (all !== undefined && all > possible) {
    throw new Error(
      `MAX_CONNECTIONS must be at most ${possible}, not ${all}: the process may open ${descriptors} ` +
        `files ("ulimit -n"), and keeps ${reserved} for other things than clients`,
    )
  }
  const maxConnections = all ?? Math.min(possible, CAP)
  if (perAddress !== undefined && perAddress > maxConnections) {
    throw new Error(
      `MAX_CONNECTIONS_PER_ADDRESS must be at most ${maxConnections}, the connections in all, ` +
        `not ${perAddress}`,
    )
  }
  const maxConnectionsPerAddress = perAddress ?? Math.ceil(maxConnections / 2)
  return { maxConnections, maxConnectionsPerAddress }
}

let known: number | undefined

/** How many descriptors this process may have open: Node raises its soft limit to the hard one. */
function descriptorLimit(): number {
  known ??= ask()
  return known

  function ask(): number {
    const { report } = process as unknown as { report?: Report }
    if (!report) return USUAL_DESCRIPTORS
    // Else it asks the DNS for the names of all who are connected.
    report.excludeNetwork = true
    const limit = report.getReport().userLimits?.open_files.soft
    if (limit === undefined) return USUAL_DESCRIPTORS
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
  }
}

/** What is asked of `process.report`, which Node's types know as an object. */
interface Report {
  excludeNetwork: boolean
  getReport(): { userLimits?: { open_files: { soft: number | string } } }
}
