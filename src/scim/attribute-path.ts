/** `[URN:]name[.sub]` as it was written; names are compared without case. RFC 7644 section 3.10 */
export interface AttributePath {
  readonly schema?: string;
  readonly name: string;
  readonly sub?: string;
}

const NAME = '[A-Za-z$][A-Za-z0-9$_-]{0,63}';
const PATH = new RegExp(`^(?:(urn:[A-Za-z0-9:._-]{1,200}):)?(${NAME})(?:\\.(${NAME}))?$`, 'i');

/** `undefined` when it is no path. */
export function attributePath(text: string): AttributePath | undefined {
  const [, schema, name, sub] = PATH.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { ...(schema !== undefined && { schema }), name, ...(sub !== undefined && { sub }) };
}

export const printPath = ({ schema, name, sub }: AttributePath): string =>
  `${schema === undefined ? '' : `${schema}:`}${name}${sub === undefined ? '' : `.${sub}`}`;
