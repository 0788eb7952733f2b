// orrery top service: shows requests, errors, latency and saturation of services over a time.
import type { ServiceMetrics } from "../../api/explanation/monitoring.ts";
import type { Service } from "../../api/generated/types.ts";
import { parseDuration } from "../../api/duration.ts";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";

export interface ServiceFlags extends GlobalFlags {
  readonly since: string;
  readonly allNamespaces?: boolean;
  readonly headers: boolean;
}

const columns = [
  ...["UP(%)", "READY", "CONNS/s", "REQ/s", "ERR(%)", "P50", "P95", "P99", "CPU(cores)", "CPU(%)"],
  ...["MEMORY(bytes)", "MEMORY(%)", "ALERTS"],
];
const none = "-";
const mebi = 1024 ** 2;

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
const milliseconds = (seconds: number): string =>
  seconds >= 1 ? `${seconds.toFixed(2)}s` : `${Math.round(seconds * 1000)}ms`;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The cells of a service: means over the time, and what is now of pods and memory. Pure. */
export function serviceCells({ figures, alerts }: ServiceMetrics): readonly string[] {
  const valuesOf = (name: string): readonly number[] =>
    (figures.find((figure) => figure.name === name)?.values ?? []).filter((value) => value !== null);
  const latest = (name: string): number | undefined => figures.find((figure) => figure.name === name)?.latest;
  const cell = (name: string, write: (value: number) => string): string => {
    const values = valuesOf(name);
    return values.length === 0 ? none : write(mean(values));
  };
  const part = (used: number | undefined, of: number | undefined): string =>
    used === undefined || !of ? none : `${Math.round((100 * used) / of)}%`;
  const [memory, cpu] = [latest("memory"), valuesOf("cpu")];
  return [
    cell("up", (value) => digits(100 * value)),
    `${latest("podsReady") ?? none}/${latest("podsDesired") ?? none}`,
    cell("connections", digits),
    cell("requests", digits),
    cell("errorRatio", (value) => digits(100 * value)),
    ...["p50", "p95", "p99"].map((name) => cell(name, milliseconds)),
    cell("cpu", digits),
    part(cpu.length === 0 ? undefined : mean(cpu), latest("cpuLimit")),
    memory === undefined ? none : `${Math.round(memory / mebi)}Mi`,
    part(memory, latest("memoryLimit")),
    String(alerts.filter(({ state }) => state === "firing").length),
  ];
}

const pathOf = ({ metadata }: Pick<Service, "metadata">): string =>
  `/namespaces/${metadata.namespace}/services/${encodeURIComponent(metadata.name)}`;

/** Prints a line for each service. */
export async function topServices(names: readonly string[], flags: ServiceFlags): Promise<void> {
  const ms = parseDuration(flags.since);
  if (typeof ms !== "number" || ms < 60_000)
    throw new CliError(
      `"${flags.since}" is no time to look back`,
      "Write a duration of at least a minute, such as 30m or 6h.",
    );
  const { api, namespace } = await session(flags);
  const found =
    names.length > 0
      ? names.map((name) => ({ metadata: { name, namespace } }) as Service)
      : await api.list<Service>(flags.allNamespaces ? "/api/v1/services" : `/api/v1/namespaces/${namespace}/services`);
  const to = clock.now() / 1000;
  const rows: (readonly string[])[] = [];
  for (const service of found.filter(({ spec }) => spec?.type !== "ExternalName")) {
    const range = `from=${to - ms / 1000}&to=${to}`;
    const summary = await api
      .get<ServiceMetrics>(`/monitoring/api/v1${pathOf(service)}?${range}`)
      // One that was created a moment ago has not been measured yet.
      .catch((e: unknown) => {
        if (names.length > 0) throw e;
        return undefined;
      });
    const { name, namespace: of = "" } = service.metadata;
    const first = flags.allNamespaces ? [of, name] : [name];
    rows.push([...first, ...(summary ? serviceCells(summary) : columns.map(() => none))]);
  }
  const titles = [...(flags.allNamespaces ? ["NAMESPACE"] : []), "NAME", ...columns];
  process.stdout.write(rememberingWriter(tableStyle)(flags.headers ? [titles, ...rows] : rows));
}
