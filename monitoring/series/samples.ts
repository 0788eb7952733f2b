// Samples of series: columns of times and values.
import type { Labels } from "./labels.ts";

/** Samples in the order of their times, which are milliseconds. */
export interface Samples {
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** 1 where a series ended: its target was gone or no longer had it. Absent when it never did. */
  readonly ended?: Uint8Array | undefined;
}

export interface SeriesSamples extends Samples {
  readonly labels: Labels;
}

export const noSamples: Samples = { times: new Float64Array(), values: new Float64Array() };
