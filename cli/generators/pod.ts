// `run`: a pod with one container.
import { isVariableName } from "./config-data.ts";
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";
import { labelsOf } from "./label-pairs.ts";

export interface PodFlags {
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly restart: string;
  readonly port?: string;
  readonly env?: readonly string[];
  readonly labels?: string;
  readonly annotations?: readonly string[];
  readonly privileged?: boolean;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly leaveStdinOpen?: boolean;
  readonly command?: boolean;
}

const domain = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const tag = "[\\w][\\w.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const reference = new RegExp(
  `^(?:${domain}(?:\\.${domain})*(?::\\d+)?/)?${component}(?:/${component})*(?::${tag})?(?:@${digest})?$`,
);

/** Whether a registry could have an image of this name. Source: the Docker image reference grammar. */
export const isImageName = (image: string): boolean => reference.test(image);

/** Throws CliError for the name of an image that no registry could have. */
export function checkImage(image: string): void {
  if (image === "") throw new CliError("--image is required");
  if (!isImageName(image)) throw new CliError(`Invalid image name ${JSON.stringify(image)}: invalid reference format`);
}

/** The number of `--port`. Throws CliError in Go's words. */
export function portNumber(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new CliError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** The variables of `--env`. */
const variablesOf = (pairs: readonly string[]) =>
  pairs.map((pair) => {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0));
    if (at < 0 || !isVariableName(name)) throw new CliError(`invalid env: ${pair}`);
    return { name, value: pair.slice(at + 1) };
  });

function annotationsOf(pairs: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (pairs.length === 0) return undefined;
  const entries = pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at <= 0) throw new CliError(`invalid annotations format: ${pair}`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The labels of the pod: those of the flag, or `run=NAME`. */
export const podLabels = (name: string, text: string | undefined): Readonly<Record<string, string>> =>
  text ? labelsOf(text) : { run: name };

/** A Pod that runs an image. `args` are its arguments, or its command with `--command`. */
export function pod(name: string, flags: PodFlags, args: readonly string[]): GeneratedObject {
  const annotations = annotationsOf(flags.annotations ?? []);
  const words = unlessEmpty(args);
  const container = {
    name,
    image: flags.image,
    command: flags.command ? words : undefined,
    args: flags.command ? undefined : words,
    ports: flags.port ? [{ containerPort: portNumber(flags.port) }] : undefined,
    env: unlessEmpty(variablesOf(flags.env ?? [])),
    resources: {},
    imagePullPolicy: flags.imagePullPolicy || undefined,
    securityContext: flags.privileged ? { privileged: true } : undefined,
    stdin: flags.stdin || undefined,
    stdinOnce: (flags.stdin && !flags.leaveStdinOpen) || undefined,
    tty: flags.tty || undefined,
  };
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, labels: podLabels(name, flags.labels), ...(annotations && { annotations }) },
    spec: { containers: [container], restartPolicy: flags.restart, dnsPolicy: "ClusterFirst" },
    status: {},
  };
}

/** The service of `run --expose`. */
export const podService = (name: string, port: string, labels: string | undefined): GeneratedObject => ({
  kind: "Service",
  apiVersion: "v1",
  metadata: { name, ...(labels && { labels: labelsOf(labels) }) },
  spec: {
    ports: [{ protocol: "TCP", port: portNumber(port), targetPort: portNumber(port) }],
    selector: podLabels(name, labels),
  },
  status: { loadBalancer: {} },
});
