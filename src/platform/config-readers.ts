import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** What `parse` gives, or throws, as a schema. */
export const parsed = <T>(parse: (text: string) => T) =>
  z.string().transform((text, ctx): T => {
    try {
      return parse(text);
    } catch {
      ctx.addIssue({ code: 'custom', message: 'refused' });
      return z.NEVER;
    }
  });
export const text = z.string().min(1).max(4096);
export const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');
/** Separated by commas or white space. */
export const list = <T>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((value) => value.split(/[\s,]+/).filter((entry) => entry !== ''))
    .pipe(z.array(item).max(1000));

export const whole = (least: number, most: number) => ({
  expected: `a whole number from ${least} to ${most}`,
  read: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most)),
});
export const oneOf = <const T extends readonly string[]>(names: T) => ({
  expected: `one of ${names.join(', ')}`,
  read: z.enum(names) as z.ZodType<T[number], string>,
});

/** An address is a range of one. */
function rangeOf(entry: string): string {
  const [address, bits] = entry.includes('/') ? ipaddr.parseCIDR(entry) : [ipaddr.parse(entry), undefined];
  return `${address.toString()}/${bits ?? (address.kind() === 'ipv4' ? 32 : 128)}`;
}
export const cidr = parsed(rangeOf);

/** Separated by commas or white space. */
export const listen = parsed((entry) => {
  const [, name, port] = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):([0-9]{1,5})$/.exec(entry) ?? [];
  if (name === undefined || Number(port) > 65535) throw new Error('host:port');
  return { host: name.replace(/^\[|\]$/g, ''), port: Number(port) };
});

export const sealingKey = parsed((entry) => {
  const key = Buffer.from(entry, 'base64url');
  if (key.length !== 32 || key.toString('base64url') !== entry.replace(/=$/, '')) throw new Error('32 bytes');
  return new Uint8Array(key);
});

export const seconds = (least: number, most: number) => {
  const number = whole(least, most);
  return { expected: `${number.expected} (seconds)`, read: number.read.transform((value) => value * 1000) };
};

/** Without a slash at its end. */
export const publicUrl = parsed((entry) => {
  const url = new URL(entry);
  const plain = url.username === '' && url.password === '' && !/[?#]/.test(entry);
  if (!plain || !/^https?:$/.test(url.protocol)) throw new Error('URL');
  return url.href.replace(/\/+$/, '');
});

/** An address or a range of addresses, or else the name of a host. */
export const target = parsed((entry) => {
  if (/^[0-9a-fA-F:.]+(\/[0-9]+)?$/.test(entry) && /[:.]/.test(entry)) return rangeOf(entry);
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(entry)) throw new Error('a name');
  return entry.toLowerCase();
});
