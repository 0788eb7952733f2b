// The past as the API server serves it: how far it reaches, and what objects went through. Served below /history.

/** A revision, and when it was committed, to the millisecond where the server was running then. */
export interface HistoryMoment {
  readonly revision: number;
  readonly time: string;
}

/** How far history reaches: `GET /history/revisions`. */
export interface HistoryRange {
  readonly kind: "HistoryRange";
  readonly apiVersion: "orrery.dev/v1";
  readonly oldest: HistoryMoment;
  readonly newest: HistoryMoment;
  /** The memory that only the past takes. */
  readonly bytes: number;
  /** History is forgotten beyond these. */
  readonly limits: { readonly ageSeconds: number; readonly bytes: number };
  /** With `?buckets=N`: how many changes there were in equal spans of time, of revisions after `from` up to `to`. */
  readonly buckets?: readonly { readonly from: number; readonly to: number; readonly changes: number }[];
}

/** The last revision at or before a time: `GET /history/revisions?time=RFC3339`, or `?revision=N` for its time. */
export interface HistoryPoint extends HistoryMoment {
  readonly kind: "HistoryPoint";
  readonly apiVersion: "orrery.dev/v1";
}

/** Which object, and which version of it. */
export interface VersionReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** A field that differs; without `before` it was added, without `after` it was removed. */
export interface FieldChange {
  /** Such as `spec.template.spec.containers[name=web].image`. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What an event reported. */
export interface ReportedEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly source?: string;
  readonly regarding: string;
}

/** One change of an object. */
export interface HistoryItem extends HistoryMoment {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** Whose fields changed, as far as managed fields tell: nobody's for a deletion. */
  readonly manager?: string;
  readonly changes: readonly FieldChange[];
  readonly object: VersionReference;
  /** Set when the object is an event about the object or about what it owns. */
  readonly event?: ReportedEvent;
  /** With `?objects=true`: the object after the change, or its last state. */
  readonly version?: object;
}

/** `GET /history/<path of an object or a collection>`. */
export interface History {
  readonly kind: "History";
  readonly apiVersion: "orrery.dev/v1";
  readonly items: readonly HistoryItem[];
}
