/** Cuts whole HTTP/1.1 answers, each with a Content-Length, off the front of what was received. */
export function takeAnswers(received: string): { bodies: string[]; rest: string } {
  const bodies: string[] = []
  let rest = received
  for (;;) {
    const [head, length] = /^[\s\S]*?content-length: (\d+)[\s\S]*?\r\n\r\n/i.exec(rest) ?? []
    if (head === undefined || rest.length < head.length + Number(length)) return { bodies, rest }
    const end = head.length + Number(length)
    bodies.push(rest.slice(head.length, end))
    rest = rest.slice(end)
  }
}
