type IsAny<T> = 0 extends 1 & T ? true : false

/** The names of members that are `any`, which would let every mistake pass. */
type AnyIn<T> = { [Name in keyof T]: IsAny<T[Name]> extends true ? Name : never }[keyof T]

/** `true`, if no member of a type is `any`; otherwise the names of those that are. */
export type Typed<T> = [AnyIn<T>] extends [never] ? true : AnyIn<T>
