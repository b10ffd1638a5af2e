declare const brand: unique symbol;

/** A value that was checked once, in the one function that makes it; nobody else casts. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
