// Figures of a service over time: GET /monitoring/api/v1/namespaces/NAMESPACE/services/NAME?from&to&step, for whoever
// may get the service. Times are RFC 3339 or seconds since 1970, `step` is seconds or a duration such as `30s`.

/** What a figure counts; rates are per second. */
export type FigureUnit = "" | "seconds" | "bytes" | "cores" | "ratio" | "per second" | "bytes per second";

/** Where a figure is shown. */
export type FigureGroup = "availability" | "traffic" | "requests" | "latency" | "saturation" | "business";

/** One line of a chart. */
export interface ServiceFigure {
  /**
   * `up` (1 or 0), `podsReady`, `podsDesired`; `connections`, `receivedBytes`, `sentBytes`; `requests`, `errors`,
   * `errorRatio`; `p50`, `p95`, `p99`; `cpu`, `cpuLimit`, `memory`, `memoryLimit`, `restarts`; of group `business` the
   * name of the program's own metric.
   */
  readonly name: string;
  readonly group: FigureGroup;
  readonly unit: FigureUnit;
  /**
   * How it was computed, as a query that `/prometheus/api/v1/query_range` takes. It names pods, and is sent only to who
   * may list them.
   */
  readonly query?: string;
  /** One for each of the times; null where there is none. */
  readonly values: readonly (number | null)[];
  /** The last value that is not null. */
  readonly latest?: number;
}

/** A version of the service's pods, from the first to the last time it ran. Sent only to who may list the pods. */
export interface ServiceVersion {
  /** The hash of the pod template. */
  readonly revision: string;
  readonly images: readonly string[];
  /** Seconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export interface ServiceAlert {
  readonly name: string;
  readonly state: "pending" | "firing";
  readonly severity: string;
  readonly summary: string;
  /** The pod it is about, if it is about one. Such alerts are sent only to who may list the pods. */
  readonly pod?: string;
  /** RFC 3339. */
  readonly since: string;
}

export interface ServiceMetrics {
  readonly kind: "ServiceMetrics";
  readonly apiVersion: "orrery.dev/v1";
  readonly namespace: string;
  readonly name: string;
  readonly stepSeconds: number;
  /** Seconds since 1970, of all figures. */
  readonly times: readonly number[];
  /** The time of the oldest metrics that are kept; absent while there are none. */
  readonly oldest?: number;
  /** Only those that there are data of. */
  readonly figures: readonly ServiceFigure[];
  readonly versions?: readonly ServiceVersion[];
  readonly alerts: readonly ServiceAlert[];
}
