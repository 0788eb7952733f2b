// Prints an explanation for people: the state, the root causes with what to try next, how they lead to the state, then
// decisions, and with `wide` the fields and events.
import { age } from "../../api/age.ts";
import type { DecisionRecord, Reason } from "../../api/explanation/decisions.ts";
import type {
  Cause,
  EventExplanation,
  Explanation,
  FieldsExplanation,
  ObjectReference,
  ServiceExplanation,
} from "../../api/explanation/explanation.ts";
import { instantOf, type Instant } from "../../api/meta.ts";
import { explanationText as schedulingText, type ExplanationOptions } from "./scheduling-explanation.ts";
import { textTable } from "./table.ts";

const states = { AsDesired: "as desired", Progressing: "progressing", Waiting: "waiting", Failing: "failing" } as const;
/** The last so many decisions, events and paths are shown. */
const shown = { decisions: 8, wideDecisions: 40, events: 5 };

export const nameOf = ({ kind, name }: ObjectReference): string => `${kind.toLowerCase()}/${name}`;
const isOther = (cause: Cause, about: ObjectReference): boolean =>
  cause.object !== undefined && (cause.object.name !== about.name || cause.object.kind !== about.kind);

const causeText = (cause: Cause, about: ObjectReference): string =>
  `${cause.reason}${isOther(cause, about) ? ` on ${nameOf(cause.object!)}` : ""}: ${cause.message}`;

function rootLines(causes: readonly Cause[], about: ObjectReference): readonly string[] {
  const roots = causes.filter((c) => !c.causes?.length);
  if (roots.length === 0) return [];
  return [
    "",
    "Why:",
    ...roots.flatMap((cause) => [
      `  ${causeText(cause, about)}`,
      ...(cause.next === undefined ? [] : [`    next: ${cause.next}`]),
    ]),
  ];
}

function branch(cause: Cause, about: ObjectReference, indent: string): readonly string[] {
  return [
    `${indent}${causeText(cause, about)}`,
    ...(cause.causes ?? []).flatMap((below) => branch(below, cause.object ?? about, `${indent}  `)),
  ];
}
function branchLines(causes: readonly Cause[], about: ObjectReference): readonly string[] {
  const branches = causes.filter((c) => c.causes?.length);
  return branches.length === 0 ? [] : ["", "Because of it:", ...branches.flatMap((c) => branch(c, about, "  "))];
}

const reasonText = (reason: Reason): string =>
  "key" in reason ? `${reason.kind} ${reason.key} ${reason.type}` : reason.type;
function decisionText({ at, controller, reasons, because, actions, error, count }: DecisionRecord, now: Instant) {
  const woken = reasons.length > 0 ? ` (${reasons.slice(-2).map(reasonText).join(", ")})` : "";
  const done = actions.slice(0, 3).join("; ");
  const more = actions.length > 3 ? ` and ${actions.length - 3} more` : "";
  const text = [because.join("; "), done + more, error === undefined ? "" : `failed: ${error}`].filter((t) => t !== "");
  return `  ${age(at, now).padStart(6)} ago  ${controller}: ${text.join(" -> ")}${woken}${count > 1 ? ` x${count}` : ""}`;
}
function decisionLines(title: string, decisions: readonly DecisionRecord[], options: ExplanationOptions) {
  const last = decisions.slice(options.isWide ? -shown.wideDecisions : -shown.decisions);
  return last.length === 0 ? [] : ["", title, ...last.map((d) => decisionText(d, options.now))];
}

function eventLines(events: readonly EventExplanation[], now: Instant): readonly string[] {
  if (events.length === 0) return [];
  const lines = events.map(({ type, reason, message, count, last }) => {
    const times = count > 1 ? ` x${count}` : "";
    return `  ${age(instantOf(last), now).padStart(6)} ago  ${type} ${reason}: ${message.trim()}${times}`;
  });
  return ["", "Events:", ...lines];
}

function fieldLines(fields: readonly FieldsExplanation[]): readonly string[] {
  if (fields.length === 0) return [];
  const rows = fields.flatMap(({ manager, operation, subresource, paths }) => {
    const who = `${manager} (${operation}${subresource === undefined ? "" : ` of ${subresource}`})`;
    return paths.map((path, i) => [i === 0 ? who : "", path]);
  });
  return ["", "Who wrote which field:", textTable(["MANAGER", "FIELD"], rows)];
}

function serviceLines(parts: readonly ServiceExplanation[] = []): readonly string[] {
  if (parts.length === 0) return [];
  const lines = parts.flatMap(({ node, rules, error }) =>
    error === undefined
      ? rules.map(({ to, targets }) => `  ${node}: ${to} -> ${targets.length > 0 ? targets.join(", ") : "rejected"}`)
      : [`  ${node}: ${error}`],
  );
  return ["", "On the nodes:", ...lines];
}

/** The scheduler's verdict on a pod that has no node, and with `wide` on every pod. */
function schedulingLines({ object, scheduling }: Explanation, options: ExplanationOptions): readonly string[] {
  if (!scheduling) return [];
  const isBound = scheduling.state.phase === "Bound" || scheduling.state.phase === "Unmanaged";
  if (isBound && !options.isWide) return [];
  return ["", schedulingText(`${object.namespace ?? ""}/${object.name}`, scheduling, options).trimEnd()];
}

/** The explanation, in lines. */
export function explanationText(explanation: Explanation, options: ExplanationOptions): string {
  const { object, summary, causes, owners, decisions, fields, events, kubelet, service, missing = {} } = explanation;
  const place = object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
  const chain = owners.length === 0 ? [] : [`Controlled by ${owners.map(nameOf).join(", by ")}.`];
  const ofKubelet = kubelet && kubelet.decisions.length > 0 ? kubelet.decisions : [];
  return [
    `${object.kind} ${place} ${summary.message} [${states[summary.state]}]`,
    ...chain,
    ...rootLines(causes, object),
    ...branchLines(causes, object),
    ...schedulingLines(explanation, options),
    ...serviceLines(service),
    ...decisionLines("Decisions:", decisions, options),
    ...decisionLines(`Decisions of the kubelet on ${kubelet?.node}:`, ofKubelet, options),
    ...(kubelet?.error === undefined ? [] : ["", `The kubelet on ${kubelet.node} does not respond: ${kubelet.error}`]),
    ...eventLines(options.isWide ? events : events.slice(-shown.events), options.now),
    ...(options.isWide ? fieldLines(fields) : []),
    ...Object.entries(missing).map(([part, why]) => `Without ${part}: ${why}`),
    "",
  ].join("\n");
}
