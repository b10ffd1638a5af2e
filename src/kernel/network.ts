/** One outgoing HTTP request. The host in `url` is checked where the connection is made, not here. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** For the whole exchange, in milliseconds. */
  readonly timeoutMs: number;
  /** Answers with a longer body are refused. */
  readonly maxBytes: number;
  /** Only the status and the fields count: the answer comes without its body, and is good however long that was. */
  readonly headOnly?: boolean;
  /** The URL was configured here, and is not what another server said: private addresses that are listed are good. */
  readonly configured?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; repeated fields joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The network as the service sees it: one request, one answer, no redirects followed. Throws `peer.unreachable`,
 * `peer.timeout`, `peer.answer-too-large`, or `peer.address-refused` when the connected address is neither a public one nor listed.
 */
export abstract class Network {
  abstract fetch(request: HttpRequest): Promise<HttpAnswer>;
}
