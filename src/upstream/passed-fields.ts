import { Fault } from '../kernel/fault.js';

/** Header fields as they came: name, value, name, value. */
export type RawFields = readonly string[];

/** RFC 9110 section 7.6.1. `Trailer` too, since trailers are not passed on (section 6.5.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'trailer',
]);

/** What `Connection` may not take away: the receiver goes by these, whatever the sender says. */
const STAYS = /^(?:host|content-.*|authorization|signature|signature-input|forwarded|x-forwarded-.*|via)$/;

/**
 * The fields of a request as the file platform gets it: those that are meant for it, as they are and in their order, and
 * where the request came through (RFC 9110 section 7.6.3). This server has answered an `Expect` itself.
 * Throws `request.malformed` unless there is one `Host`, and `upstream.loop` for what came through here before.
 */
export function requestFields(raw: RawFields, pseudonym: string): string[] {
  const passed = endToEnd(raw, new Set([...HOP_BY_HOP, 'expect']));
  if (valuesOf(passed, 'host').length !== 1) throw new Fault('request.malformed', { reason: 'one Host is needed' });
  const through = valuesOf(passed, 'via').flatMap((value) => value.split(','));
  if (through.some((hop) => hop.trim().split(/\s+/)[1] === pseudonym)) throw new Fault('upstream.loop');
  return [...passed, 'Via', `1.1 ${pseudonym}`];
}

/** The fields of the answer, as the one who asked gets it. */
export const answerFields = (raw: RawFields): string[] => endToEnd(raw);

/** What is meant for the one at the end: neither what is said of the hop, nor what its `Connection` names. */
export function endToEnd(raw: RawFields, dropped: ReadonlySet<string> = HOP_BY_HOP): string[] {
  const named = valuesOf(raw, 'connection')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !STAYS.test(name));
  const gone = new Set([...dropped, ...named]);
  return pairs(raw).flatMap(([name, value]) => (gone.has(name.toLowerCase()) ? [] : [name, value]));
}

/** @param name in lower case */
export const valuesOf = (raw: RawFields, name: string): string[] =>
  pairs(raw).flatMap(([given, value]) => (given.toLowerCase() === name ? [value] : []));

export const pairs = (raw: RawFields): [name: string, value: string][] =>
  raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1]!] as [string, string]] : []));
