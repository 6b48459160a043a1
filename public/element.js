/** An element with text, which is never read as HTML, or with children. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** Puts a text where another one was: what is selected, or being read, stays as it is where nothing changes. */
export function write(place, text) {
  if (place.textContent !== text) place.textContent = text
}

/** A list of names and values; gives where each value is written. */
export function facts(list, names) {
  return names.map((name) => {
    const value = element('dd')
    list.append(element('div', {}, element('dt', {}, name), value))
    return value
  })
}
