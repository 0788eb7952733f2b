// orrery rollout: follows, undoes, repeats, pauses and resumes the rollouts of deployments.
import type { Command } from "commander";
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { controllerOf, timestamp } from "../../api/meta.ts";
import { selectorText } from "../../api/selector.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type Connection, connect, jsonLines } from "../api/connection.ts";
import { CliError } from "../cli-error.ts";
import { textTable } from "../printers/table.ts";
import { progressOf, revisionsOf, templateOf } from "../rollout.ts";
import { interruption } from "./cluster-option.ts";
import { type ObjectFlags, query, withPlace } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly toRevision?: string;
}
interface Target {
  readonly api: Connection;
  readonly folder: string;
  readonly path: string;
  readonly name: string;
}

/** `deploy/web`, `deployment.apps/web` or just `web`. */
async function targetOf(text: string, flags: Flags): Promise<Target> {
  const [type, name] = text.includes("/") ? (text.split("/") as [string, string]) : ["deployment", text];
  if (!/^(deploy|deployments?)(\.apps)?$/.test(type))
    throw new CliError(`${type} has no rollouts`, "Rollouts belong to deployments: orrery rollout status deploy/web");
  const folder = `/apis/apps/v1/namespaces/${flags.namespace ?? "default"}`;
  return { api: await connect(flags.name), folder, path: `${folder}/deployments/${name}`, name };
}
const read = async ({ api, path }: Target): Promise<Deployment> => (await api.ask<Deployment>({ path })).body;
const merge = ({ api, path }: Target, body: unknown): Promise<unknown> =>
  api.ask({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
const told = (text: string): void => void process.stdout.write(`${text}\n`);

async function setsOf(target: Target, d: Deployment): Promise<readonly ReplicaSet[]> {
  const labelSelector = selectorText(d.spec.selector);
  const { body } = await target.api.ask<{ readonly items: readonly ReplicaSet[] }>({
    path: `${target.folder}/replicasets${query({ labelSelector })}`,
  });
  return body.items.filter((s) => controllerOf(s)?.uid === d.metadata.uid);
}

async function status(target: Target): Promise<void> {
  await read(target);
  const signal = interruption();
  const path = `${target.folder}/deployments${query({ watch: true, fieldSelector: `metadata.name=${target.name}` })}`;
  let said = "";
  for await (const { type, object } of jsonLines<{ readonly type: string; readonly object: Deployment }>(
    target.api.stream({ path }, signal),
  )) {
    if (type === "BOOKMARK") continue;
    if (type === "DELETED") throw new CliError(`deployment "${target.name}" was deleted`);
    const { state, message } = progressOf(object);
    if (state === "failed") throw new CliError(message, `See why with: orrery describe deploy/${target.name}`);
    if (message !== said) told(message);
    said = message;
    if (state === "done") return;
  }
}

async function history(target: Target): Promise<void> {
  const revisions = revisionsOf(await setsOf(target, await read(target)));
  told(`deployment.apps/${target.name}`);
  const images = (r: (typeof revisions)[number]): string =>
    r.template.spec?.containers.map((c) => c.image ?? "").join(",") ?? "";
  told(
    textTable(
      ["REVISION", "IMAGES", "CHANGE-CAUSE"],
      revisions.map((r) => [String(r.number), images(r), r.cause]),
    ),
  );
}

async function undo(target: Target, flags: Flags): Promise<void> {
  const d = await read(target);
  if (d.spec.paused)
    throw new CliError(
      "a paused deployment cannot be rolled back",
      `Resume it first: orrery rollout resume deploy/${target.name}`,
    );
  const revisions = revisionsOf(await setsOf(target, d));
  const wanted =
    flags.toRevision === undefined ? revisions.at(-2) : revisions.find((r) => r.number === Number(flags.toRevision));
  if (!wanted)
    throw new CliError(
      flags.toRevision === undefined
        ? `no rollout history found for deployment "${target.name}"`
        : `unable to find specified revision ${flags.toRevision} in history`,
      `See them with: orrery rollout history deploy/${target.name}`,
    );
  const body = [{ op: "replace", path: "/spec/template", value: templateOf(wanted) }];
  await target.api.ask({ method: "PATCH", path: target.path, body, contentType: "application/json-patch+json" });
  told(`deployment.apps/${target.name} rolled back to revision ${wanted.number}`);
}

async function restart(target: Target): Promise<void> {
  const now = timestamp(realWorld(() => {}).clock.now());
  await merge(target, {
    spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": now } } } },
  });
  told(`deployment.apps/${target.name} restarted`);
}
const setPaused =
  (paused: boolean) =>
  async (target: Target): Promise<void> => {
    await merge(target, { spec: { paused } });
    told(`deployment.apps/${target.name} ${paused ? "paused" : "resumed"}`);
  };

const verbs: readonly (readonly [
  name: string,
  summary: string,
  run: (target: Target, flags: Flags) => Promise<void>,
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
    const command = withPlace(rollout.command(`${name} <deployment>`)).summary(summary);
    if (name === "undo") command.option("--to-revision <n>", "which one; the one before this when left out");
    command.action(async (text: string, flags: Flags) => run(await targetOf(text, flags), flags));
  }
};
