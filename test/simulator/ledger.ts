/** Something that was asked of a group. Without an id nobody knows whether it was taken down: the server died over it. */
export interface Asked {
  readonly host: string;
  readonly group: string;
  readonly by: string;
  readonly kind: string;
  readonly who: string;
  readonly id: string | undefined;
}

export interface Shared {
  readonly host: string;
  readonly group: string;
  readonly by: string;
  readonly name: string;
  readonly id: string;
  readonly encrypted: boolean;
  /** `perhaps`: the server died over it. */
  unshared: 'no' | 'yes' | 'perhaps';
}

/** What people asked for, and what servers promised them. */
export class Ledger {
  readonly asked: Asked[] = [];
  readonly shared: Shared[] = [];
  /** Groups whose creation was answered with success. */
  readonly created: { readonly host: string; readonly address: string }[] = [];
  /** By the address of the group, whatever came of it. */
  readonly creators = new Map<string, string>();
  /** What no server may ever do, whatever happens around it: to fail inside. */
  readonly surprises: string[] = [];
  /** Group Keys that were gone before their time. */
  readonly goneTooSoon = new Set<string>();
  /** File keys whose place was taken by earlier ones. */
  readonly wentBack = new Set<string>();
  /** How much of everything there was. */
  readonly counts = new Map<string, number>();

  private readonly marks = new Map<
    string,
    { readonly asked: number; readonly shared: number; readonly created: number }
  >();

  /** The database of a server is copied: what it promised so far is in it. */
  mark(host: string): void {
    const { asked, shared, created } = this;
    this.marks.set(host, { asked: asked.length, shared: shared.length, created: created.length });
  }

  /** The copy stands in for the database: what the server promised since is lost with it. */
  forgetSince(host: string): void {
    const mark = this.marks.get(host)!;
    const others = (one: { readonly host: string }, at: number, from: number) => one.host !== host || at < from;
    this.asked.splice(0, Infinity, ...this.asked.filter((one, at) => others(one, at, mark.asked)));
    this.shared.splice(0, Infinity, ...this.shared.filter((one, at) => others(one, at, mark.shared)));
    this.created.splice(0, Infinity, ...this.created.filter((one, at) => others(one, at, mark.created)));
    for (const share of this.shared) if (share.host === host && share.unshared === 'yes') share.unshared = 'perhaps';
    this.marks.delete(host);
  }

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }
}
