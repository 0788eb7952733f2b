// orrery rollout: shows, undoes, restarts, pauses and resumes rollouts of deployments.
import type { Command } from "commander";
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { controllerOf, timestamp } from "../../api/meta.ts";
import { selectorText } from "../../api/selector.ts";
import { CliError } from "../cli-error.ts";
import { type Connection, jsonLines } from "../client/connection.ts";
import { query } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { textTable } from "../printers/table.ts";
import { progressOf, revisionsOf, templateOf } from "../rollout.ts";
import { clock, interruption } from "./cluster-option.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

interface Flags extends GlobalFlags {
  readonly toRevision?: string;
}
/** A deployment, and the API path of its namespace. */
interface Rollout {
  readonly api: Connection;
  readonly namespacePath: string;
  readonly path: string;
  readonly name: string;
}

/** `deploy/web`, `deployment.apps/web` or just `web`. */
async function targetOf(text: string, flags: Flags): Promise<Rollout> {
  const [type, name] = text.includes("/") ? (text.split("/") as [string, string]) : ["deployment", text];
  if (!/^(deploy|deployments?)(\.apps)?$/.test(type))
    throw new CliError(`${type} has no rollouts`, "Rollouts belong to deployments: orrery rollout status deploy/web");
  const { api, namespace } = await session(flags);
  const namespacePath = `/apis/apps/v1/namespaces/${namespace}`;
  return { api, namespacePath, path: `${namespacePath}/deployments/${name}`, name };
}
const read = ({ api, path }: Rollout): Promise<Deployment> => api.get(path);
const merge = ({ api, path }: Rollout, body: unknown): Promise<unknown> =>
  api.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });

async function setsOf(target: Rollout, d: Deployment): Promise<readonly ReplicaSet[]> {
  const labelSelector = selectorText(d.spec.selector);
  const sets = await target.api.list<ReplicaSet>(`${target.namespacePath}/replicasets${query({ labelSelector })}`);
  return sets.filter((s) => controllerOf(s)?.uid === d.metadata.uid);
}

async function status(target: Rollout): Promise<void> {
  await read(target);
  const signal = interruption();
  const path = `${target.namespacePath}/deployments${query({ watch: true, fieldSelector: `metadata.name=${target.name}` })}`;
  let lastMessage = "";
  for await (const { type, object } of jsonLines<{ readonly type: string; readonly object: Deployment }>(
    target.api.stream({ path }, signal),
  )) {
    if (type === "BOOKMARK") continue;
    if (type === "DELETED") throw new CliError(`deployment "${target.name}" was deleted`);
    const { state, message } = progressOf(object);
    if (state === "failed") throw new CliError(message, `See why with: orrery describe deploy/${target.name}`);
    if (message !== lastMessage) printLine(message);
    lastMessage = message;
    if (state === "done") return;
  }
}

async function history(target: Rollout): Promise<void> {
  const revisions = revisionsOf(await setsOf(target, await read(target)));
  printLine(`deployment.apps/${target.name}`);
  const images = (r: (typeof revisions)[number]): string =>
    r.template.spec?.containers.map((c) => c.image ?? "").join(",") ?? "";
  printLine(
    textTable(
      ["REVISION", "IMAGES", "CHANGE-CAUSE"],
      revisions.map((r) => [String(r.number), images(r), r.cause]),
    ),
  );
}

async function undo(target: Rollout, flags: Flags): Promise<void> {
  const d = await read(target);
  if (d.spec.paused)
    throw new CliError(
      "a paused deployment cannot be rolled back",
      `Resume it first: orrery rollout resume deploy/${target.name}`,
    );
  const revisions = revisionsOf(await setsOf(target, d));
  const revision =
    flags.toRevision === undefined ? revisions.at(-2) : revisions.find((r) => r.number === Number(flags.toRevision));
  if (!revision)
    throw new CliError(
      flags.toRevision === undefined
        ? `no rollout history found for deployment "${target.name}"`
        : `unable to find specified revision ${flags.toRevision} in history`,
      `See them with: orrery rollout history deploy/${target.name}`,
    );
  const body = [{ op: "replace", path: "/spec/template", value: templateOf(revision) }];
  await target.api.request({ method: "PATCH", path: target.path, body, contentType: "application/json-patch+json" });
  printLine(`deployment.apps/${target.name} rolled back to revision ${revision.number}`);
}

async function restart(target: Rollout): Promise<void> {
  const now = timestamp(clock.now());
  await merge(target, {
    spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": now } } } },
  });
  printLine(`deployment.apps/${target.name} restarted`);
}
const setPaused =
  (paused: boolean) =>
  async (target: Rollout): Promise<void> => {
    await merge(target, { spec: { paused } });
    printLine(`deployment.apps/${target.name} ${paused ? "paused" : "resumed"}`);
  };

const verbs: readonly (readonly [
  name: string,
  summary: string,
  run: (target: Rollout, flags: Flags) => Promise<void>,
])[] = [
  ["status", "follow a rollout until it is done or has failed", status],
  ["history", "list the revisions", history],
  ["undo", "go back to an earlier revision", undo],
  ["restart", "start every pod anew, a few at a time", restart],
  ["pause", "let changes gather without rolling them out", setPaused(true)],
  ["resume", "roll out what has gathered", setPaused(false)],
];

/** Adds `rollout` and its verbs to the program. */
export const register = (program: Command): void => {
  const rollout = program
    .command("rollout")
    .summary("follow, undo, repeat or hold up rollouts")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery rollout status deploy/web\n  orrery rollout undo deploy/web --to-revision 2",
    );
  for (const [name, summary, run] of verbs) {
    const command = rollout.command(`${name} <deployment>`).summary(summary);
    if (name === "undo") command.option("--to-revision <n>", "which one; the one before this when left out");
    command.action(async (text: string, flags: Flags) => run(await targetOf(text, flags), flags));
  }
};
