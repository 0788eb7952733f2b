// Series and expressions of PromQL, generated from a seed.
import { prand } from "./seeded.ts";

/** A series as the program reads it; the value `end` marks the end of a series. */
export interface GeneratedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly times: readonly number[];
  readonly values: readonly string[];
}
/** In milliseconds; a step of 0 makes it an instant query. */
export interface GeneratedQuery {
  readonly query: string;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}
export interface Sizes {
  readonly samples: number;
  readonly queries: number;
}

const startMs = 1_700_000_000_000;
const scrapeMs = 15_000;
const bounds = ["0.1", "0.5", "1", "5", "+Inf"];

type Value = (i: number) => string | undefined;

function generateSeries(random: () => number, samples: number): readonly GeneratedSeries[] {
  const all: GeneratedSeries[] = [];
  const add = (labels: GeneratedSeries["labels"], valueAt: Value): void => {
    const offset = Math.floor(random() * scrapeMs);
    const points = Array.from({ length: samples }, (_, i) => {
      const time = startMs + offset + i * scrapeMs + Math.floor(random() * 30);
      return [time, valueAt(i)] as const;
    }).filter((point): point is [number, string] => point[1] !== undefined);
    all.push({ labels, times: points.map(([time]) => time), values: points.map(([, value]) => value) });
  };
  for (const job of ["a", "b"])
    for (const inst of ["1", "2", "3"]) {
      let count = 0;
      const half = Math.floor(samples / 2);
      const counter: Value = (i) => {
        count = random() < 0.01 ? 0 : count + Math.floor(random() * 10);
        if (random() < 0.03) return undefined;
        return inst === "2" && i > half ? (i === half + 1 ? "end" : undefined) : String(count);
      };
      add({ __name__: "req_total", job, inst, code: inst === "3" ? "500" : "200" }, counter);
      const special = ["NaN", "+Inf", "-Inf"];
      const gauge: Value = () =>
        random() < 0.05 ? special[Math.floor(random() * 3)] : ((random() - 0.5) * 100).toFixed(3);
      add({ __name__: "gauge", job, inst }, gauge);
      add({ __name__: "level", job, inst, zone: `z${inst}` }, (i) => String(Math.floor(i / 20) % 4));
      const counts = bounds.map(() => 0);
      const rows = Array.from({ length: samples }, () => {
        for (let k = Math.floor(random() * 5); k < 5; k++) counts[k]!++;
        return [...counts];
      });
      for (const [k, le] of bounds.entries())
        add({ __name__: "lat_bucket", job, inst, le }, (i) => String(rows[i]![k]));
    }
  add({ __name__: "info", job: "a", version: "v1" }, () => "1");
  add({ __name__: "info", job: "b", version: "v2" }, () => "1");
  return all;
}

const overTime = (
  "rate irate increase delta idelta changes resets deriv avg_over_time min_over_time max_over_time sum_over_time " +
  "count_over_time last_over_time present_over_time stddev_over_time stdvar_over_time absent_over_time"
).split(" ");
const ofValues = "abs ceil floor exp ln sqrt sgn log2 absent timestamp sin round".split(" ");
const dates = "hour minute month year day_of_week day_of_month day_of_year days_in_month".split(" ");
const selectors = [
  ...["req_total", 'req_total{job="a"}', 'req_total{code!="500"}', "gauge", 'gauge{inst=~"1|2"}', "level", "nosuch"],
  ...['level{inst!~"[12]"}', '{__name__=~"g.*e",job="b"}', 'gauge{job=""}', 'req_total{inst=~".+"}', "info"],
];
const groupings = [
  " by (job)",
  " without (inst)",
  " by (job, inst)",
  " by (zone)",
  " without (job, code)",
  " by ()",
  "",
];
const matchings = [
  ...["on(job, inst)", "ignoring(code)", "on(inst)", "on(job) group_left", "on(job) group_left(version)"],
  ...["ignoring(inst) group_right(zone)", "on(job,inst) group_right()"],
];
const histograms = [
  ...["lat_bucket", "rate(lat_bucket[5m])", "sum by (le, job) (rate(lat_bucket[2m]))"],
  "sum by (le) (increase(lat_bucket[1m]))",
];
const numbers = ["1", "2.5", "0", "-3", "1e3", "0x1F", "NaN", "Inf", "pi()", "5m"];

