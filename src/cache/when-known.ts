/**
 * Goes on with a value, at once if it is there. After an `await` a hit would be sent when Node is done
 * with parsing its request, and that takes Node half as long again (see bench/).
 */
export function whenKnown<T, R>(
  value: T | Promise<T>,
  goOn: (value: T) => R | Promise<R>,
): R | Promise<R> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}
