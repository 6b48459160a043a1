/** What a query of Prometheus asks for, as far as a name can be wrong in it. */
export interface Asked {
  names: string[]
  /** What each `{…}` wants of its series. */
  matchers: { name: string; label: string; operator: string; value: string }[]
  /** Labels by which series are put together: all of them must have these. */
  shared: string[]
  /** Labels that are left out: one of the series must have them. */
  dropped: string[]
  /** Labels that are made of others. */
  made: { name: string; label: string; from: string }[]
  ranges: string[]
}

/** Words of PromQL, and its functions. */
const LANGUAGE =
  /^(and|or|unless|on|by|ignoring|without|group_left|sum|min|max|count|rate|increase|time|vector|absent|histogram_quantile|label_replace)$/

const LISTS = /\b(on|by|ignoring|without|group_left) \(([^)]*)\)/g
const SERIES = /([a-z_][\w:]*)\{([^}]*)\}/g
const MATCHER = /(\w+)(=~|!~|!=|=)"([^"]*)"/g
const MADE = /\blabel_replace\((\w+), "(\w+)", "[^"]*", "(\w+)", "[^"]*"\)/g

export function parsePromql(query: string): Asked {
  const lists = (...words: string[]) =>
    [...query.matchAll(LISTS)]
      .filter(([, word = '']) => words.includes(word))
      .flatMap(([, , list = '']) => list.split(/,\s*/))
      .filter((label) => label !== '')
  const names = query
    .replace(LISTS, ' ')
    .replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ')
    .match(/[a-z_][\w:]*/g)
    ?.filter((word) => !LANGUAGE.test(word))
  return {
    names: names ?? [],
    matchers: [...query.matchAll(SERIES)].flatMap(([, name = '', text = '']) =>
      [...text.matchAll(MATCHER)].map(([, label = '', operator = '', value = '']) => ({
        name,
        label,
        operator,
        value,
      })),
    ),
    shared: lists('on', 'by'),
    dropped: lists('ignoring', 'without'),
    made: [...query.matchAll(MADE)].map(([, name = '', label = '', from = '']) => ({
      name,
      label,
      from,
    })),
    ranges: [...query.matchAll(/\[([^\]]+)\]/g)].map(([, range = '']) => range),
  }
}