/** Generators of expressions of at most `depth` levels. */
function grammar(random: () => number) {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const selector = (): string => {
    const offset = random() < 0.1 ? ` offset ${pick(["1m", "-30s", "5m"])}` : "";
    const at = random() < 0.05 ? ` @ ${pick(["1700001800", "start()", "end()", "1700000100.5"])}` : "";
    return `${pick(selectors)}${offset}${at}`;
  };
  const matrix = (depth: number): string => {
    if (random() < 0.15 && depth > 0)
      return `(${vector(depth - 1)})[${pick(["5m", "10m"])}:${pick(["", "1m", "30s"])}]`;
    return selector().replace(/^([^ ]+)/, (name) => `${name}[${pick(["1m", "45s", "5m", "90s", "1h", "300"])}]`);
  };
  const scalar = (depth: number): string => {
    if (depth <= 0 || random() > 0.3) return pick(numbers);
    const inner = (): string => scalar(depth - 1);
    return pick([
      () => `scalar(${vector(depth - 1)})`,
      () => `(${inner()} ${pick(["+", "-", "*", "/", "%", "^", "atan2"])} ${inner()})`,
      () => `(${inner()} ${pick([">", "<", "=="])} bool ${inner()})`,
      () => "time()",
      () => `-${inner()}`,
    ])();
  };
  const vector = (depth: number): string => {
    if (depth <= 0 || random() < 0.15) return selector();
    const inner = (): string => vector(depth - 1);
    const group = (): string => pick(groupings);
    return pick([
      () => `${pick(overTime)}(${matrix(depth)})`,
      () => `quantile_over_time(${scalar(1)}, ${matrix(depth)})`,
      () => `predict_linear(${matrix(depth)}, ${pick(["60", "3600"])})`,
      () => `${pick(["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"])}${group()}(${inner()})`,
      () => `quantile${group()}(${pick(["0.5", "0.9", "-1", "2", "0"])}, ${inner()})`,
      () => `${pick(["topk", "bottomk"])}${group()}(${pick(["2", "10"])}, ${pick(["gauge", "rate(req_total[5m])"])})`,
      () => `count_values${group()}("v", level)`,
      () => `${pick(ofValues)}(${inner()})`,
      () => `${pick(dates)}(abs(level) * 1e8 + 5e5)`,
      () => `clamp(${inner()}, ${scalar(0)}, ${scalar(0)})`,
      () => `clamp_min(${inner()}, ${scalar(1)})`,
      () => `round(${inner()}, ${pick(["0.5", "10", "3"])})`,
      () => `histogram_quantile(${pick(["0.5", "0.9", "0.99", "-1", "1", "0", "1.5"])}, ${pick(histograms)})`,
      () =>
        `label_replace(${inner()}, "${pick(["dst", "job"])}", "${pick(["$1-x", "${1}", "k", "$2$$", ""])}", ` +
        `"${pick(["inst", "job"])}", "${pick(["(.*)", "([12])", "a"])}")`,
      () => `label_join(${inner()}, "dst", "-", "job", "inst")`,
      () => `vector(${scalar(depth - 1)})`,
      () => `-${inner()}`,
      () => `${inner()} ${pick(["+", "-", "*", "/", "%", "^"])} ${scalar(1)}`,
      () => `${scalar(1)} ${pick(["+", "-", "/", ">", "<="])} ${inner()}`,
      () => `${inner()} ${pick([">", "<", "==", "!=", ">=", "<="])} ${pick(["", "bool "])}${scalar(1)}`,
      () => `${inner()} ${pick(["+", "-", "/", "==", ">", "> bool"])} ${inner()}`,
      () => `${inner()} ${pick(["+", "/", "<"])} ${pick(matchings)} ${inner()}`,
      () => `req_total ${pick(["*", "/", ">"])} on(job) group_left(version) info`,
      () => `info ${pick(["*", "-", ">=", "<= bool"])} on(job) group_right(version) gauge`,
      () =>
        `${inner()} ${pick(["and", "or", "unless"])} ${pick(["", "on(job) ", "on() ", "ignoring(code) "])}${inner()}`,
      () => `${pick(["sort", "sort_desc"])}(${inner()})`,
    ])();
  };
  return { scalar, matrix, vector, pick };
}

/** Series and queries; equal for equal seeds. */
export function generate(seed: number, { samples, queries }: Sizes) {
  const random = prand(seed);
  const series = generateSeries(random, samples);
  const { scalar, matrix, vector, pick } = grammar(random);
  const lengthMs = samples * scrapeMs;
  const generated = Array.from({ length: queries }, (): GeneratedQuery => {
    const start = startMs + Math.floor(random() * lengthMs);
    const isRange = random() < 0.5;
    const end = isRange ? start + Math.floor((random() * lengthMs) / 2) : start;
    const kind = random();
    const query = kind < 0.05 ? scalar(3) : kind < 0.08 && !isRange ? matrix(1) : vector(3);
    return { query, start, end, step: isRange ? pick([15_000, 60_000, 7_000]) : 0 };
  });
  return { series, queries: generated };
}
