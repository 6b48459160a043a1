const controller = new AbortController()
// Not only once: npm passes on what the terminal sends to everybody, so one Ctrl-C comes twice.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => controller.abort(signal))

/**
 * Aborts at Ctrl-C and at SIGTERM, by the name of the signal: for a command that has to say what it kept.
 * Imported before the rest of the command, it hears what comes while that is loaded, too.
 */
export const interrupt: AbortSignal = controller.signal
