// From two scrapes of a pod to the series that are served: gauges as they are, counters as rates. Pure.
import type { MetricSeries } from "../../api/metrics/values.ts";
import { type Sample, seriesId } from "./exposition.ts";

/** The samples of one scrape. */
export interface Scrape {
  readonly at: number;
  readonly samples: readonly Sample[];
}

/**
 * The name under which a counter's rate is served, without the suffix that marks a counter, as adapters of Prometheus
 * do by default: `http_requests_total` is served as `http_requests`. A gauge of that name has precedence.
 */
function rateName(name: string, taken: ReadonlySet<string>): string {
  const short = name.replace(/(?:_seconds)?_total$/, "");
  return short === "" || taken.has(short) ? name : short;
}

/** The series of the latest scrape. A counter is left out until it has been scraped twice. */
export function seriesOf(before: Scrape | undefined, { at, samples }: Scrape): readonly MetricSeries[] {
  const taken = new Set(samples.map(({ name }) => name));
  const earlier = new Map(before?.samples.filter((s) => s.isCounter).map((s) => [seriesId(s), s.value]));
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  return samples.flatMap(({ name, labels, value, isCounter }) => {
    if (!isCounter) return [{ name, labels, value }];
    const base = earlier.get(seriesId({ name, labels }));
    if (base === undefined || seconds <= 0) return [];
    // A counter that is smaller than before began at zero again.
    const increase = value >= base ? value - base : value;
    return [{ name: rateName(name, taken), labels, value: increase / seconds, windowSeconds: Math.ceil(seconds) }];
  });
}
