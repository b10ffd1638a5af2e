import { createHash } from 'node:crypto';
import { z } from 'zod';
import { utf8 } from '../kernel/bytes.js';
import { Fault } from '../kernel/fault.js';
import { introspectedClaims, type VerifiedClaims } from './access-claims.js';

/** A form to be posted: the credential stands in the body alone. I-057 */
export interface FormPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Posts a form in the name of this protocol server: with an HTTP Message Signature of its key, or as the pairing says.
 * Bounded in size and time, without redirects; gives the answer's JSON.
 */
export type PostForm = (post: FormPost) => Promise<{ readonly status: number; readonly body: unknown }>;

export interface IntrospectorOptions {
  /** `{introspectionEndPoint}` of the one paired server. */
  readonly endPoint: string;
  readonly post: PostForm;
  readonly now: () => Date;
  /** How long an answer is believed that says yes; it never is beyond its own `exp`. One minute when absent. */
  readonly longestMs?: number;
  /** Development on one machine only. */
  readonly plainHttp?: boolean;
}

const LONGEST_MS = 60_000;
/** "No" may become "yes" soon: a share is announced before its secret is known everywhere. */
const NEGATIVE_MS = 5_000;
const MOST_ANSWERS = 1000;

type Word = VerifiedClaims | undefined;
interface Answer {
  readonly word: Promise<Word>;
  until: number;
}

const verdict = z.object({ active: z.boolean() });

/**
 * Asks the issuer about a credential, once for all who show it at the same time. Answers are kept by the digest of the
 * credential, so that nothing that opens a share is kept here. RFC 7662; OCM-IP, Token Introspection, I-045, I-056
 */
export class Introspector {
  private readonly answers = new Map<string, Answer>();

  /** Throws `config.wrong` for an endpoint that is not https, or has room for secrets. */
  constructor(private readonly options: IntrospectorOptions) {
    const url = URL.canParse(options.endPoint) ? new URL(options.endPoint) : undefined;
    const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && options.plainHttp === true);
    if (!url || !secure || url.search !== '' || url.hash !== '' || url.username !== '') {
      throw new Fault('config.wrong', { what: 'introspection endpoint' });
    }
  }

  /** The claims that the issuer vouches for; nothing when it says no. Throws `access.introspection-unavailable`. */
  ask(credential: string): Promise<Word> {
    const key = createHash('sha256').update(credential).digest('base64url');
    const known = this.answers.get(key);
    const at = this.options.now().getTime();
    if (known && at < known.until) return known.word;
    const answer: Answer = { word: this.fetch(credential), until: Infinity };
    this.answers.delete(key);
    this.answers.set(key, answer);
    const [oldest] = this.answers.keys();
    if (this.answers.size > MOST_ANSWERS) this.answers.delete(oldest!);
    answer.word.then(
      (word) => (answer.until = this.goodUntil(word, at)),
      () => this.answers.get(key) === answer && this.answers.delete(key),
    );
    return answer.word;
  }

  private goodUntil(word: Word, at: number): number {
    if (word === undefined) return at + NEGATIVE_MS;
    return Math.min(word.exp * 1000, at + (this.options.longestMs ?? LONGEST_MS));
  }

  private async fetch(credential: string): Promise<Word> {
    const { status, body } = await this.posted(credential);
    const said = verdict.safeParse(body);
    if (status !== 200 || !said.success) throw new Fault('access.introspection-unavailable', { status });
    if (!said.data.active) return undefined;
    const claims = introspectedClaims.safeParse(body);
    if (claims.success) return claims.data;
    throw new Fault('access.claims', { claims: claims.error.issues.map(({ path }) => path.join('.')) });
  }

  private async posted(credential: string): Promise<{ status: number; body: unknown }> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    const body = utf8(new URLSearchParams({ token: credential }).toString());
    try {
      return await this.options.post({ url: this.options.endPoint, headers, body });
    } catch {
      // Not its cause: what an HTTP client says of a request that failed may quote it, and with it the credential.
      throw new Fault('access.introspection-unavailable', { endPoint: this.options.endPoint });
    }
  }
}
