// orrery debug: adds a container to a running pod, copies a pod with changes, or creates a pod on a node.
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Node, Pod } from "../../api/generated/types.ts";
import { ApiError } from "../../api/errors.ts";
import type { ApiObject, Draft } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { defaultDetachKeys, detachBytes } from "../client/detach-keys.ts";
import { podState } from "../client/object-states.ts";
import { printLog } from "../client/pod-log.ts";
import { apiVersionOf } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { checkTargets, targetPath, targetsOf } from "../client/targets.ts";
import { randomSuffix } from "../generators/container-name.ts";
import {
  type DebugFlags,
  debugCopy,
  type Debugged,
  lacksRoot,
  nodeDebugPod,
  withDebugContainer,
} from "../generators/debug-pods.ts";
import { checkProfile } from "../generators/debug-profiles.ts";
import { isImageName } from "../generators/pod.ts";
import { list, pairs } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine, warn } from "../program/output.ts";
import { interruption } from "./cluster-option.ts";
import { attachOrLog } from "./run-attached.ts";

interface Flags extends GlobalFlags, DebugFlags {
  /** Undefined when the flag is not set. */
  readonly attach?: boolean;
  readonly custom?: string;
  readonly filename?: readonly string[];
  readonly quiet?: boolean;
  readonly replace?: boolean;
}

const exclusive = (flags: Flags): string | undefined =>
  flags.replace ? "--replace" : flags.sameNode ? "--same-node" : flags.setImage ? "--set-image" : undefined;

function checkCopy(flags: Flags, args: readonly string[]): void {
  if (!flags.copyTo) {
    const flag = exclusive(flags);
    if (flag) throw new CliError(`${flag} may only be used with --copy-to.`);
    if (!flags.image) throw new CliError("you must specify --image when not using --copy-to.");
    return;
  }
  if (!flags.image && !flags.setImage && args.length === 0)
    throw new CliError("you must specify --image, --set-image or command arguments.");
  if (args.length > 0 && !flags.container && !flags.image)
    throw new CliError("you must specify an existing container or a new image when specifying args.");
}

/** Checks flags and arguments. Throws CliError in kubectl's words; nothing has been sent. */
function check(names: readonly string[], args: readonly string[], flags: Flags): void {
  checkProfile(flags.profile);
  if (flags.attach && !flags.image && !flags.container)
    throw new CliError("you must specify --container or create a new container using --image in order to attach.");
  checkCopy(flags, args);
  if (flags.image && !isImageName(flags.image))
    throw new CliError(`invalid image name ${JSON.stringify(flags.image)}: invalid reference format`);
  if (names.length === 0 && !flags.filename?.length) throw new CliError("NAME or filename is required for debug");
  if (flags.imagePullPolicy && !["Always", "IfNotPresent", "Never"].includes(flags.imagePullPolicy))
    throw new CliError(`invalid image pull policy: ${flags.imagePullPolicy}`);
  for (const [name, image] of Object.entries(flags.setImage ?? {}))
    if (!isImageName(image))
      throw new CliError(
        `invalid image name ${JSON.stringify(image)} for container ${JSON.stringify(name)}: invalid reference format`,
      );
  if (flags.target && flags.copyTo)
    throw new CliError("--target is incompatible with --copy-to. Use --share-processes instead.");
  if (flags.target && !flags.quiet)
    printLine(
      `Targeting container ${JSON.stringify(flags.target)}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.`,
    );
  if (flags.tty && !flags.stdin) throw new CliError("-i/--stdin is required for containers with -t/--tty=true");
  if (flags.profile === "legacy")
    process.stderr.write(
      '--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example "--profile=general".\n',
    );
  checkTargets(names, { filename: flags.filename ?? [] }, { defaultType: "pods" });
}

type PartialContainer = Readonly<Record<string, unknown>>;

/** The container of `--custom`. Throws CliError in kubectl's words. */
async function customContainer(file: string | undefined): Promise<PartialContainer | undefined> {
  if (!file) return undefined;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new CliError(
      `must pass a container spec json file for custom profile: open ${file}: no such file or directory`,
    );
  }
  const { parse } = await import("yaml");
  const container = ((): unknown => {
    try {
      return parse(text) as unknown;
    } catch (error) {
      throw new CliError(`${file} does not contain a valid container spec: ${(error as Error).message}`);
    }
  })();
  if (typeof container !== "object" || container === null || Array.isArray(container))
    throw new CliError(`${file} does not contain a valid container spec`);
  if (["name", "command", "image", "lifecycle", "volumeDevices"].some((field) => field in container))
    throw new CliError("name, command, image, lifecycle and volume devices are not modifiable via custom profile");
  return container as PartialContainer;
}

