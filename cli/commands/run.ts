// orrery run: creates a pod from an image, and attaches to it with --attach, -i or -t.
import type { Command } from "commander";
import type { Pod } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { defaultDetachKeys, detachBytes } from "../client/detach-keys.ts";
import { type Session, session } from "../client/session.ts";
import { type GeneratedObject, withMeta } from "../generators/generated-object.ts";
import { checkImage, type PodFlags, pod, podService } from "../generators/pod.ts";
import { duration, integer, strings } from "../program/flag-values.ts";
import { propagationPolicyOf } from "./cascade.ts";
import { interruption } from "./cluster-option.ts";
import { type CreateFlags, send, withConfig, withGeneration } from "./create-object.ts";
import { type OverrideFlags, overridden, withOverrides } from "./overrides.ts";
import { type Results, resultsOf } from "./result.ts";

interface Flags extends PodFlags, OverrideFlags, CreateFlags {
  readonly attach?: boolean;
  readonly expose?: boolean;
  readonly rm?: boolean;
  readonly quiet?: boolean;
  readonly cascade: string;
  readonly force?: boolean;
  readonly gracePeriod: number;
  readonly podRunningTimeout: number;
  readonly detachKeys: string;
}

const misuse = (message: string): CliError => new CliError(message, "See 'orrery run -h' for help and examples");

const attaches = ({ attach, stdin }: Flags): boolean => attach ?? stdin ?? false;

/** Checks flags that depend on each other. Throws CliError in kubectl's words; nothing has been sent. */
function check(flags: Flags, results: Results): void {
  propagationPolicyOf(flags.cascade);
  if (flags.podRunningTimeout <= 0) throw misuse("--pod-running-timeout must be higher than zero");
  checkImage(flags.image);
  if (flags.tty && !flags.stdin) throw misuse("-i/--stdin is required for containers with -t/--tty=true");
  if (flags.expose && !flags.port) throw misuse("--port must be set when exposing a service");
  if (!["Always", "OnFailure", "Never"].includes(flags.restart))
    throw misuse(`invalid restart policy: ${flags.restart}`);
  if (flags.rm && !attaches(flags)) throw misuse("--rm should only be used for attached containers");
  if (attaches(flags) && results.dryRun !== "none")
    throw misuse(
      "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
    );
  if (flags.imagePullPolicy && !["Always", "IfNotPresent", "Never"].includes(flags.imagePullPolicy))
    throw misuse(`invalid image pull policy: ${flags.imagePullPolicy}`);
}

interface Created {
  readonly object: ApiObject;
  readonly plural: string;
}
const pluralOf = ({ kind }: GeneratedObject): string => (kind === "Pod" ? "pods" : "services");

/** Creates an object, or returns it as it would be sent. */
async function create(
  scope: Session | undefined,
  object: GeneratedObject,
  flags: Flags,
  { dryRunParameter }: Results,
): Promise<Created> {
  const placed = flags.namespace ? withMeta(object, { namespace: flags.namespace }) : object;
  const body = flags.saveConfig && scope ? withConfig(placed) : placed;
  const plural = pluralOf(object);
  const parameters = { fieldManager: flags.fieldManager, dryRun: dryRunParameter };
  const made = scope ? await send(scope, body, { plural, namespaced: true }, parameters) : placed;
  return { object: made as ApiObject, plural };
}

/** Attaches to the pod, and removes what was created if that is asked for. */
async function attach(scope: Session, created: readonly Created[], flags: Flags, detachKeys: Buffer): Promise<void> {
  const { removeCreated, runAttached } = await import("./run-attached.ts");
  const { container: _, ...rest } = flags as Flags & { readonly container?: string };
  try {
    await runAttached(scope, created[0]!.object as Pod, { ...rest, detachKeys }, interruption());
  } finally {
    if (flags.rm) await removeCreated(scope, created, flags.quiet === true);
  }
}

async function runPod(args: readonly string[], flags: Flags): Promise<void> {
  const [name, ...command] = args;
  if (name === undefined || flags.argsBeforeDash === 0) throw misuse("NAME is required for run");
  const results = await resultsOf(flags, { isGenerated: true });
  check(flags, results);
  const detachKeys = detachBytes(flags.detachKeys);
  const generated = await overridden(pod(name, flags, command), flags);
  const scope = results.dryRun === "client" ? undefined : await session(flags);
  const created = [await create(scope, generated, flags, results)];
  if (flags.expose) {
    const service = await create(scope, podService(name, flags.port!, flags.labels), flags, results);
    created.push(service);
    results.print(service.object, "created");
    // kubectl ends each YAML document of several.
    if (flags.output === "yaml") process.stdout.write("---\n");
  }
  if (scope && attaches(flags)) await attach(scope, created, flags, detachKeys);
  else results.print(created[0]!.object, "created");
}

/** Adds `run` to the program. */
export const register = (program: Command): void => {
  const command = program
    .command("run [args...]")
    .usage("[options] NAME [ARG...]")
    .requiredOption("--image <image>", "the image of its container")
    .option("--image-pull-policy <policy>", "Always, IfNotPresent or Never")
    .option("--restart <policy>", "Always, OnFailure or Never", "Always")
    .option("--port <n>", "the port of its container")
    .option("--expose", "with a service for the port")
    .option("--env <pair>", "a variable as NAME=VALUE; may be repeated", strings)
    .option("-l, --labels <labels>", "the labels of the pod; by default run=NAME")
    .option("--annotations <pair>", "an annotation as KEY=VALUE; may be repeated", strings)
    .option("--privileged", "in privileged mode")
    .option("--command", "the arguments are the command, not those of the image's own")
    .option("-i, --stdin", "pass on standard input")
    .option("-t, --tty", "with a terminal")
    .option("--attach", "wait until it runs, and attach to it")
    .option("--leave-stdin-open", "keep standard input open after the first attach")
    .option("--rm", "delete the pod after it ends")
    .option("-q, --quiet", "print no messages of our own")
    .option("--force", "delete the pod without waiting for its end")
    .option("--cascade <how>", "how dependents of the deleted pod are deleted", "background")
    .option("--grace-period <seconds>", "how long the deleted pod may take to end", integer, -1)
    .option("--detach-keys <keys>", "the keys that leave the session", defaultDetachKeys)
    .option("--pod-running-timeout <time>", "how long to wait for the pod to run", duration, 60_000);
  withGeneration(withOverrides(command), "kubectl-run")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery run web --image=nginx --port=80\n  orrery run -it --rm shell --image=busybox --restart=Never -- sh",
    )
    .action(runPod);
};
