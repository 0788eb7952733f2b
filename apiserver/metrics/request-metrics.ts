// What is counted of requests, under the names by which Prometheus' dashboards and alerts know it.
import { Gauge, type Registry as Figures } from "prom-client";
import { byLabels, counts, distributions, durationBounds, type Count } from "../../machinery/counters.ts";
import { version } from "../discovery/version.ts";

/** What a request is about, as its figures are told apart. */
export const about = ["verb", "group", "version", "resource", "subresource", "scope", "component"] as const;
export type About = Readonly<Record<(typeof about)[number], string>>;

/** What is counted of requests that ended alike. */
interface Ending {
  ended(ms: number, bytes: number): void;
}
/** What is counted of watches of one kind. */
interface Telling {
  told(bytes: number): void;
}

const powers = (base: number, factor: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => base * factor ** i);
/** From a thousand bytes to a thousand millions. */
const sizeBounds = powers(1000, 10, 7);
const eventSizeBounds = powers(1024, 2, 8);
/** What is quick enough for any promise is not told apart. */
const promisedBounds = durationBounds.filter((bound) => bound >= 0.05);

type Ended = About & { readonly dry_run: string; readonly code: string };
/** What the labels of a request's end are told apart by. */
const placeOf = ({ verb, group, version, resource, subresource, scope }: About, dryRun: string, code: number): string =>
  `${verb}/${group}/${version}/${resource}/${subresource}/${scope}/${dryRun}/${code}`;

function endings(figures: Figures): (about: About, dryRun: string, code: number) => Ending {
  const named = (name: string, help: string) => ({ name, help });
  const requests = counts(named("apiserver_request_total", "Requests answered, by what was asked and how."), figures);
  const seen = (name: string, help: string, bounds: readonly number[]) =>
    distributions({ name, help, bounds }, figures);
  const took = "How long requests took, from their first byte to their last";
  const duration = seen("apiserver_request_duration_seconds", `${took}.`, durationBounds);
  const promised = seen("apiserver_request_sli_duration_seconds", `${took}, as promises count it.`, promisedBounds);
  const sizes = seen("apiserver_response_sizes", "How large the answers are to those who read.", sizeBounds);
  const make = (labels: Readonly<Record<string, string>>): Ending => {
    const { code: _, dry_run, ...subject } = labels;
    const [count, whole] = [requests(labels), duration({ ...subject, dry_run: dry_run! })];
    const kept = dry_run === "" ? promised(subject) : undefined;
    const size = subject["verb"] === "GET" || subject["verb"] === "LIST" ? sizes(subject) : undefined;
    return {
      ended(ms, bytes) {
        count.n++;
        whole.saw(ms / 1000);
        kept?.saw(ms / 1000);
        size?.saw(bytes);
      },
    };
  };
  const series = byLabels(make);
  return (about, dryRun, code) =>
    series.at(placeOf(about, dryRun, code), (): Ended => ({ ...about, dry_run: dryRun, code: `${code}` }));
}

function tellings(figures: Figures): (labels: Pick<About, "group" | "version" | "resource">) => Telling {
  const total: (labels: Readonly<Record<string, string>>) => Count = counts(
    { name: "apiserver_watch_events_total", help: "Events told to watchers." },
    figures,
  );
  const sizes = distributions(
    { name: "apiserver_watch_events_sizes", help: "How large events are.", bounds: eventSizeBounds },
    figures,
  );
  const make = (labels: Readonly<Record<string, string>>): Telling => {
    const [count, size] = [total(labels), sizes(labels)];
    return {
      told(bytes) {
        count.n++;
        size.saw(bytes);
      },
    };
  };
  return byLabels(make).of;
}

/** Says what was built of what. Here nothing is built: it is what is spoken. */
function buildInfo(figures: Figures): void {
  const { gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform, major, minor } = version;
  const labels = {
    ...{ build_date: buildDate, compiler, git_commit: gitCommit, git_tree_state: gitTreeState },
    ...{ git_version: gitVersion, go_version: goVersion, major, minor, platform },
  };
  const help = "Which version of the API this server speaks.";
  const name = "kubernetes_build_info";
  new Gauge({ name, help, labelNames: Object.keys(labels), registers: [figures] }).set(labels, 1);
}

/** The figures of requests of one server. */
export function requestFigures(figures: Figures) {
  buildInfo(figures);
  const inflight = { readOnly: 0, mutating: 0 };
  new Gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests under way at this moment, streams aside.",
    labelNames: ["request_kind"],
    registers: [figures],
    collect() {
      for (const [kind, count] of Object.entries(inflight)) this.set({ request_kind: kind }, count);
    },
  });
  const longRunning = new Gauge({
    name: "apiserver_longrunning_requests",
    help: "Watches and other streams open at this moment.",
    labelNames: about,
    registers: [figures],
  });
  const deprecated = new Gauge({
    name: "apiserver_requested_deprecated_apis",
    help: "Kinds that were asked for although they had better not be used.",
    labelNames: ["group", "version", "resource", "subresource", "removed_release"],
    registers: [figures],
  });
  return { inflight, longRunning, deprecated, endingOf: endings(figures), tellingOf: tellings(figures) };
}