const { random } = realWorld(() => {});
const suffix = (): string => randomSuffix(() => random.next());

function naming(quiet: boolean | undefined): (isTaken: (name: string) => boolean) => string {
  return (isTaken) => {
    let name = `debugger-${suffix()}`;
    while (isTaken(name)) name = `debugger-${suffix()}`;
    if (!quiet) printLine(`Defaulting debug container name to ${name}.`);
    return name;
  };
}

/** What the commands of one object work with. */
interface Debugging {
  readonly scope: Session;
  readonly flags: Flags;
  readonly args: readonly string[];
  readonly custom: PartialContainer | undefined;
}

/** The pod with the fields of `--custom` in its debug container. */
async function customized({ pod, container }: Debugged, { custom }: Debugging): Promise<Draft<Pod>> {
  if (!custom || !container) return pod;
  const { patchedLocally } = await import("../client/local-patch.ts");
  const isIn = (all: readonly { readonly name: string }[] = []): boolean => all.some((c) => c.name === container);
  const field = isIn(pod.spec.ephemeralContainers) ? "ephemeralContainers" : "containers";
  if (!isIn(pod.spec[field]))
    throw new CliError(`unable to find the ${container} container in the pod ${pod.metadata.name}`);
  const patch = { spec: { [field]: [{ ...custom, name: container }] } };
  return patchedLocally({ ...pod, apiVersion: "v1" }, "strategic", patch) as Draft<Pod>;
}

function warnOfUser(pod: Draft<Pod>, container: string | undefined): void {
  if (container && lacksRoot(pod, container))
    warn(
      'Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please consider using "--custom" with a custom profile that specifies "securityContext.runAsUser: 0".',
    );
}

/** The pod with the custom changes, after a warning when the container may lack the privileges of its profile. */
async function checked(debugged: Debugged, debugging: Debugging): Promise<Draft<Pod>> {
  const pod = await customized(debugged, debugging);
  warnOfUser(pod, debugged.container);
  return pod;
}

async function createPod({ scope }: Debugging, pod: Draft<Pod>, namespace: string): Promise<Pod> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  return (await scope.api.request<Pod>({ method: "POST", path, body: pod })).body;
}

async function debugNode(debugging: Debugging, node: Node): Promise<Debugged> {
  const { flags, args, scope } = debugging;
  const name = `node-debugger-${node.metadata.name}-${suffix()}`;
  const debugged = nodeDebugPod(node, name, flags, args);
  if (!flags.quiet)
    printLine(`Creating debugging pod ${name} with container ${debugged.container} on node ${node.metadata.name}.`);
  const pod = await createPod(debugging, await customized(debugged, debugging), scope.namespace);
  return { pod, container: debugged.container };
}

async function debugByCopy(debugging: Debugging, original: Pod): Promise<Debugged> {
  const { scope, flags, args } = debugging;
  const debugged = debugCopy(original, flags, args, naming(flags.quiet));
  const copy = await checked(debugged, debugging);
  const { namespace = scope.namespace, name } = original.metadata;
  const pod = await createPod(debugging, copy, namespace);
  if (flags.replace) {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const body = { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: 0 };
    await scope.api.request({ method: "DELETE", path, body });
  }
  return { pod, container: debugged.container };
}

async function debugInPod(debugging: Debugging, original: Pod): Promise<Debugged> {
  const { scope, flags, args } = debugging;
  const debugged = withDebugContainer(original, flags, args, naming(flags.quiet));
  const changed = await checked(debugged, debugging);
  const { namespace, name } = original.metadata;
  try {
    const { body: pod } = await scope.api.request<Pod>({
      method: "PATCH",
      path: `/api/v1/namespaces/${namespace}/pods/${name}/ephemeralcontainers`,
      contentType: "application/strategic-merge-patch+json",
      body: { spec: { ephemeralContainers: changed.spec.ephemeralContainers!.slice(-1) } },
    });
    return { pod, container: debugged.container };
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "NotFound" || error.details?.name) throw error;
    throw new CliError(
      `ephemeral containers are disabled for this cluster (error from server: ${JSON.stringify(error.message)})`,
    );
  }
}

