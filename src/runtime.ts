/** What the binary of better-sqlite3 is built for; on an older Node it is a segmentation fault. */
const NODE_API = 10

// Imported before anything else, so that nothing that needs a newer Node was run.
if (Number(process.versions.napi) < NODE_API) {
  console.error(
    `Node ${process.versions.node} is too old: use 22.14, or 23.6, or newer. ` +
      'Without --omit=optional npm installs one, which all npm scripts run on.',
  )
  process.exit(1)
}
