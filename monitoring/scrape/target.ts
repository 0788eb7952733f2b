// The metrics of one target: from its text to samples of series. A series is looked up by the text of its line, so that
// labels are parsed once and not with every scrape.
import { expositionNumber, parseExpositionLine } from "../../api/metrics/exposition.ts";
import { Labels, metricName } from "../series/labels.ts";
import type { MetricStore } from "../store/store.ts";
import type { MetricTypes } from "./metric-types.ts";

type Pairs = readonly (readonly [string, string])[];
/** A text that is no exposition. */
export class BadText extends Error {
  override readonly name = "BadText";
}

/** Samples beyond this number are refused with the whole text. */
const maxSamples = 50_000;

/** A target whose samples are added to a store. */
export interface Target {
  /** Adds the samples of a text, and the ends of series it no longer has. Throws BadText, and adds nothing then. */
  add(text: string, time: number): number;
  /** Adds samples under names of the server's own. */
  addOwn(values: OwnSamples, time: number): void;
  /** Ends all series. */
  end(time: number): void;
}
type OwnSamples = readonly (readonly [name: string, value: number])[];

interface Known {
  readonly reference: number | undefined;
  /** The scrape that had it last. */
  seen: number;
}

/** The end of the name and the labels in a line; -1 when there is none. */
function endOfSeries(line: string): number {
  const brace = line.indexOf("{");
  const space = line.search(/[ \t]/);
  if (brace < 0 || (space >= 0 && space < brace && !/^[ \t]+\{/.test(line.slice(space)))) return space;
  const exemplar = line.indexOf(" # {", brace);
  return (exemplar < 0 ? line.lastIndexOf("}") : line.lastIndexOf("}", exemplar)) + 1;
}

/** The labels of a series: those of the target replace its own, which get a prefix, unless they are honoured. */
function labelsOf(name: string, own: Readonly<Record<string, string>>, added: Pairs, isHonoured: boolean): Labels {
  const pairs = Object.entries(own).map(([label, value]): readonly [string, string] =>
    !isHonoured && added.some(([other]) => other === label) ? [`exported_${label}`, value] : [label, value],
  );
  return isHonoured
    ? Labels.of([...added, ...pairs, [metricName, name]])
    : Labels.of([...pairs, ...added, [metricName, name]]);
}

/** Reads one line; undefined when it is no sample. */
function valueIn(line: string, end: number): number | undefined {
  const rest = line.slice(end).trimStart();
  const stop = rest.search(/[ \t]/);
  return expositionNumber(stop < 0 ? rest : rest.slice(0, stop));
}

/** A target with labels of its own. With `honoursLabels` the labels of the text win over these. */
export function target(store: MetricStore, types: MetricTypes, labels: Pairs, honoursLabels = false): Target {
  const known = new Map<string, Known>();
  let scrape = 0;
  const referenceOf = (line: string, key: string): number | undefined => {
    const found = known.get(key);
    if (found) {
      found.seen = scrape;
      return found.reference;
    }
    const parsed = parseExpositionLine(line);
    if (!parsed) throw new BadText(`a line is no sample: ${JSON.stringify(line.slice(0, 80))}`);
    const reference = store.reference(labelsOf(parsed.name, parsed.labels, labels, honoursLabels));
    known.set(key, { reference, seen: scrape });
    return reference;
  };
  /** References of series that the last scrape did not have. */
  const missing = (): readonly number[] => {
    const gone: number[] = [];
    for (const [key, { reference, seen }] of known) {
      if (seen === scrape) continue;
      known.delete(key);
      if (reference !== undefined) gone.push(reference);
    }
    return gone;
  };
  const own = new Map<string, number | undefined>();
  return {
    add(text, time) {
      scrape++;
      const references: number[] = [];
      const values: number[] = [];
      for (const line of text.split("\n")) {
        if (line === "" || line === "\r") continue;
        if (line.startsWith("#")) {
          types.note(line);
          continue;
        }
        const end = endOfSeries(line);
        const value = end > 0 ? valueIn(line, end) : undefined;
        if (value === undefined) throw new BadText(`a line is no sample: ${JSON.stringify(line.slice(0, 80))}`);
        const reference = referenceOf(line, line.slice(0, end));
        if (reference === undefined) continue;
        references.push(reference);
        values.push(value);
        if (values.length > maxSamples) throw new BadText(`there are more than ${maxSamples} samples`);
      }
      store.add({ time, references, values, ended: missing() });
      return values.length;
    },
    addOwn(samples, time) {
      const referenced = samples.flatMap(([name, value]) => {
        const reference = own.getOrInsertComputed(name, () =>
          store.reference(Labels.of([...labels, [metricName, name]])),
        );
        return reference === undefined ? [] : [[reference, value] as const];
      });
      store.add({ time, references: referenced.map(([r]) => r), values: referenced.map(([, v]) => v), ended: [] });
    },
    end(time) {
      scrape++;
      const ended = [...missing(), ...[...own.values()].filter((r) => r !== undefined)];
      own.clear();
      if (ended.length > 0) store.add({ time, references: [], values: [], ended });
    },
  };
}
