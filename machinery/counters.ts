// Figures that are counted at every request: in plain numbers, which become Prometheus' figures when somebody asks. Its
// library alone would judge and sort the labels each time.
import { Counter, type Metric, type Registry as Figures } from "prom-client";

type Labels = Readonly<Record<string, string>>;
interface Named {
  readonly name: string;
  readonly help: string;
}

/** What belongs to each set of labels, made when it is first asked for. The labels are always the same ones. */
export interface ByLabels<T> {
  of(labels: Labels): T;
  /** The same, by a text that stands for these labels alone: who asks often knows a shorter way to tell them. */
  at(place: string, labels: () => Labels): T;
  all(): Iterable<T>;
}
export function byLabels<T>(make: (labels: Labels) => T): ByLabels<T> {
  const known = new Map<string, T>();
  const at = (place: string, labels: () => Labels): T => {
    let found = known.get(place);
    if (found === undefined) {
      found = make(labels());
      known.set(place, found);
    }
    return found;
  };
  return {
    of: (labels) => at(Object.values(labels).join("\n"), () => labels),
    at,
    all: () => known.values(),
  };
}

/** A number that is counted up. */
export interface Count {
  n: number;
}
/** How often something happens, for each set of labels. */
export function counts(named: Named & { readonly labelNames: readonly string[] }, figures: Figures) {
  const tallies = byLabels((labels): Count & { readonly labels: Labels } => ({ labels, n: 0 }));
  new Counter({
    ...named,
    registers: [figures],
    collect() {
      this.reset();
      for (const { labels, n } of tallies.all()) this.inc(labels, n);
    },
  });
  return tallies.of as (labels: Labels) => Count;
}

/** The upper bounds, in seconds, between which durations are told apart. */
export const durationBounds: readonly number[] = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

/** How large something is, each time. */
export interface Distribution {
  saw(value: number): void;
}
interface Measured extends Distribution {
  values(name: string): readonly object[];
}
function measured(bounds: readonly number[], labels: Labels): Measured {
  const within = bounds.map(() => 0);
  let [count, sum] = [0, 0];
  return {
    saw(value) {
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) within[at]! += 1;
      count += 1;
      sum += value;
    },
    values(name) {
      let so = 0;
      const buckets = bounds.map((le, i) => {
        so += within[i]!;
        return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: so };
      });
      return [
        ...buckets,
        { metricName: `${name}_bucket`, labels: { le: "+Inf", ...labels }, value: count },
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    },
  };
}

/** How large something is, for each set of labels. */
export function distributions(
  { name, help, bounds }: Named & { readonly bounds: readonly number[] },
  figures: Figures,
): (labels: Labels) => Distribution {
  const series = byLabels((labels) => measured(bounds, labels));
  const histogram = {
    ...{ name, help, type: "histogram", aggregator: "sum" },
    get: async () => ({ ...histogram, values: [...series.all()].flatMap((one) => one.values(name)) }),
  };
  figures.registerMetric(histogram as unknown as Metric);
  return series.of;
}
