// orrery run: creates a pod from an image, and attaches to it with --attach, -i or -t.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { type GeneratedObject, withMeta } from "../generators/generated-object.ts";
import { checkImage, type PodFlags, pod, podService } from "../generators/pod.ts";
import { duration, integer, strings } from "../program/flag-values.ts";
import { propagationPolicyOf } from "./cascade.ts";
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
}

const misuse = (message: string): CliError => new CliError(message, "See 'orrery run -h' for help and examples");

/** Checks flags that depend on each other. Throws CliError in kubectl's words; nothing has been sent. */
function check(flags: Flags, results: Results): void {
  const attaches = flags.attach ?? flags.stdin ?? false;
  propagationPolicyOf(flags.cascade);
  if (flags.podRunningTimeout <= 0) throw misuse("--pod-running-timeout must be higher than zero");
  checkImage(flags.image);
  if (flags.tty && !flags.stdin) throw misuse("-i/--stdin is required for containers with -t/--tty=true");
  if (flags.expose && !flags.port) throw misuse("--port must be set when exposing a service");
  if (!["Always", "OnFailure", "Never"].includes(flags.restart))
    throw misuse(`invalid restart policy: ${flags.restart}`);
  if (flags.rm && !attaches) throw misuse("--rm should only be used for attached containers");
  if (attaches && results.dryRun !== "none")
    throw misuse(
      "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
    );
  if (flags.imagePullPolicy && !["Always", "IfNotPresent", "Never"].includes(flags.imagePullPolicy))
    throw misuse(`invalid image pull policy: ${flags.imagePullPolicy}`);
}

interface Created {
  readonly object: object;
  readonly plural: string;
}

async function create(generated: readonly GeneratedObject[], flags: Flags, results: Results): Promise<Created[]> {
  const created: Created[] = [];
  const scope = results.dryRun === "client" ? undefined : await session(flags);
  for (const [i, object] of generated.entries()) {
    const plural = object.kind === "Pod" ? "pods" : "services";
    const placed = flags.namespace ? withMeta(object, { namespace: flags.namespace }) : object;
    const body = flags.saveConfig && scope ? withConfig(placed) : placed;
    const parameters = { fieldManager: flags.fieldManager, dryRun: results.dryRunParameter };
    const made = scope ? await send(scope, body, { plural, namespaced: true }, parameters) : placed;
    // kubectl ends each YAML document of several.
    if (i > 0 && flags.output === "yaml") process.stdout.write("---\n");
    if (!(flags.quiet && flags.rm)) results.print(made, "created");
    created.push({ object: made, plural });
  }
  return created;
}

async function runPod(args: readonly string[], flags: Flags): Promise<void> {
  const [name, ...command] = args;
  if (name === undefined) throw misuse("NAME is required for run");
  const results = await resultsOf(flags, { isGenerated: true });
  check(flags, results);
  const made = await overridden(pod(name, flags, command), flags);
  const services = flags.expose ? [podService(name, flags.port!, flags.labels)] : [];
  await create([...services, made], flags, results);
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
    .option("--pod-running-timeout <time>", "how long to wait for the pod to run", duration, 60_000);
  withGeneration(withOverrides(command), "kubectl-run")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery run web --image=nginx --port=80\n  orrery run -it --rm shell --image=busybox --restart=Never -- sh",
    )
    .action(runPod);
};