const statusOf = ({ status }: Pod, name: string) =>
  [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((s) => s.name === name);

/** Waits until the debug container runs, and attaches to it; prints its log when it has ended already. */
async function attach({ scope, flags }: Debugging, created: Pod, container: string): Promise<void> {
  const signal = interruption();
  const warned = new Set<string>();
  const hasStarted = (pod: Pod): boolean => {
    const { running, terminated, waiting } = statusOf(pod, container)?.state ?? {};
    const message = waiting?.message;
    if (message && !flags.quiet && !warned.has(message)) warn(`container ${container}: ${message}`);
    if (message) warned.add(message);
    return running !== undefined || terminated !== undefined;
  };
  const pod = await podState(scope.api, created.metadata, hasStarted, { timeoutMs: 0, signal });
  const { namespace, name } = pod.metadata;
  if (statusOf(pod, container)?.state?.terminated)
    return printLog(scope.api, { namespace: namespace!, pod: name!, container }, signal);
  const detachKeys = detachBytes(defaultDetachKeys);
  await attachOrLog(scope, pod, { ...flags, container, detachKeys }, signal);
}

const debug = async (all: readonly string[], flags: Flags): Promise<void> => {
  const [names, args] = [all.slice(0, flags.argsBeforeDash), all.slice(flags.argsBeforeDash ?? all.length)];
  check(names, args, flags);
  const custom = await customContainer(flags.custom);
  const scope = await session(flags);
  const debugging = { scope, flags, args, custom };
  const files = flags.filename ? { filename: flags.filename } : {};
  for (const target of await targetsOf(scope, names, files, { defaultType: "pods" })) {
    const object = await scope.api.get<ApiObject>(targetPath(target));
    const { kind } = target.resource;
    if (kind !== "Pod" && kind !== "Node")
      throw new CliError(`"${apiVersionOf(target.resource)}, Kind=${kind}" not supported by debug`);
    const start = kind === "Node" ? debugNode : flags.copyTo ? debugByCopy : debugInPod;
    const { pod, container } = await start(debugging, object as Pod & Node);
    if ((flags.attach ?? flags.stdin) && container) await attach(debugging, pod as Pod, container);
  }
};

/** Adds `debug` to the program. */
export const register = (program: Command): void => {
  program
    .command("debug [args...]")
    .usage("[flags] (POD | TYPE/NAME) [-- COMMAND [args...]]")
    .option("--image <image>", "the image of the debug container")
    .option("-c, --container <name>", "the name of the debug container")
    .option("--target <name>", "the container whose processes it sees")
    .option("-i, --stdin", "pass standard input to the container")
    .option("-t, --tty", "with a terminal")
    .option("--attach", "wait until it runs, and attach to it; by default with -i")
    .option("-q, --quiet", "print no messages of our own")
    .option("--env <pairs>", "variables as NAME=VALUE; may be repeated", pairs)
    .option("--arguments-only", "what follows -- are arguments, and not the command")
    .option("--image-pull-policy <policy>", "Always, IfNotPresent or Never")
    .option("--profile <name>", "general, baseline, restricted, netadmin or sysadmin", "general")
    .option("--custom <file>", "a partial container in JSON or YAML, which changes the profile's")
    .option("--copy-to <name>", "debug a copy of the pod, with this name")
    .option("--replace", "delete the original of the copy")
    .option("--same-node", "the copy runs on the same node")
    .option("--set-image <pairs>", "images of the copy as CONTAINER=IMAGE; * for all containers", pairs)
    .option("--share-processes", "the containers of the copy see each other's processes; by default they do")
    .option("--keep-labels", "the copy keeps the labels")
    .option("--keep-annotations", "the copy keeps the annotations")
    .option("--keep-liveness", "the copy keeps the liveness probes")
    .option("--keep-readiness", "the copy keeps the readiness probes")
    .option("--keep-startup", "the copy keeps the startup probes")
    .option("--keep-init-containers", "the copy keeps the init containers", true)
    .option("-f, --filename <path>", "a manifest of what to debug", list)
    .addHelpText(
      "after",
      "\nExamples:\n  orrery debug web-1 -it --image=busybox --target=web\n  orrery debug web-1 -it --image=busybox --copy-to=web-debug\n  orrery debug node/lab-node-1 -it --image=busybox",
    )
    .action(debug);
};
