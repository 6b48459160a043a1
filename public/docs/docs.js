// Swagger UI is dark by a class of its own, and not by what visitors prefer.
const dark = matchMedia('(prefers-color-scheme: dark)')
const followPreference = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', followPreference)
followPreference()

const set = (name, value) => (part) => part.setAttribute(name, value)
const remove = (name) => (part) => part.removeAttribute(name)
const region = (name) => (part) => {
  set('role', 'region')(part)
  set('aria-label', name)(part)
}

/**
 * What Swagger UI leaves out for keyboards and screen readers, or has wrong: what is done to each element of a
 * selector, until it does not match any more.
 */
const MENDED = {
  '.information-container:not([role])': region('About'),
  '.scheme-container:not([role])': region('Server and key'),
  '.servers select:not([aria-label])': set('aria-label', 'Server'),
  '.body-param textarea:not([aria-label])': set('aria-label', 'Body'),
  '[data-param-name] :is(select, input):not([aria-label])': (field) =>
    set('aria-label', field.closest('[data-param-name]').dataset.paramName)(field),
  // A link in a button can be reached by nobody; the button does the same.
  '.opblock-summary-control a[href]': remove('href'),
  // It is a table.
  '.responses-table[role]': remove('role'),
  '.microlight:not([tabindex])': set('tabindex', '0'),
  '.close-modal:not([aria-label])': set('aria-label', 'Close'),
  // The button says "Authorize".
  '.auth-btn-wrapper button[aria-label]': remove('aria-label'),
}

function mend() {
  for (const [selector, change] of Object.entries(MENDED))
    for (const found of document.querySelectorAll(selector)) change(found)
}

new MutationObserver(mend).observe(document, { childList: true, subtree: true })
