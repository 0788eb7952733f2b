// Describes namespaces, and what limits them: ResourceQuotas and LimitRanges.
import type { LimitRange, Namespace, ResourceQuota } from "../../api/generated/types.ts";
import type { Describer } from "./describer.ts";
import { annotationLines, byKey, field, type Lines, labelLines, optional, table } from "./layout.ts";

const scopeTexts: Readonly<Record<string, string>> = {
  Terminating:
    "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.",
  NotTerminating:
    "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.",
  BestEffort:
    "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
  NotBestEffort:
    "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.",
};

function scopeLines({ spec }: ResourceQuota, bullet: string): Lines {
  const scopes = (spec?.scopes ?? []).toSorted();
  if (scopes.length === 0) return [];
  const texts = scopes.flatMap((scope) => (scopeTexts[scope] ? [`${bullet}${scopeTexts[scope]}`] : []));
  return [field("Scopes", scopes.join(", ")), ...texts];
}

const quotaRows = ({ status }: ResourceQuota): readonly (readonly string[])[] =>
  byKey(status?.hard).map(([name, hard]) => [name, status?.used?.[name] ?? "0", hard]);

const quotaTitles = ["Resource", "Used", "Hard"];

export const quotaDescriber: Describer<ResourceQuota> = {
  hasNoEvents: true,
  lines: (quota) => [
    field("Name", quota.metadata.name),
    field("Namespace", quota.metadata.namespace),
    ...scopeLines(quota, " * "),
    ...table(quotaTitles, quotaRows(quota)),
  ],
};

const limitTitles = ["Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio"];
const limitRule = ["----", "--------", "---", "---", "---------------", "-------------", "-----------------------"];

const limitRows = ({ spec }: LimitRange): readonly (readonly string[])[] =>
  (spec?.limits ?? []).flatMap((item) => {
    const { min, max, defaultRequest, default: limit, maxLimitRequestRatio: ratio } = item;
    const maps = [min, max, defaultRequest, limit, ratio];
    const names = [...new Set(maps.flatMap((map) => Object.keys(map ?? {})))].sort();
    return names.map((name) => [item.type, name, ...maps.map((map) => map?.[name] ?? "-")]);
  });

export const limitRangeDescriber: Describer<LimitRange> = {
  hasNoEvents: true,
  lines: (range) => [
    field("Name", range.metadata.name),
    field("Namespace", range.metadata.namespace),
    ...table(limitTitles, limitRows(range), limitRule),
  ],
};

interface NamespaceRelated {
  readonly quotas: readonly ResourceQuota[];
  readonly ranges: readonly LimitRange[];
}

const indentedBy = (spaces: string, lines: Lines): Lines => lines.map((line) => spaces + line);

function quotaLines(quotas: readonly ResourceQuota[]): Lines {
  if (quotas.length === 0) return ["", "No resource quota."];
  return [
    "",
    "Resource Quotas",
    ...quotas.flatMap((quota) =>
      indentedBy("  ", [
        field("Name", quota.metadata.name),
        ...scopeLines(quota, "* "),
        ...table(quotaTitles, quotaRows(quota), ["--------", "---", "---"]),
      ]),
    ),
  ];
}

function rangeLines(ranges: readonly LimitRange[]): Lines {
  if (ranges.length === 0) return ["", "No LimitRange resource."];
  const rows = ranges.flatMap(limitRows);
  return ["", "Resource Limits", ...indentedBy(" ", table(limitTitles, rows, limitRule))];
}

function conditionLines({ status }: Namespace): Lines {
  const list = status?.conditions ?? [];
  if (list.length === 0) return [];
  const rows = list.map((c) => [c.type, c.status, c.lastTransitionTime ?? "", c.reason ?? "", c.message ?? ""]);
  const titles = ["Type", "Status", "LastTransitionTime", "Reason", "Message"];
  return ["Conditions:", ...indentedBy("  ", table(titles, rows))];
}

export const namespaceDescriber: Describer<Namespace, NamespaceRelated> = {
  hasNoEvents: true,
  related: async ({ metadata: { name } }, api) => {
    const [quotas, ranges] = await Promise.all([
      api.list<ResourceQuota>(`/api/v1/namespaces/${name}/resourcequotas`),
      api.list<LimitRange>(`/api/v1/namespaces/${name}/limitranges`),
    ]);
    return { quotas, ranges };
  },
  lines: (namespace, { related }) => [
    field("Name", namespace.metadata.name),
    ...labelLines("Labels", namespace.metadata.labels),
    ...annotationLines(namespace.metadata.annotations),
    ...optional("Status", namespace.status?.phase),
    ...conditionLines(namespace),
    ...quotaLines(related.quotas),
    ...rangeLines(related.ranges),
  ],
};
